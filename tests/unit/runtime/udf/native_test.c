/* Native functions, each in a process of its own and in this one. */
#include "tests/unit/runtime/udf/worker_case.h"

static char library[4096];

static struct function_spec native(enum function_kind kind, const char *entrypoint, enum function_isolation isolation)
{
	struct function_spec spec = case_function(kind, entrypoint, NULL);

	case_find();
	snprintf(library, sizeof(library), "%.*s/tests/native_functions.so",
	         (int)(strrchr(case_worker, '/') - case_worker), case_worker);
	spec.language = LANGUAGE_NATIVE;
	spec.isolation = isolation;
	spec.code = (struct function_code){.source = CODE_PATH, .path = library};
	return spec;
}

static void scalar(enum function_isolation isolation)
{
	char longer[300];
	struct slice texts[] = {SLICE_LITERAL("abC"), SLICE_LITERAL(""), {longer, sizeof(longer)}, SLICE_LITERAL("z")};
	struct column column = case_column(TYPE_STRING, texts, 4, ".x.."), out;
	const struct column *columns[] = {&column};
	struct udf_arguments arguments = {columns, 1, case_rows(), 4};
	struct function_spec spec = native(FUNCTION_SCALAR, "lib.so:upper_function", isolation);
	struct udf_signature signature;
	struct udf_worker *worker = case_start(&spec, &signature);

	memset(longer, 'a', sizeof(longer));
	assert_int_equal(signature.argument_types_count, 1);
	assert_int_equal(signature.argument_types[0], TYPE_STRING);
	assert_string_equal(signature.results.columns[0].name, "text");
	column_init(&out, TYPE_STRING, 4);
	assert_int_equal(udf_eval(worker, &arguments, &out, &case_failures, &case_failure), 0);
	assert_int_equal(case_failures.count, 1);
	assert_int_equal(case_failures.rows[0], 2);
	assert_string_equal(case_failures.reasons[0], "the text is too long");
	assert_true(slice_equal(out.strings[0], SLICE_LITERAL("ABC")));
	assert_int_equal(out.valid[1], 0);
	assert_int_equal(out.valid[2], 0);
	assert_true(slice_equal(out.strings[3], SLICE_LITERAL("Z")));
	udf_signature_release(&signature);
	assert_int_equal(udf_stop(worker, &case_failure), 0);
	column_release(&column);
	column_release(&out);
}

static void table(enum function_isolation isolation)
{
	int64_t xs[] = {2, 13, 0, 1};
	struct column column = case_column(TYPE_BIGINT, xs, 4, NULL);
	const struct column *columns[] = {&column};
	struct udf_arguments arguments = {columns, 1, case_rows(), 4};
	struct function_spec spec = native(FUNCTION_TABLE, "lib.so:count_function", isolation);
	struct udf_worker *worker = case_start(&spec, NULL);
	struct udf_rows rows;

	assert_int_equal(udf_eval_table(worker, &arguments, &rows, &case_failures, &case_failure), 0);
	assert_int_equal(case_failures.count, 1);
	assert_int_equal(case_failures.rows[0], 1);
	assert_int_equal(rows.count, 3);
	assert_int_equal(rows.parents[1], 0);
	assert_int_equal(rows.columns[0].ints[1], 2);
	assert_int_equal(rows.columns[1].booleans[1], 1);
	assert_int_equal(rows.parents[2], 3);
	udf_stop(worker, NULL);
	column_release(&column);
}

static void aggregate(enum function_isolation isolation)
{
	struct slice texts[] = {SLICE_LITERAL("a"), SLICE_LITERAL("b"), SLICE_LITERAL("c")};
	struct column column = case_column(TYPE_STRING, texts, 3, NULL), out;
	const struct column *columns[] = {&column};
	struct udf_arguments arguments = {columns, 1, case_rows(), 3};
	const uint32_t slots[] = {0, 1, 0}, all[] = {0, 1, 2};
	struct pair separator = {"separator", "+"};
	struct function_spec spec = native(FUNCTION_AGGREGATE, "lib.so:join_function", isolation);
	struct udf_worker *first, *second;
	struct buffer saved;

	spec.parameters = (struct pairs){&separator, 1};
	first = case_start(&spec, NULL);
	second = case_start(&spec, NULL);
	column_init(&out, TYPE_STRING, 4);
	buffer_init(&saved);
	case_alive(udf_accumulate(first, 0, slots, &arguments, &case_failures, &case_failure));
	case_alive(udf_accumulate(second, 2, slots, &arguments, &case_failures, &case_failure));
	case_alive(udf_save(first, 0, all, 2, &saved, &case_failures, &case_failure));
	case_alive(udf_merge(second, 2, all + 1, 2, buffer_slice(&saved), &case_failures, &case_failure));
	case_alive(udf_values(second, 2, all, 3, &out, &case_failures, &case_failure));
	assert_true(slice_equal(out.strings[0], SLICE_LITERAL("a+c")));
	assert_true(slice_equal(out.strings[1], SLICE_LITERAL("b+a+c")));
	assert_true(slice_equal(out.strings[2], SLICE_LITERAL("b")));
	assert_int_equal(udf_clear(second, 2, &case_failure), 0);
	case_alive(udf_values(second, 2, all, 1, &out, &case_failures, &case_failure));
	assert_int_equal(out.valid[0], 0);
	buffer_release(&saved);
	udf_stop(first, NULL);
	udf_stop(second, NULL);
	column_release(&column);
	column_release(&out);
}

static void in_both(void (*run)(enum function_isolation))
{
	run(ISOLATION_PROCESS);
	run(ISOLATION_IN_PROCESS);
}

static void scalars(void **state)
{
	(void)state;
	in_both(scalar);
}

static void tables(void **state)
{
	(void)state;
	in_both(table);
}

static void aggregates(void **state)
{
	(void)state;
	in_both(aggregate);
}

static void what_cannot_start(void **state)
{
	static const struct {
		const char *entrypoint, *words;
		enum function_kind kind;
	} cases[] = {
	        {"lib.so", "library.so:symbol", FUNCTION_SCALAR},
	        {"lib.so:nothing", "no symbol nothing", FUNCTION_SCALAR},
	        {"lib.so:empty_function", "has no eval", FUNCTION_SCALAR},
	        {"lib.so:pair_function", "a row of 2 fields, but a scalar function yields one value", FUNCTION_SCALAR},
	        {"lib.so:old_function", "another version", FUNCTION_SCALAR},
	        {"lib.so:upper_function", "another kind", FUNCTION_TABLE},
	        {"lib.so:join_function", "separator is missing", FUNCTION_AGGREGATE},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct function_spec spec = native(cases[i / 2].kind, cases[i / 2].entrypoint,
		                                   i % 2 ? ISOLATION_IN_PROCESS : ISOLATION_PROCESS);

		assert_null(udf_start(&spec, &case_environment, NULL, &case_failure));
		if (case_failure.reason != UDF_START || !strstr(case_failure.text, cases[i / 2].words))
			fail_msg("%s: %s", cases[i / 2].entrypoint, case_failure.text);
	}
}

static void a_crash_is_the_workers(void **state)
{
	struct slice text = SLICE_LITERAL("a");
	struct column column = case_column(TYPE_STRING, &text, 1, NULL), out;
	const struct column *columns[] = {&column};
	struct udf_arguments arguments = {columns, 1, case_rows(), 1};
	struct function_spec spec = native(FUNCTION_SCALAR, "lib.so:crash_function", ISOLATION_PROCESS);
	struct udf_worker *worker = case_start(&spec, NULL);

	(void)state;
	column_init(&out, TYPE_STRING, 4);
	assert_int_equal(udf_eval(worker, &arguments, &out, &case_failures, &case_failure), -1);
	assert_int_equal(case_failure.reason, UDF_CRASH);
	assert_int_equal(case_failure.row, 0);
	assert_non_null(strstr(case_failure.text, "Aborted"));
	udf_stop(worker, NULL);
	column_release(&column);
	column_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(scalars),
	        cmocka_unit_test(tables),
	        cmocka_unit_test(aggregates),
	        cmocka_unit_test(what_cannot_start),
	        cmocka_unit_test(a_crash_is_the_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
