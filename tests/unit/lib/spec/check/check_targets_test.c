#include "tests/unit/lib/spec/job_case.h"

/* No two things write the same. */
static void targets_test(void **state)
{
	static const struct job_case cases[] = {
	        {"two sinks to one file", SINK, "- file: {path: a}\n  - file: {path: a}",
	         "job.yaml:16:18: spec.sinks[1].file.path: spec.sinks[0] writes this file already; choose another "
	         "file\n"},
	        {"a sink over the source", SOURCE, "source: {file: {path: a}}\n  deadLetter: {file: {path: a}}",
	         "job.yaml:6:29: spec.deadLetter.file.path: this is the file that the job reads; choose another "
	         "file\n"},
	        {"a dead letter into a sink", SINK, "- file: {path: a}\n  deadLetter: {file: {path: a}}",
	         "job.yaml:16:29: spec.deadLetter.file.path: spec.sinks[0] writes this file; choose another file\n"},
	        {"two sinks to one topic", SINK,
	         "- kafka: {bootstrapServers: b, topic: t}\n  - kafka: {bootstrapServers: b, topic: t}",
	         "job.yaml:16:41: spec.sinks[1].kafka.topic: spec.sinks[0] writes this topic already; choose another "
	         "topic\n"},
	        {"two sinks to one group", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, groupingKey: {a: b, c: d}, metrics: [{name: c, type: "
	         "gauge, value: c, labels: [bucket]}]}\n  - pushgateway: {url: \"http://g:9091\", job: j, groupingKey: "
	         "{c: d, a: b}, metrics: [{name: c, type: gauge, value: c, labels: [bucket]}]}",
	         "job.yaml:16:18: spec.sinks[1].pushgateway: spec.sinks[0] pushes to the same group, and each push "
	         "replaces the whole group; give it another job or groupingKey, or put all metrics in one sink\n"},
	        {"that differ in an empty label and a slash", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, groupingKey: {a: b, c: \"\"}, metrics: [{name: c, "
	         "type: gauge, value: c, labels: [bucket]}]}\n  - pushgateway: {url: \"http://g:9091/\", job: j, "
	         "groupingKey: {a: b}, metrics: [{name: d, type: gauge, value: c, labels: [bucket]}]}",
	         "job.yaml:16:18: spec.sinks[1].pushgateway: spec.sinks[0] pushes to the same group, and each push "
	         "replaces the whole group; give it another job or groupingKey, or put all metrics in one sink\n"},
	        {"that differ in a label", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, groupingKey: {a: b, c: \"\"}, metrics: [{name: c, "
	         "type: gauge, value: c, labels: [bucket]}]}\n  - pushgateway: {url: \"http://g:9091\", job: j, "
	         "groupingKey: {a: b, d: e}, metrics: [{name: d, type: gauge, value: c, labels: [bucket]}]}",
	         ""},
	};

	(void)state;
	RUN_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(targets_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
