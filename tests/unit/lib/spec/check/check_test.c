#include "tests/unit/lib/spec/job_case.h"

/* Problems inside of expressions, at their place. */
static void expressions_test(void **state)
{
	static const struct job_case cases[] = {
	        {"an unknown column", AVERAGE, "\"AVG(vv)\"", "job.yaml:13:26: spec.aggregates[1].expr: *\n"},
	        {"not SQL", AVERAGE, "\"AVG(v\"", "job.yaml:13:27: spec.aggregates[1].expr: *\n"},
	        {"an aggregate in the filter", KEYS, "filter: COUNT(*) > 1\n  groupBy: [bucket]",
	         "job.yaml:10:11: spec.filter: *\n"},
	        {"a filter that is no condition", KEYS, "filter: v + 1\n  groupBy: [bucket]",
	         "job.yaml:10:11: spec.filter: is a BIGINT, not a BOOLEAN; write a condition, like n > 0\n"},
	        {"having over a column that is gone", KEYS, "having: v > 1\n  groupBy: [bucket]",
	         "job.yaml:10:11: spec.having: *\n"},
	        {"a column that is no key", AVERAGE, "v", "job.yaml:13:21: spec.aggregates[1].expr: *\n"},
	        {"types that do not meet", KEYS, "filter: v = bucket\n  groupBy: [bucket]",
	         "job.yaml:10:15: spec.filter: *\n"},
	        {"single quotes with quotes inside", KEYS, "filter: 'bucket = ''a'' AND nope = 1'\n  groupBy: [bucket]",
	         "job.yaml:10:31: spec.filter: *\n"},
	        {"double quotes with escapes", KEYS, "filter: \"bucket = \\\"x\\\" OR nope = 1\"\n  groupBy: [bucket]",
	         "job.yaml:10:21: spec.filter: *\n"
	         "job.yaml:10:30: spec.filter: *\n"},
	        {"a literal block", KEYS, "filter: |\n    bucket = 'a'\n    AND nope = 1\n  groupBy: [bucket]",
	         "job.yaml:12:9: spec.filter: *\n"},
	        {"a folded block", KEYS, "filter: >-\n    bucket = 'a'\n    AND\n    nope = 1\n  groupBy: [bucket]",
	         "job.yaml:13:5: spec.filter: *\n"},
	        {"a plain text over lines", KEYS, "filter: bucket = 'a'\n    AND nope = 1\n  groupBy: [bucket]",
	         "job.yaml:11:9: spec.filter: *\n"},
	        {"an expression through an alias", KEYS, "filter: &f nope = 1\n  having: *f\n  groupBy: [bucket]",
	         "job.yaml:10:14: spec.filter: *\n"
	         "job.yaml:10:14: spec.having: *\n"},
	        {"a bad type is said once", COLUMN, "type: LONG",
	         "job.yaml:8:21: spec.columns[1].type: unknown value \"LONG\"; it can be BOOLEAN, INT, BIGINT, DOUBLE, "
	         "STRING or TIMESTAMP\n"},
	        {"a bad select is said once", KEYS,
	         "select: [{name: x, expr: nope + 1}]\n  filter: x > 1\n  groupBy: [x]",
	         "job.yaml:10:28: spec.select[0].expr: *\n"
	         "job.yaml:11:11: spec.filter: *\n"},
	        {"several at once", AVERAGE, "\"AVG(vv) + SUM(mm)\"",
	         "job.yaml:13:26: spec.aggregates[1].expr: *\n"
	         "job.yaml:13:36: spec.aggregates[1].expr: *\n"},
	        {"a Kafka column of another source", AVERAGE, "\"MAX(kafka_offset)\"",
	         "job.yaml:13:26: spec.aggregates[1].expr: *\n"},
	};

	(void)state;
	RUN_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(expressions_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
