#include "tests/unit/lib/spec/job_case.h"

/* Each name is one thing. */
static void names_test(void **state)
{
	static const struct job_case cases[] = {
	        {"a column twice", "name: v,", "name: bucket,",
	         "job.yaml:8:12: spec.columns[1].name: bucket is the name of spec.columns[0] already; choose another "
	         "name\n"
	         "job.yaml:13:26: spec.aggregates[1].expr: *\n"},
	        {"a select like a column", KEYS, "groupBy: [bucket]\n  select: [{name: v, expr: \"v + 1\"}]",
	         "job.yaml:11:19: spec.select[0].name: v is the name of spec.columns[1] already; choose another "
	         "name\n"},
	        {"a column of the result", "name: v,", "name: window_start,",
	         "job.yaml:8:12: spec.columns[1].name: window_start is in every result row already; choose another "
	         "name\n"
	         "job.yaml:13:26: spec.aggregates[1].expr: *\n"},
	        {"Kafka's own", "name: v,", "name: kafka_key,",
	         "job.yaml:8:12: spec.columns[1].name: names that begin with kafka_ are the Kafka source's own; choose "
	         "another name\n"
	         "job.yaml:13:26: spec.aggregates[1].expr: *\n"},
	        {"an aggregate twice", "name: m,", "name: c,",
	         "job.yaml:13:12: spec.aggregates[1].name: c is the name of spec.aggregates[0] already; choose another "
	         "name\n"},
	        {"an aggregate like a key", "name: m,", "name: bucket,",
	         "job.yaml:13:12: spec.aggregates[1].name: bucket is a group key; choose another name\n"},
	        {"an aggregate named window_end", "name: m,", "name: window_end,",
	         "job.yaml:13:12: spec.aggregates[1].name: window_end is in every result row already; choose another "
	         "name\n"},
	        {"an unknown key", KEYS, "groupBy: [bukcet]",
	         "job.yaml:10:13: spec.groupBy[0]: there is no such column; did you mean bucket?\n"},
	        {"a key twice", KEYS, "groupBy: [bucket, bucket]",
	         "job.yaml:10:21: spec.groupBy[1]: is there twice; keep one\n"},
	};

	(void)state;
	RUN_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
