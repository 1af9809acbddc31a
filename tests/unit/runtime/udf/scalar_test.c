/* Scalar and table functions: each type there and back, NULLs, rows of results, failures of single rows. */
#include "tests/unit/runtime/udf/worker_case.h"

static const struct {
	const char *name;
	enum type type;
	const char *body; /* of eval(self, x) */
	struct value in, out;
} types[] = {
        {"boolean", TYPE_BOOLEAN, "not x if type(x) is bool else None", {.boolean = true}, {.boolean = false}},
        {"int", TYPE_INT, "x + 1", {.bigint = 41}, {.bigint = 42}},
        {"int, least", TYPE_INT, "x", {.bigint = INT32_MIN}, {.bigint = INT32_MIN}},
        {"bigint", TYPE_BIGINT, "x - 1", {.bigint = INT64_MAX}, {.bigint = INT64_MAX - 1}},
        {"bigint, least", TYPE_BIGINT, "x", {.bigint = INT64_MIN}, {.bigint = INT64_MIN}},
        {"double", TYPE_DOUBLE, "x / 2", {.real = 0.5}, {.real = 0.25}},
        {"double from an int", TYPE_DOUBLE, "int(x)", {.real = 3}, {.real = 3}},
        {"string",
         TYPE_STRING,
         "x[::-1]",
         {.string = {"abc\xc3\xa9", 5}},
         {.string = {"\xc3\xa9"
                     "cba",
                     5}}},
        {"string, long",
         TYPE_STRING,
         "x[::-1][:5] if x.isascii() and len(x) == 68 else None",
         {.string = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaZyx0123", 68}},
         {.string = {"3210x", 5}}},
        {"string, long, not ASCII in its last word",
         TYPE_STRING,
         "x[-2:] if len(x) == 67 else None",
         {.string = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa9", 68}},
         {.string = {"a\xc3\xa9", 3}}},
        {"string, long, not ASCII at its begin",
         TYPE_STRING,
         "x[:2] if len(x) == 67 else None",
         {.string = {"\xc3\xa9"
                     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                     68}},
         {.string = {"\xc3\xa9"
                     "a",
                     3}}},
        {"string, empty", TYPE_STRING, "x", {.string = {"", 0}}, {.string = {"", 0}}},
        {"string with NUL", TYPE_STRING, "x + '\\0'", {.string = {"a\0b", 3}}, {.string = {"a\0b\0", 4}}},
        {"timestamp",
         TYPE_TIMESTAMP,
         "x.replace(year=x.year + 1)",
         {.bigint = 1700000000123},
         {.bigint = 1731622400123}},
        {"timestamp before 1970", TYPE_TIMESTAMP, "x", {.bigint = -1}, {.bigint = -1}},
        {"timestamp, first", TYPE_TIMESTAMP, "x", {.bigint = -62135596800000}, {.bigint = -62135596800000}},
        {"NULL in", TYPE_BIGINT, "7 if x is None else 0", {.null = true}, {.bigint = 7}},
        {"NULL out", TYPE_BIGINT, "None", {.bigint = 7}, {.null = true}},
};

static void each_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		char code[512];
		struct column in, out;
		const struct column *columns[] = {&in};
		const uint32_t row = 3;
		struct udf_arguments arguments = {columns, 1, &row, 1};
		struct function_spec spec = case_function(FUNCTION_SCALAR, "m:F", code);
		struct udf_worker *worker;
		struct value value = types[i].in, got;

		snprintf(code, sizeof(code),
		         "from streamjob import ScalarFunction, DataTypes, udf\n"
		         "class E(ScalarFunction):\n"
		         "    def eval(self, x):\n"
		         "        return %s\n"
		         "F = udf(E(), result_type=DataTypes.%s)\n",
		         types[i].body,
		         types[i].type == TYPE_TIMESTAMP ? "TIMESTAMP(3)"
		         : types[i].type == TYPE_STRING  ? "STRING()"
		         : types[i].type == TYPE_BOOLEAN ? "BOOLEAN()"
		         : types[i].type == TYPE_INT     ? "INT()"
		         : types[i].type == TYPE_BIGINT  ? "BIGINT()"
		                                         : "DOUBLE()");
		column_init(&in, types[i].type, 8);
		column_init(&out, types[i].type, 8);
		value.type = types[i].type;
		column_set(&in, row, value);
		worker = case_start(&spec, NULL);
		case_alive(udf_eval(worker, &arguments, &out, &case_failures, &case_failure));
		got = column_value(&out, row);
		if (got.null != types[i].out.null)
			fail_msg("%s: NULL is %d", types[i].name, got.null);
		if (!got.null && types[i].type == TYPE_STRING && !slice_equal(got.string, types[i].out.string))
			fail_msg("%s: \"%.*s\"", types[i].name, SLICE_ARG(got.string));
		if (!got.null && types[i].type == TYPE_DOUBLE && got.real != types[i].out.real)
			fail_msg("%s: %g", types[i].name, got.real);
		if (!got.null && types[i].type == TYPE_BOOLEAN && got.boolean != types[i].out.boolean)
			fail_msg("%s: %d", types[i].name, got.boolean);
		if (!got.null &&
		    (types[i].type == TYPE_INT || types[i].type == TYPE_BIGINT || types[i].type == TYPE_TIMESTAMP) &&
		    got.bigint != types[i].out.bigint)
			fail_msg("%s: %lld", types[i].name, (long long)got.bigint);
		assert_int_equal(udf_stop(worker, &case_failure), 0);
		column_release(&in);
		column_release(&out);
	}
}

static const char divide[] = "from pyflink.table import DataTypes\n"
                             "from pyflink.table.udf import udf\n"
                             "@udf(result_type=DataTypes.BIGINT())\n"
                             "def divide(a, b):\n"
                             "    return a // b\n";

static void a_row_that_raises(void **state)
{
	int64_t a[] = {10, 20, 30, 40}, b[] = {2, 0, 3, 0};
	struct column first = case_column(TYPE_BIGINT, a, 4, NULL), second = case_column(TYPE_BIGINT, b, 4, NULL), out;
	const struct column *columns[] = {&first, &second};
	const uint32_t rows[] = {0, 1, 2};
	struct udf_arguments arguments = {columns, 2, rows, 3};
	struct function_spec spec = case_function(FUNCTION_SCALAR, "m:divide", divide);
	struct udf_signature signature;
	struct udf_worker *worker = case_start(&spec, &signature);

	(void)state;
	column_init(&out, TYPE_BIGINT, 4);
	out.valid[3] = 9;
	assert_int_equal(signature.arguments_min, 2);
	assert_int_equal(signature.arguments_max, 2);
	assert_int_equal(signature.results.count, 1);
	assert_int_equal(signature.results.columns[0].type, TYPE_BIGINT);
	assert_int_equal(udf_eval(worker, &arguments, &out, &case_failures, &case_failure), 0);
	assert_int_equal(case_failures.count, 1);
	assert_int_equal(case_failures.rows[0], 1);
	for (size_t i = 0; i < 4; i++) {
		static const char *const words[] = {"ZeroDivisionError", "m.py\", line 5", "return a // b", "(20, 0)"};

		if (!strstr(case_failures.reasons[0], words[i]))
			fail_msg("no %s in: %s", words[i], case_failures.reasons[0]);
	}
	assert_int_equal(out.bigints[0], 5);
	assert_int_equal(out.valid[1], 0);
	assert_int_equal(out.bigints[2], 10);
	assert_int_equal(out.valid[3], 9); /* not asked for, not touched */
	assert_int_equal(case_counts.rows, 3);
	assert_int_equal(case_counts.row_failures, 1);
	udf_signature_release(&signature);
	udf_stop(worker, NULL);
	column_release(&first);
	column_release(&second);
	column_release(&out);
}

static const char split[] = "from pyflink.table.udf import udtf\n"
                            "from pyflink.table import DataTypes\n"
                            "@udtf(result_types=[DataTypes.STRING(), DataTypes.INT()])\n"
                            "def split(text):\n"
                            "    if text is None:\n"
                            "        return\n"
                            "    for word in text.split():\n"
                            "        if word == 'bad':\n"
                            "            raise ValueError(word)\n"
                            "        yield word, len(word)\n";

static void rows_of_a_table_function(void **state)
{
	struct slice texts[] = {SLICE_LITERAL("a bb"), SLICE_LITERAL("x"), SLICE_LITERAL(""), SLICE_LITERAL("c bad"),
	                        SLICE_LITERAL("ddd")};
	struct column column = case_column(TYPE_STRING, texts, 5, ".x...");
	const struct column *columns[] = {&column};
	struct udf_arguments arguments = {columns, 1, case_rows(), 5};
	struct function_spec spec = case_function(FUNCTION_TABLE, "m:split", split);
	struct udf_worker *worker = case_start(&spec, NULL);
	struct udf_rows rows;

	(void)state;
	assert_int_equal(udf_eval_table(worker, &arguments, &rows, &case_failures, &case_failure), 0);
	assert_int_equal(case_failures.count, 1);
	assert_int_equal(case_failures.rows[0], 3);
	assert_int_equal(rows.count, 3); /* none of the row that failed, though it had yielded one */
	assert_int_equal(rows.parents[0], 0);
	assert_int_equal(rows.parents[1], 0);
	assert_int_equal(rows.parents[2], 4);
	assert_true(slice_equal(rows.columns[0].strings[1], SLICE_LITERAL("bb")));
	assert_int_equal(rows.columns[1].ints[2], 3);
	udf_stop(worker, NULL);
	column_release(&column);
}

static const char length[] = "from streamjob import DataTypes, udf\n"
                             "@udf(result_type=DataTypes.BIGINT())\n"
                             "def length(text):\n"
                             "    return len(text)\n";

/* 1,024 rows of 100 kB are more than one request holds; a row of 33 MiB is more than any does. */
static void batches_larger_than_the_memory(void **state)
{
	size_t large = 33u << 20, usual = 100000;
	char *text = malloc(large);
	struct column column, out;
	const struct column *columns[] = {&column};
	struct udf_arguments arguments = {columns, 1, case_rows(), BATCH_ROWS_MAX};
	struct function_spec spec = case_function(FUNCTION_SCALAR, "m:length", length);
	struct udf_worker *worker = case_start(&spec, NULL);

	(void)state;
	memset(text, 'a', large);
	column_init(&column, TYPE_STRING, BATCH_ROWS_MAX);
	column_init(&out, TYPE_BIGINT, BATCH_ROWS_MAX);
	for (size_t i = 0; i < BATCH_ROWS_MAX; i++) {
		column.valid[i] = 1;
		column.strings[i] = (struct slice){text, i == 500 ? large : usual + i};
	}
	assert_int_equal(udf_eval(worker, &arguments, &out, &case_failures, &case_failure), 0);
	assert_int_equal(case_failures.count, 1);
	assert_int_equal(case_failures.rows[0], 500);
	assert_int_equal(out.valid[500], 0);
	for (size_t i = 0; i < BATCH_ROWS_MAX; i++)
		if (i != 500)
			assert_int_equal(out.bigints[i], usual + i);
	udf_stop(worker, NULL);
	column_release(&column);
	column_release(&out);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_type),
	        cmocka_unit_test(a_row_that_raises),
	        cmocka_unit_test(rows_of_a_table_function),
	        cmocka_unit_test(batches_larger_than_the_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
