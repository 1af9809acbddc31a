#include "tests/unit/lib/spec/job_case.h"

/* The document and what stands around the spec. */
static void shape_test(void **state)
{
	static const struct job_case cases[] = {
	        {"no apiVersion", "apiVersion: streamjob.dev/v1alpha1\n", "",
	         "job.yaml:1:1: apiVersion: is missing; write apiVersion: streamjob.dev/v1alpha1\n"},
	        {"another version", "v1alpha1", "v1",
	         "job.yaml:1:13: apiVersion: this version is not known; use streamjob.dev/v1alpha1\n"},
	        {"another kind of the group", "kind: StreamJob", "kind: StreamJop",
	         "job.yaml:2:7: kind: this kind is not known; use StreamJob\n"},
	        {"no metadata", "metadata: {name: j}\n", "",
	         "job.yaml:1:1: metadata: is missing; write metadata: {name: ...}\n"},
	        {"metadata is no object", "metadata: {name: j}", "metadata: [j]",
	         "job.yaml:3:11: metadata: is not an object; write metadata: {name: ...}\n"},
	        {"no name", "{name: j}", "{}", "job.yaml:3:11: metadata.name: is missing; give the job a name\n"},
	        {"a name with capitals", "{name: j}", "{name: Home_Feed}",
	         "job.yaml:3:18: metadata.name: found \"Home_Feed\"; expected a DNS-1123 name: lower-case letters, "
	         "digits, - and ., beginning and ending with a letter or digit\n"},
	        {"a name that is a number", "{name: j}", "{name: 17}",
	         "job.yaml:3:18: metadata.name: found the integer 17; expected a string: quote it, \"17\"\n"},
	        {"a namespace with a point", "{name: j}", "{name: j, namespace: a.b}",
	         "job.yaml:3:32: metadata.namespace: found \"a.b\"; expected a DNS-1123 label: lower-case letters, "
	         "digits and -, beginning and ending with a letter or digit\n"},
	        {"no spec", "spec:", "sepc:",
	         "job.yaml:1:1: spec: is missing; say what the job does\n"
	         "job.yaml:4:1: sepc: unknown field; known here: apiVersion, kind, metadata and spec\n"},
	        {"unknown at the top", "metadata: {name: j}", "metadata: {name: j}\nextra: 1",
	         "job.yaml:4:1: extra: unknown field; known here: apiVersion, kind, metadata and spec\n"},
	        {"unknown field near a known one", KEYS, "groupby: [bucket]",
	         "job.yaml:10:3: spec.groupby: unknown field; did you mean groupBy?\n"},
	        {"unknown field near nothing", KEYS, "quorum: 2",
	         "job.yaml:10:3: spec.quorum: unknown field; known here: source, format, columns, filter, select, "
	         "lateral, window, watermark, groupBy, functions, aggregates, having, sinks, deadLetter, limits, "
	         "strict, "
	         "showValues, terminationGracePeriod, "
	         "parallelism, suspend, image, resources, podTemplate, class, progressDeadline, evictions, "
	         "rollback and deletionPolicy\n"},
	        {"two unknown in one object", "{name: v, type: BIGINT}", "{nmae: v, typ: BIGINT}",
	         "job.yaml:8:5: spec.columns[1].name: is missing; add it: what expressions call it\n"
	         "job.yaml:8:5: spec.columns[1].type: is missing; add it: what its values are: INT has 32 bits, BIGINT "
	         "64; TIMESTAMP is in milliseconds, UTC\n"
	         "job.yaml:8:6: spec.columns[1].nmae: unknown field; known here: name, type, path and format\n"
	         "job.yaml:8:15: spec.columns[1].typ: unknown field; did you mean type?\n"},
	        {"a field given twice", "metadata: {name: j}", "metadata: {name: j}\nkind: StreamJob",
	         "job.yaml:4:1: kind: is there twice, first in line 2; keep one\n"},
	        {"a field given twice deep inside", "{name: v, type: BIGINT}", "{name: v, type: BIGINT, name: k}",
	         "job.yaml:8:29: spec.columns[1].name: is there twice, first in line 8; keep one\n"},
	        {"twice in metadata is seen too", "{name: j}", "{name: j, labels: {a: b, a: c}}",
	         "job.yaml:3:36: metadata.labels.a: is there twice, first in line 3; keep one\n"},
	        {"a list as a key", KEYS, "[a]: 1\n  groupBy: [bucket]",
	         "job.yaml:10:3: spec: a field's name is not a string\n"},
	        {"spec is a list", "spec:\n", "spec: []\nstatus:\n",
	         "job.yaml:4:7: spec: found a list; expected an object\n"},
	};

	(void)state;
	RUN_CASES(cases);
}

#define REST                                                                                                           \
	"metadata: {name: j}\n"                                                                                        \
	"spec: {source: {stdin: {}}, columns: [{name: a, type: STRING}], window: {tumbling: {size: 1s}},\n"            \
	"  aggregates: [{name: k, expr: COUNT(*)}], sinks: [{stdout: {}}]}\n"
#define JOB "apiVersion: streamjob.dev/v1alpha1\nkind: StreamJob\n" REST

/* Which documents are looked at. */
static void documents_test(void **state)
{
	static const struct {
		const char *name, *text, *problems;
		size_t documents, found, good;
	} rows[] = {
	        {"nothing", "", "", 0, 0, 0},
	        {"a comment", "# nothing here\n", "", 0, 0, 0},
	        {"one job", JOB, "", 1, 1, 1},
	        {"a byte order mark", "\xef\xbb\xbf" JOB, "", 1, 1, 1},
	        {"two jobs", JOB "---\n" JOB, "", 2, 2, 2},
	        {"other kinds among them",
	         "apiVersion: v1\nkind: ConfigMap\ndata: {a: b, a: c}\n---\n" JOB "---\n- a list\n---\ntext\n", "", 4,
	         1, 1},
	        {"a job of another project", "apiVersion: other.dev/v1\nkind: Stream\n" REST, "", 1, 0, 0},
	        {"nothing but a spec", "spec: {}\n", "", 1, 0, 0},
	        {"the good ones stay",
	         JOB "---\napiVersion: streamjob.dev/v1alpha1\nkind: StreamJob\nmetadata: {name: k}\n",
	         "job.yaml:7:1: spec: is missing; say what the job does\n", 2, 2, 1},
	        {"what comes before a syntax error is checked too", "kind: StreamJob\n" REST "---\na: [\n",
	         "job.yaml:1:1: apiVersion: is missing; write apiVersion: streamjob.dev/v1alpha1\n"
	         "job.yaml:7:1: not YAML: *\n",
	         1, 1, 0},
	        {"a job of no version", "kind: StreamJob\napiVersion: v1\n" REST,
	         "job.yaml:2:13: apiVersion: this version is not known; use streamjob.dev/v1alpha1\n", 1, 1, 0},
	        {"no UTF-8", "a: b\nc: \xff\n", "job.yaml:2:1: this line is not UTF-8; save the file as UTF-8\n", 0, 0,
	         0},
	        {"anchors",
	         "apiVersion: streamjob.dev/v1alpha1\nkind: StreamJob\nmetadata: {name: &v j, labels: {app: *v}}\n"
	         "spec: {source: {stdin: {}}, columns: [{name: &a a, type: STRING}], window: {tumbling: {size: 1s}},\n"
	         "  groupBy: [*a], aggregates: [{name: k, expr: COUNT(*)}], sinks: [{stdout: {}}]}\n",
	         "", 1, 1, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct problems problems;
		struct jobspecs jobs;
		struct buffer out;
		int result;

		problems_init(&problems);
		buffer_init(&out);
		result = jobspecs_load("job.yaml", slice_of(rows[i].text), &problems, &jobs);
		buffer_append_text(&out, "");
		problems_print(&problems, &out);
		if (!lines_match(rows[i].problems, out.data) || (result == 0) != !*rows[i].problems)
			fail_msg("%s: %d\n%s", rows[i].name, result, out.data);
		if (jobs.documents != rows[i].documents || jobs.found != rows[i].found || jobs.count != rows[i].good)
			fail_msg("%s: %zu documents, %zu found, %zu good", rows[i].name, jobs.documents, jobs.found,
			         jobs.count);
		jobspecs_release(&jobs);
		problems_release(&problems);
		buffer_release(&out);
	}
}

/* All problems of all parts at once, in the order of the file. */
static void everything_at_once_test(void **state)
{
	(void)state;
	expect_problems(
	        "at once",
	        "apiVersion: streamjob.dev/v1alpha1\n"
	        "kind: StreamJob\n"
	        "metadata: {name: J}\n"
	        "spec:\n"
	        "  source: {kafka: {bootstrapServers: k, topic: t, startingOffsets: first}}\n"
	        "  columns:\n"
	        "  - {name: bucket, type: STRING}\n"
	        "  - {name: ms, type: FLOAT}\n"
	        "  filter: bucket + 1\n"
	        "  window: {tumbling: {size: 10}}\n"
	        "  groupby: [bucket]\n"
	        "  aggregates:\n"
	        "  - {name: hits, expr: COUNT(*)}\n"
	        "  - {name: p95, expr: 'PERCENTILE(ms, 0.95)'}\n"
	        "  - {name: oops, expr: SUM(nope)}\n"
	        "  sinks:\n"
	        "  - pushgateway: {url: 'http://g', job: j,\n"
	        "      metrics: [{name: hits, type: gauge, value: hit}]}\n",
	        "job.yaml:3:18: metadata.name: found \"J\"; *\n"
	        "job.yaml:5:68: spec.source.kafka.startingOffsets: unknown value \"first\"; it can be earliest or "
	        "latest\n"
	        "job.yaml:8:22: spec.columns[1].type: unknown value \"FLOAT\"; *\n"
	        "job.yaml:9:20: spec.filter: *\n"
	        "job.yaml:10:29: spec.window.tumbling.size: found the integer 10; *\n"
	        "job.yaml:11:3: spec.groupby: unknown field; did you mean groupBy?\n"
	        "job.yaml:15:28: spec.aggregates[2].expr: *\n"
	        "job.yaml:18:50: spec.sinks[0].pushgateway.metrics[0].value: hit is neither an aggregate nor a "
	        "group key; did you mean hits?\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(shape_test), cmocka_unit_test(documents_test),
	                                   cmocka_unit_test(everything_at_once_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
