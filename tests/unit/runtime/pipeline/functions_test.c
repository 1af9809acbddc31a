/* Every kind of user function between a scripted source and sink: what it is called with, and what becomes of it. */
#include <inttypes.h>
#include <jansson.h>

#include "runtime/pipeline/status_page.h"
#include "tests/unit/runtime/pipeline/scripted_run.h"

#define WINDOW "  window: {tumbling: {size: 1d}}\n"
#define SCALAR "  - {name: twice, kind: scalar, entrypoint: 'm:f', returns: [{name: r, type: BIGINT}]%s}\n"
#define TABLE                                                                                                          \
	"  - {name: few, kind: table, entrypoint: 'm:f', returns: [{name: a, type: BIGINT}, {name: b, type: "          \
	"BIGINT}]}\n"
#define TOP                                                                                                            \
	"  - {name: top2, kind: tableAggregate, entrypoint: 'm:f', returns: [{name: a, type: BIGINT}, {name: b, "      \
	"type: BIGINT}]}\n"
#define AGGREGATE "  - {name: total, kind: aggregate, entrypoint: 'm:f', returns: [{name: r, type: BIGINT}]}\n"
#define LONELY    "  - {name: lonely, kind: aggregate, entrypoint: 'm:f', returns: [{name: r, type: BIGINT}]}\n"

static void results_test(void **state)
{
	static const struct {
		const char *name, *spec;
		size_t partitions;
		unsigned lanes;
		int64_t rows;
		const char *expected;
	} rows[] = {
	        {"a scalar everywhere",
	         "  functions:\n" SCALAR "  filter: twice(v) < 12\n  select: [{name: w, expr: twice(v) + 1}]\n"
	         "  aggregates: [{name: s, expr: SUM(w)}, {name: m, expr: MAX(twice(v)) FILTER (WHERE twice(v) > 2)}, "
	         "{name: o, expr: twice(COUNT(*)) + 1}]\n  having: twice(s) > 10\n",
	         1, 1, 100, "\"s\":36,\"m\":10,\"o\":13}\n"},
	        {"a branch that is not taken is not called",
	         "  functions:\n" SCALAR "  select: [{name: w, expr: CASE WHEN v > 1 THEN 0 ELSE twice(v) END}]\n"
	         "  aggregates: [{name: s, expr: SUM(w)}]\n",
	         1, 1, 10, "\"s\":2}\n"},
	        {"two calls of one aggregate, with FILTER and in an expression",
	         "  functions:\n" AGGREGATE "  groupBy: [k]\n"
	         "  aggregates: [{name: a, expr: total(v) FILTER (WHERE v > 3) + total(v) * 1000}]\n",
	         1, 1, 9, "\"k\":\"k0\",\"a\":9006}\n\"k\":\"k1\",\"a\":12011}\n\"k\":\"k2\",\"a\":15013}\n"},
	        {"a table aggregate with values beside it, over lanes",
	         "  functions:\n" TOP AGGREGATE "  groupBy: [k]\n"
	         "  aggregates: [{columns: [value, rank], expr: top2(v)}, {name: c, expr: COUNT(*)}, {name: s, expr: "
	         "total(v)}]\n",
	         4, 4, 6,
	         "\"k\":\"k0\",\"value\":3,\"rank\":1,\"c\":8,\"s\":12}\n"
	         "\"k\":\"k0\",\"value\":3,\"rank\":2,\"c\":8,\"s\":12}\n"
	         "\"k\":\"k1\",\"value\":4,\"rank\":1,\"c\":8,\"s\":20}\n"
	         "\"k\":\"k1\",\"value\":4,\"rank\":2,\"c\":8,\"s\":20}\n"
	         "\"k\":\"k2\",\"value\":5,\"rank\":1,\"c\":8,\"s\":28}\n"
	         "\"k\":\"k2\",\"value\":5,\"rank\":2,\"c\":8,\"s\":28}\n"},
	        {"having over its rows",
	         "  functions:\n" TOP "  groupBy: [k]\n"
	         "  aggregates: [{columns: [value, rank], expr: top2(v)}]\n  having: rank = 2 AND value > 1\n",
	         1, 1, 9,
	         "\"k\":\"k0\",\"value\":3,\"rank\":2}\n\"k\":\"k1\",\"value\":4,\"rank\":2}\n\"k\":\"k2\",\"value\":5,"
	         "\"rank\":2}\n"},
	        {"no row at all",
	         "  functions:\n" TOP "  aggregates: [{columns: [value, rank], expr: top2(v) FILTER (WHERE v > 99)}]\n",
	         1, 1, 9, ""},
	        {"lateral, inner",
	         "  functions:\n" TABLE "  lateral: [{expr: few(v), columns: [a, b]}]\n  groupBy: [k]\n"
	         "  aggregates: [{name: c, expr: COUNT(*)}, {name: s, expr: SUM(a)}, {name: m, expr: MAX(b)}]\n",
	         1, 1, 6, "\"k\":\"k1\",\"c\":2,\"s\":5,\"m\":0}\n\"k\":\"k2\",\"c\":4,\"s\":14,\"m\":1}\n"},
	        {"lateral, left, keyed by its column",
	         "  functions:\n" TABLE "  lateral: [{expr: few(v), columns: [a, b], join: left}]\n  groupBy: [b]\n"
	         "  aggregates: [{name: c, expr: COUNT(*)}, {name: s, expr: SUM(v)}]\n",
	         1, 1, 6, "\"b\":null,\"c\":2,\"s\":3}\n\"b\":0,\"c\":4,\"s\":12}\n\"b\":1,\"c\":2,\"s\":7}\n"},
	        {"lateral of lateral, and an aggregate of the user's over it",
	         "  functions:\n" TABLE AGGREGATE
	         "  lateral: [{expr: few(v), columns: [a, b]}, {expr: few(a + b), columns: [x, z]}]\n"
	         "  aggregates: [{name: c, expr: COUNT(*)}, {name: s, expr: total(x)}]\n",
	         1, 1, 6, "\"c\":6,\"s\":19}\n"},
	        {"lateral of more rows than a batch holds",
	         "  functions:\n" TABLE "  lateral: [{expr: few(v), columns: [a, b]}]\n"
	         "  aggregates: [{name: c, expr: COUNT(*)}, {name: s, expr: SUM(a)}]\n",
	         1, 1, 9000, "\"c\":9000,\"s\":40501500}\n"},
	        {"arguments that fail are bad rows",
	         "  functions:\n" TABLE "  lateral: [{expr: few(10 / (v - 3)), columns: [a, b]}]\n"
	         "  aggregates: [{name: c, expr: COUNT(*)}]\n",
	         1, 1, 6, "\"c\":3}\n"},
	        {"an aggregate without merge has one lane",
	         "  functions:\n" LONELY "  aggregates: [{name: s, expr: lonely(v)}]\n", 4, 4, 10, "\"s\":180}\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scripted_run *run;
		struct buffer spec;

		buffer_init(&spec);
		buffer_printf(&spec, WINDOW);
		buffer_printf(&spec, rows[i].spec, "");
		run = scripted_on_rows(rows[i].name, spec.data, rows[i].partitions, rows[i].rows, rows[i].lanes);
		if (rows[i].rows > 1024)
			run->rows.batch = BATCH_ROWS_MAX;
		scripted_run(run);
		if (run->outcome)
			fail_msg("%s: %s", rows[i].name, run->error.text);
		if (strcmp(run->sink.rows.data, rows[i].expected) != 0)
			fail_msg("%s: expected\n%sfound\n%s", rows[i].name, rows[i].expected, run->sink.rows.data);
		assert_int_equal(run->rows.rewinds, 0);
		scripted_free(run);
		assert_int_equal(worker_script.starts, worker_script.stops);
		buffer_release(&spec);
	}
}

/* A branch that is not taken may hold what would kill the worker. */
static void selection_test(void **state)
{
	struct scripted_run *run = scripted_on_rows(
	        "selection",
	        WINDOW "  functions:\n"
	               "  - {name: twice, kind: scalar, entrypoint: 'm:f', returns: [{name: r, type: BIGINT}]}\n"
	               "  filter: v <> 5 AND twice(v) >= 0\n"
	               "  aggregates: [{name: s, expr: SUM(CASE WHEN v = 6 THEN 0 ELSE twice(v) END)}]\n",
	        1, 10, 1);

	(void)state;
	worker_script.poison = 5;
	scripted_run(run);
	assert_int_equal(run->outcome, 0);
	assert_int_equal(run->rows.rewinds, 0);
	assert_string_equal(run->sink.rows.data, "\"s\":68}\n");
	scripted_free(run);
}

static void scalar_exceptions_test(void **state)
{
	static const struct {
		const char *name, *policy, *expected;
		size_t letters;
	} rows[] = {
	        {"null", "onError: 'null'", "\"c\":10,\"s\":76}\n", 0},
	        {"skip", "onError: skip", "\"c\":9,\"s\":76}\n", 0},
	        {"deadLetter", "onError: deadLetter", "\"c\":9,\"s\":76}\n", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scripted_run *run;
		struct buffer spec;

		buffer_init(&spec);
		buffer_printf(&spec,
		              WINDOW
		              "  functions:\n  - {name: twice, kind: scalar, entrypoint: 'm:f', returns: [{name: r, "
		              "type: BIGINT}], %s}\n  deadLetter: {file: {path: d}}\n"
		              "  select: [{name: w, expr: twice(v)}]\n"
		              "  aggregates: [{name: c, expr: COUNT(*)}, {name: s, expr: SUM(w)}]\n",
		              rows[i].policy);
		run = scripted_on_rows(rows[i].name, spec.data, 1, 10, 1);
		worker_script.raises = 7;
		scripted_run(run);
		if (run->outcome || strcmp(run->sink.rows.data, rows[i].expected) != 0)
			fail_msg("%s: %d, %s", rows[i].name, run->outcome, run->sink.rows.data);
		assert_int_equal(run->letters.count, rows[i].letters);
		if (rows[i].letters)
			assert_string_equal(run->letters.reason, "function twice, eval: ValueError: scripted");
		scripted_free(run);
		buffer_release(&spec);
	}
}

/* A worker's answer is gone with its next call, and the lane goes on calling while a window fires. */
static void answers_test(void **state)
{
	struct scripted_run *run = scripted_on_rows("answers",
	                                            "  window: {tumbling: {size: 100ms}}\n  functions:\n" TOP
	                                            "  aggregates: [{columns: [value, rank], expr: top2(v)}]\n",
	                                            1, 6000, 1);
	int64_t window = 0, value;
	int rank;

	(void)state;
	run->options.clock_column = "t";
	run->rows.batch = 10;
	scripted_run(run);
	assert_int_equal(run->outcome, 0);
	for (const char *line = run->sink.rows.data; *line; line = strchr(line, '\n') + 1) {
		if (sscanf(line, "\"value\":%" SCNd64 ",\"rank\":%d", &value, &rank) != 2 ||
		    value != window * 100 + 100 - rank)
			fail_msg("window %d: %.40s", (int)window, line);
		window += rank == 2;
	}
	assert_int_equal(window, 60);
	scripted_free(run);
}

static void status_test(void **state)
{
	struct scripted_run *run =
	        scripted_on_rows("status",
	                         WINDOW "  functions:\n" AGGREGATE "  deadLetter: {file: {path: d}}\n"
	                                "  aggregates: [{name: s, expr: total(v)}]\n",
	                         1, 100, 1);
	json_t *root, *function, *error;
	struct buffer page;

	(void)state;
	worker_script.poison = 50;
	scripted_run(run);
	assert_int_equal(run->outcome, 0);
	buffer_init(&page);
	status_page_status(&run->status, &page);
	root = json_loads(page.data, 0, NULL);
	function = json_array_get(json_object_get(root, "functions"), 0);
	error = json_object_get(function, "lastError");
	assert_string_equal(json_string_value(json_object_get(function, "name")), "total");
	assert_string_equal(json_string_value(json_object_get(function, "kind")), "aggregate");
	assert_true(json_is_true(json_object_get(function, "healthy")));
	assert_int_equal(json_integer_value(json_object_get(function, "restarts")), 2);
	assert_int_equal(json_integer_value(json_object_get(function, "poisonRows")), 1);
	assert_string_equal(json_string_value(json_object_get(error, "method")), "accumulate");
	assert_string_equal(json_string_value(json_object_get(error, "reason")), "timeout");
	assert_string_equal(json_string_value(json_object_get(error, "message")), "scripted timeout in accumulate");
	assert_non_null(json_object_get(error, "at"));
	json_decref(root);
	buffer_clear(&page);
	status_page_metrics(&run->status, &page);
	assert_non_null(strstr(page.data, "streamjob_function_up{function=\"total\"} 1\n"));
	assert_non_null(strstr(page.data, "streamjob_function_restarts_total{function=\"total\"} 2\n"));
	assert_non_null(strstr(page.data, "streamjob_function_poison_rows_total{function=\"total\"} 1\n"));
	buffer_release(&page);
	scripted_free(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(results_test), cmocka_unit_test(selection_test),
	                                   cmocka_unit_test(scalar_exceptions_test), cmocka_unit_test(answers_test),
	                                   cmocka_unit_test(status_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
