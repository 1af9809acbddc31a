#include "tests/unit/lib/spec/job_case.h"

/* Generated columns. */
static void datagen_test(void **state)
{
	static const struct job_case cases[] = {
	        {"an undeclared column", SOURCE, "source: {datagen: {columns: {buckte: {choice: {values: [a]}}}}}",
	         "job.yaml:5:40: spec.source.datagen.columns.buckte: there is no such column; did you mean bucket?\n"},
	        {"a sequence of strings", SOURCE, "source: {datagen: {columns: {bucket: {sequence: {}}}}}",
	         "job.yaml:5:51: spec.source.datagen.columns.bucket.sequence: sequence does not make a STRING, which "
	         "column bucket is; use choice, or declare the column as INT, BIGINT, DOUBLE or TIMESTAMP\n"},
	        {"now in a number", SOURCE, "source: {datagen: {columns: {v: {now: {}}}}}",
	         "job.yaml:5:41: spec.source.datagen.columns.v.now: now does not make a BIGINT, which column v is; use "
	         "choice, or declare the column as TIMESTAMP\n"},
	        {"a choice of no number", SOURCE,
	         "source: {datagen: {columns: {v: {choice: {values: [\"1\", \"x\"]}}}}}",
	         "job.yaml:5:59: spec.source.datagen.columns.v.choice.values[1]: \"x\" is not a BIGINT; give a value "
	         "of the column's type as JSON writes it\n"},
	        {"a number in a choice", SOURCE, "source: {datagen: {columns: {v: {choice: {values: [1]}}}}}",
	         "job.yaml:5:54: spec.source.datagen.columns.v.choice.values[0]: found the integer 1; expected a "
	         "string: quote it, \"1\"\n"},
	        {"a column that is a boolean to kubectl", SOURCE, "source: {datagen: {columns: {y: {sequence: {}}}}}",
	         "job.yaml:5:32: spec.source.datagen.columns.y: found the boolean y; a name is a string: quote it, "
	         "\"y\"\n"},
	        {"a bad column name", SOURCE, "source: {datagen: {columns: {\"a b\": {sequence: {}}}}}",
	         "job.yaml:5:32: spec.source.datagen.columns[\"a b\"]: found \"a b\"; expected a name: letters, digits "
	         "and _, not beginning with a digit\n"},
	};

	(void)state;
	RUN_CASES(cases);
}

static void values_test(void **state)
{
	static const struct {
		const char *type, *value;
		bool good;
	} rows[] = {
	        {"STRING", "anything", true},
	        {"BOOLEAN", "true", true},
	        {"BOOLEAN", "yes", false},
	        {"INT", "2147483647", true},
	        {"INT", "-2147483648", true},
	        {"INT", "2147483648", false},
	        {"BIGINT", "9223372036854775807", true},
	        {"BIGINT", "9223372036854775808", false},
	        {"BIGINT", "0", true},
	        {"BIGINT", "007", false},
	        {"BIGINT", "+5", false},
	        {"BIGINT", "1.0", false},
	        {"BIGINT", "", false},
	        {"BIGINT", "-", false},
	        {"DOUBLE", "-0.5e-3", true},
	        {"DOUBLE", "1E+6", true},
	        {"DOUBLE", ".5", false},
	        {"DOUBLE", "5.", false},
	        {"DOUBLE", "1e", false},
	        {"DOUBLE", "1e999", false},
	        {"DOUBLE", "NaN", false},
	        {"TIMESTAMP", "1760000000000", true},
	        {"TIMESTAMP", "2026-11-24", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[1024], *found;

		snprintf(text, sizeof(text),
		         "apiVersion: streamjob.dev/v1alpha1\nkind: StreamJob\nmetadata: {name: j}\nspec:\n"
		         "  source: {datagen: {columns: {v: {choice: {values: ['%s']}}}}}\n"
		         "  columns: [{name: v, type: %s}]\n"
		         "  window: {tumbling: {size: 1s}}\n"
		         "  aggregates: [{name: k, expr: COUNT(*)}]\n"
		         "  sinks: [{stdout: {}}]\n",
		         rows[i].value, rows[i].type);
		found = problems_of(slice_of(text));
		if (rows[i].good ? *found != '\0'
		                 : !strstr(found, "job.yaml:5:54: spec.source.datagen.columns.v.choice.values[0]: \""))
			fail_msg("%s \"%s\": %s", rows[i].type, rows[i].value, found);
		free(found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(datagen_test), cmocka_unit_test(values_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
