#include "tests/unit/lib/spec/job_case.h"

/* What a Pushgateway sink makes of the result. */
static void metrics_test(void **state)
{
	static const struct job_case cases[] = {
	        {"an unknown value", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, metrics: [{name: c, type: gauge, value: cc, labels: "
	         "[bucket]}]}",
	         "job.yaml:15:89: spec.sinks[0].pushgateway.metrics[0].value: cc is neither an aggregate nor a group "
	         "key; did you mean c?\n"},
	        {"a value that is a string", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, metrics: [{name: c, type: gauge, value: bucket, "
	         "labels: [bucket]}]}",
	         "job.yaml:15:89: spec.sinks[0].pushgateway.metrics[0].value: bucket is a STRING; a metric's value is "
	         "an INT, BIGINT or DOUBLE\n"},
	        {"an unknown label", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, metrics: [{name: c, type: gauge, value: c, labels: "
	         "[bucket, zone]}]}",
	         "job.yaml:15:109: spec.sinks[0].pushgateway.metrics[0].labels[1]: zone is neither an aggregate nor a "
	         "group key; name one of spec.aggregates or spec.groupBy\n"},
	        {"a key that is no label", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, metrics: [{name: c, type: gauge, value: c}]}",
	         "job.yaml:15:66: spec.sinks[0].pushgateway.metrics[0].name: the group key bucket is not a label; add "
	         "it to labels, or two rows would be one series\n"},
	        {"a key among labels missing", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, metrics: [{name: c, type: gauge, value: c, labels: "
	         "[m]}]}",
	         "job.yaml:15:100: spec.sinks[0].pushgateway.metrics[0].labels: the group key bucket is not a label; "
	         "add it to labels, or two rows would be one series\n"},
	        {"a label in the grouping key", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, groupingKey: {bucket: a}, metrics: [{name: c, type: "
	         "gauge, value: c, labels: [bucket]}]}",
	         "job.yaml:15:127: spec.sinks[0].pushgateway.metrics[0].labels[0]: bucket is in groupingKey too; take "
	         "it out of one of the two\n"},
	        {"job in the grouping key", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, groupingKey: {job: a}, metrics: [{name: c, type: "
	         "gauge, value: c, labels: [bucket]}]}",
	         "job.yaml:15:68: spec.sinks[0].pushgateway.groupingKey.job: job has a field of its own; use the field "
	         "job\n"},
	        {"a bad grouping label", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, groupingKey: {__a: a}, metrics: [{name: c, type: "
	         "gauge, value: c, labels: [bucket]}]}",
	         "job.yaml:15:63: spec.sinks[0].pushgateway.groupingKey.__a: found \"__a\"; expected a label's name: "
	         "letters, digits and _, not beginning with a digit or __\n"},
	        {"a bad metric name", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, metrics: [{name: a-b, type: gauge, value: c, labels: "
	         "[bucket]}]}",
	         "job.yaml:15:66: spec.sinks[0].pushgateway.metrics[0].name: found \"a-b\"; expected a metric's name: "
	         "letters, digits, _ and :, not beginning with a digit\n"},
	        {"a reserved name", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, metrics: [{name: streamjob_window_sequence, type: "
	         "gauge, value: c, labels: [bucket]}]}",
	         "job.yaml:15:66: spec.sinks[0].pushgateway.metrics[0].name: names that begin with streamjob_window_ "
	         "are pushed by every job; choose another name\n"},
	        {"the gateway's name", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, metrics: [{name: push_time_seconds, type: gauge, "
	         "value: c, labels: [bucket]}]}",
	         "job.yaml:15:66: spec.sinks[0].pushgateway.metrics[0].name: push_time_seconds is the gateway's own; "
	         "choose another name\n"},
	        {"a counter of an average", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, metrics: [{name: a_total, type: counter, value: m, "
	         "labels: [bucket]}]}",
	         "job.yaml:15:97: spec.sinks[0].pushgateway.metrics[0].value: a counter adds m up over the windows, "
	         "but AVG does not add up; make it a gauge\n"},
	        {"one series twice", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, metrics: [{name: c, type: gauge, value: c, labels: "
	         "[bucket]}, {name: c, type: gauge, value: c, labels: [bucket]}]}",
	         "job.yaml:15:118: spec.sinks[0].pushgateway.metrics[1].name: metrics[0] has this name and the same "
	         "labels: it would be one series; choose another name\n"},
	        {"one family of two types", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, metrics: [{name: c, type: gauge, value: c, labels: "
	         "[bucket]}, {name: c, type: counter, value: c, labels: [bucket]}]}",
	         "job.yaml:15:118: spec.sinks[0].pushgateway.metrics[1].name: metrics[0] of this name has another type "
	         "or help; choose another name, or the same type and help\n"},
	        {"a url without a scheme", SINK,
	         "- pushgateway: {url: \"g:9091\", job: j, metrics: [{name: c, type: gauge, value: c, labels: "
	         "[bucket]}]}",
	         "job.yaml:15:24: spec.sinks[0].pushgateway.url: found \"g:9091\"; expected a URL like "
	         "http://pushgateway:9091, without user, query or fragment (credentials go to credentialsSecretRef)\n"},
	        {"a url with a password", SINK,
	         "- pushgateway: {url: \"http://u:p@g:9091\", job: j, metrics: [{name: c, type: gauge, value: c, "
	         "labels: [bucket]}]}",
	         "job.yaml:15:24: spec.sinks[0].pushgateway.url: found \"http://u:p@g:9091\"; expected a URL like "
	         "http://pushgateway:9091, without user, query or fragment (credentials go to credentialsSecretRef)\n"},
	        {"a label named twice", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, metrics: [{name: c, type: gauge, value: c, labels: "
	         "[bucket, bucket]}]}",
	         "job.yaml:15:109: spec.sinks[0].pushgateway.metrics[0].labels[1]: is there twice; keep one\n"},
	};

	(void)state;
	RUN_CASES(cases);
}

#define TAIL "- {name: m, expr: " AVERAGE "}\n  sinks:\n  " SINK
#define TABLE(metric)                                                                                                  \
	"- {columns: [a, b], expr: t(v)}\n  functions:\n  - {name: t, kind: tableAggregate, entrypoint: 'm:t', "       \
	"returns: "                                                                                                    \
	"[{name: a, type: INT}, {name: b, type: INT}]}\n  sinks:\n  - pushgateway: {url: \"http://g:9091\", job: j, "  \
	"metrics: [" metric "]}"

/* Its rows of one group are told apart by its own columns only. */
static void table_test(void **state)
{
	static const struct job_case cases[] = {
	        {"a column of it is a label", TAIL, TABLE("{name: x, type: gauge, value: a, labels: [bucket, b]}"), ""},
	        {"none is", TAIL, TABLE("{name: x, type: gauge, value: a, labels: [bucket]}"),
	         "job.yaml:17:100: spec.sinks[0].pushgateway.metrics[0].labels: no column of the table aggregate (a, "
	         "…) "
	         "is a "
	         "label; add one that tells its rows apart, or they would be one series\n"},
	        {"a built-in aggregate beside it stands in each of its rows", TAIL,
	         TABLE("{name: x, type: gauge, value: c, labels: [bucket, c]}"),
	         "job.yaml:17:100: spec.sinks[0].pushgateway.metrics[0].labels: no column of the table aggregate (a, "
	         "…) "
	         "*\n"},
	};

	(void)state;
	RUN_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(metrics_test), cmocka_unit_test(table_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
