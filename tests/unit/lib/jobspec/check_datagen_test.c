#include "tests/unit/lib/jobspec/job_case.h"

/* Generated columns. */
static void datagen_test(void **state)
{
	static const struct job_case cases[] = {
	        {"an undeclared column", SOURCE, "source: {datagen: {columns: {buckte: {choice: {values: [a]}}}}}",
	         "job.yaml:5:40: spec.source.datagen.columns.buckte: there is no such column; did you mean bucket?\n"},
	        {"a sequence of strings", SOURCE, "source: {datagen: {columns: {bucket: {sequence: {}}}}}",
	         "job.yaml:5:51: spec.source.datagen.columns.bucket.sequence: sequence does not make a STRING, which "
	         "column bucket is; use choice, or declare the column as INT, BIGINT or DOUBLE\n"},
	        {"now in a number", SOURCE, "source: {datagen: {columns: {n: {now: {}}}}}",
	         "job.yaml:5:41: spec.source.datagen.columns.n.now: now does not make a BIGINT, which column n is; use "
	         "choice, or declare the column as TIMESTAMP\n"},
	        {"a choice of no number", SOURCE,
	         "source: {datagen: {columns: {n: {choice: {values: [\"1\", \"x\"]}}}}}",
	         "job.yaml:5:59: spec.source.datagen.columns.n.choice.values[1]: \"x\" is not a BIGINT; give a value "
	         "that reads as the column's type\n"},
	        {"a number in a choice", SOURCE, "source: {datagen: {columns: {n: {choice: {values: [1]}}}}}",
	         "job.yaml:5:54: spec.source.datagen.columns.n.choice.values[0]: found the integer 1; expected a "
	         "string: quote it, \"1\"\n"},
	        {"a bad column name", SOURCE, "source: {datagen: {columns: {\"a b\": {sequence: {}}}}}",
	         "job.yaml:5:32: spec.source.datagen.columns[\"a b\"]: found \"a b\"; expected a name: letters, digits "
	         "and _, not beginning with a digit\n"},
	};

	(void)state;
	RUN_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(datagen_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
