/* Aggregate expressions: their calls, their types, and what may stand where. */
#include "lib/expr/aggregate_expr.h"
#include "tests/unit/lib/expr/expr_case.h"

static const struct schema_column key_columns[] = {{"s", TYPE_STRING}, {"i", TYPE_INT}};
static const struct schema keys = {key_columns, COUNT(key_columns)};

/* "TYPE = KIND(ARGUMENT) RESULT 'TEXT' …", or the problems. */
static void render(struct buffer *out, const char *text)
{
	struct aggregate_expr *expr = aggregate_expr_compile(slice_of(text), &case_schema, &keys,
	                                                     &(struct expr_problems){case_add_problem, out});

	if (!expr)
		return;
	buffer_append_text(out, type_name(program_type(expr->output)));
	for (size_t i = 0; i < expr->calls_count; i++) {
		const struct aggregate_call *call = &expr->calls[i];

		buffer_printf(out, "; %s %s -> %s \"%s\"", aggregate_entry(call->kind)->id,
		              type_name(call->argument_type), type_name(call->result_type), call->text);
		if (call->parameter != 0)
			buffer_printf(out, " %g", call->parameter);
		if (call->filter)
			buffer_append_text(out, " filtered");
		assert_int_equal(call->arguments_count, call->kind != AGGREGATE_COUNT_ROWS);
	}
	aggregate_expr_free(expr);
}

#define NUMBER     "; use a number, or CAST\n"
#define NO_NESTING " may not stand here; aggregates stand in spec.aggregates, and not inside one another\n"
#define FRACTION                                                                                                       \
	"14: the second argument of PERCENTILE must be a constant from 0 to 1; write a number from 0 to 1, such as "   \
	"0.95\n"
#define NONE                                                                                                           \
	"0: there is no aggregate in this expression; write an aggregate such as COUNT(*); a plain column belongs "    \
	"into groupBy\n"
#define NOT_A_KEY "the column \"l\" is not a group key; aggregate it, as in MAX(…), or add it to groupBy\n"

static void table_test(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
	        {"COUNT(*)", "BIGINT; COUNT_ROWS NULL -> BIGINT \"COUNT(*)\""},
	        {"count( * )", "BIGINT; COUNT_ROWS NULL -> BIGINT \"count( * )\""},
	        {"COUNT(s)", "BIGINT; COUNT STRING -> BIGINT \"COUNT(s)\""},
	        {"COUNT(DISTINCT d)", "BIGINT; COUNT_DISTINCT DOUBLE -> BIGINT \"COUNT(DISTINCT d)\""},
	        {"SUM(i)", "BIGINT; SUM INT -> BIGINT \"SUM(i)\""},
	        {"SUM(l)", "BIGINT; SUM BIGINT -> BIGINT \"SUM(l)\""},
	        {"SUM(d)", "DOUBLE; SUM DOUBLE -> DOUBLE \"SUM(d)\""},
	        {"AVG(i)", "DOUBLE; AVG INT -> DOUBLE \"AVG(i)\""},
	        {"STDDEV_POP(i)", "DOUBLE; STDDEV_POP INT -> DOUBLE \"STDDEV_POP(i)\""},
	        {"BOOL_AND(i > 1)", "BOOLEAN; BOOL_AND BOOLEAN -> BOOLEAN \"BOOL_AND(i > 1)\""},
	        {"NOT bool_and(DISTINCT b)", "BOOLEAN; BOOL_AND BOOLEAN -> BOOLEAN \"bool_and(DISTINCT b)\""},
	        {"BOOL_AND(NULL)", "BOOLEAN; BOOL_AND BOOLEAN -> BOOLEAN \"BOOL_AND(NULL)\""},
	        {"MIN(s)", "STRING; MIN STRING -> STRING \"MIN(s)\""},
	        {"MAX(t)", "TIMESTAMP; MAX TIMESTAMP -> TIMESTAMP \"MAX(t)\""},
	        {"MIN(DISTINCT i)", "INT; MIN INT -> INT \"MIN(DISTINCT i)\""},
	        {"PERCENTILE(i, 0.95)", "DOUBLE; PERCENTILE INT -> DOUBLE \"PERCENTILE(i, 0.95)\" 0.95"},
	        {"PERCENTILE(d, 1)", "DOUBLE; PERCENTILE DOUBLE -> DOUBLE \"PERCENTILE(d, 1)\" 1"},
	        {"PERCENTILE(d, 0.5 + 0.25)", "DOUBLE; PERCENTILE DOUBLE -> DOUBLE \"PERCENTILE(d, 0.5 + 0.25)\" 0.75"},
	        {"COUNT(*) FILTER (WHERE s = 'click')",
	         "BIGINT; COUNT_ROWS NULL -> BIGINT \"COUNT(*) FILTER (WHERE s = 'click')\" filtered"},
	        {"COUNT(*) filter(where s = ')') * 2",
	         "BIGINT; COUNT_ROWS NULL -> BIGINT \"COUNT(*) filter(where s = ')')\" filtered"},
	        {"COUNT(s = 'it''s )') + 1", "BIGINT; COUNT BOOLEAN -> BIGINT \"COUNT(s = 'it''s )')\""},
	        {"SUM(l) / COUNT(*)",
	         "BIGINT; SUM BIGINT -> BIGINT \"SUM(l)\"; COUNT_ROWS NULL -> BIGINT \"COUNT(*)\""},
	        {"SUM(l) * 100.0 / COUNT(*) FILTER (WHERE b)",
	         "DOUBLE; SUM BIGINT -> BIGINT \"SUM(l)\"; COUNT_ROWS NULL "
	         "-> BIGINT \"COUNT(*) FILTER (WHERE b)\" filtered"},
	        {"SUM(CASE WHEN s = 'a' THEN 1 ELSE 0 END)",
	         "BIGINT; SUM INT -> BIGINT \"SUM(CASE WHEN s = 'a' THEN 1 ELSE 0 END)\""},
	        {"COALESCE(MAX(s), 'none')", "STRING; MAX STRING -> STRING \"MAX(s)\""},
	        {"s || COUNT(*)", "STRING; COUNT_ROWS NULL -> BIGINT \"COUNT(*)\""},
	        {"i + COUNT(*)", "BIGINT; COUNT_ROWS NULL -> BIGINT \"COUNT(*)\""},
	        {"COUNT(*) > 1", "BOOLEAN; COUNT_ROWS NULL -> BIGINT \"COUNT(*)\""},
	        {"s", NONE},
	        {"1 + 1", NONE},
	        {"l", "0: " NOT_A_KEY},
	        {"l + COUNT(*)", "0: " NOT_A_KEY},
	        {"COUNT(*) > l", "11: " NOT_A_KEY},
	        {"x + COUNT(*)", "0: there is no column \"x\"; columns are s, i\n"},
	        {"SUM(x) + SUM(y)", "4: there is no column \"x\"; columns are b, i, l, d, s, t, Upper\n"
	                            "13: there is no column \"y\"; columns are b, i, l, d, s, t, Upper\n"},
	        {"SUM(s)", "0: sum does not take type STRING" NUMBER},
	        {"SUM(b)", "0: sum does not take type BOOLEAN" NUMBER},
	        {"AVG(t)", "0: avg does not take type TIMESTAMP" NUMBER},
	        {"PERCENTILE(s, 0.5)", "0: percentile does not take type STRING" NUMBER},
	        {"STDDEV_POP(s)", "0: stddev_pop does not take type STRING" NUMBER},
	        {"STDDEV_POP(DISTINCT d)",
	         "0: stddev_pop(DISTINCT …) is not supported; COUNT(DISTINCT x) is supported\n"},
	        {"MIN(b)", "0: min does not take type BOOLEAN; use COUNT(*) FILTER (WHERE …)\n"},
	        {"SUM(DISTINCT i)", "0: sum(DISTINCT …) is not supported; COUNT(DISTINCT x) is supported\n"},
	        {"PERCENTILE(d, 1.5)", FRACTION},
	        {"PERCENTILE(d, -0.1)", FRACTION},
	        {"PERCENTILE(d, NULL)", FRACTION},
	        {"PERCENTILE(d, d)", FRACTION},
	        {"PERCENTILE(d)", "0: percentile does not take 1 argument; write PERCENTILE(number, fraction)\n"},
	        {"PERCENTILE(*)", "0: percentile(*) has no meaning; name the column\n"},
	        {"SUM(*)", "0: sum(*) has no meaning; name the column\n"},
	        {"COUNT()", "0: count does not take 0 arguments; give it one argument\n"},
	        {"COUNT(i, l)", "0: count does not take 2 arguments; give it one argument\n"},
	        {"SUM(SUM(i))", "4: the aggregate sum" NO_NESTING},
	        {"SUM(i + COUNT(*))", "8: the aggregate count" NO_NESTING},
	        {"COUNT(*) FILTER (WHERE COUNT(*) > 1)", "23: the aggregate count" NO_NESTING},
	        {"COUNT(*) FILTER (WHERE i)",
	         "23: FILTER (WHERE …) needs type BOOLEAN, this has type INT; use a value of that type, or CAST\n"},
	        {"COUNT(i ORDER BY l)", "0: ORDER BY inside an aggregate is not supported; leave it out\n"},
	        {"COUNT(*) OVER ()", "0: OVER and VARIADIC are not supported; aggregate over the job's window\n"},
	        {"COUNT(*) =", "10: syntax error at end of input; write one SQL expression\n"},
	};

	(void)state;
	for (size_t c = 0; c < COUNT(cases); c++) {
		struct buffer out;

		buffer_init(&out);
		render(&out, cases[c].text);
		if (strcmp(out.data, cases[c].expected) != 0)
			fail_msg("%s\nfound    %s\nexpected %s", cases[c].text, out.data, cases[c].expected);
		buffer_release(&out);
	}
	aggregate_expr_free(NULL);
}

static void most_calls_test(void **state)
{
	struct buffer text, out;

	(void)state;
	buffer_init(&text);
	buffer_init(&out);
	buffer_append_text(&text, "COUNT(*)");
	for (int i = 1; i < 64; i++)
		buffer_append_text(&text, "+COUNT(*)");
	render(&out, text.data);
	assert_memory_equal(out.data, "BIGINT;", 7);
	buffer_clear(&out);
	buffer_append_text(&text, "+COUNT(*)");
	render(&out, text.data);
	assert_string_equal(out.data, "576: more than 64 aggregate calls in one expression; split it\n");
	buffer_release(&text);
	buffer_release(&out);
}

/* The output program reads the keys first, then the calls in the order of the text. */
static void output_test(void **state)
{
	struct aggregate_expr *expr = aggregate_expr_compile(SLICE_LITERAL("s || SUM(l) / (COUNT(*) - i)"),
	                                                     &case_schema, &keys, &(struct expr_problems){0});
	static const struct schema_column columns[] = {
	        {"s", TYPE_STRING}, {"i", TYPE_INT}, {"0", TYPE_BIGINT}, {"1", TYPE_BIGINT}};
	struct schema schema = {columns, COUNT(columns)};
	struct row_failures *failures = calloc(1, sizeof(*failures));
	uint32_t rows[] = {0, 1};
	const struct column *result;
	struct batch batch;

	(void)state;
	assert_non_null(expr);
	batch_init(&batch, &schema, NULL, 2);
	for (uint32_t row = 0; row < 2; row++) {
		column_set(&batch.columns[0], row, (struct value){TYPE_STRING, false, {.string = SLICE_LITERAL("k")}});
		column_set(&batch.columns[1], row, (struct value){TYPE_INT, false, {.bigint = 2}});
		column_set(&batch.columns[2], row, (struct value){TYPE_BIGINT, false, {.bigint = 100}});
		column_set(&batch.columns[3], row, (struct value){TYPE_BIGINT, false, {.bigint = row ? 2 : 12}});
	}
	result = program_run(expr->output, &batch, rows, 2, failures);
	assert_true(slice_equal(column_value(result, 0).string, SLICE_LITERAL("k10")));
	assert_true(column_value(result, 1).null);
	assert_int_equal(failures->count, 1);
	assert_string_equal(failures->reasons[0], "division by zero");
	batch_release(&batch);
	aggregate_expr_free(expr);
	free(failures);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(table_test),
	        cmocka_unit_test(most_calls_test),
	        cmocka_unit_test(output_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
