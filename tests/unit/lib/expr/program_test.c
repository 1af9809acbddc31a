/* Programs over batches: selections, NULLs, failures, what a run leaves alone. */
#include "tests/unit/lib/expr/expr_case.h"

/* i: 0 to rows - 1, NULL where it divides by 5; s: its decimal digits; b: whether it is even; the rest is NULL. */
static void fill(struct batch *batch, size_t rows)
{
	batch_init(batch, &case_schema, NULL, BATCH_ROWS_MAX);
	batch->rows = rows;
	for (size_t row = 0; row < rows; row++) {
		char *digits = arena_printf(&batch->arena, "%zu", row);

		for (size_t c = 0; c < COLUMNS; c++)
			column_set(&batch->columns[c], row, (struct value){.type = case_columns[c].type, .null = true});
		if (row % 5)
			column_set(&batch->columns[COLUMN_I], row,
			           (struct value){.type = TYPE_INT, .bigint = (int64_t)row});
		column_set(&batch->columns[COLUMN_S], row,
		           (struct value){.type = TYPE_STRING, .string = slice_of(digits)});
		column_set(&batch->columns[COLUMN_B], row,
		           (struct value){.type = TYPE_BOOLEAN, .boolean = row % 2 == 0});
	}
}

static void render_rows(struct buffer *out, const struct column *column, const uint32_t *rows, size_t n,
                        const struct row_failures *failures)
{
	for (size_t i = 0; i < n; i++) {
		buffer_printf(out, "%s%u:", i ? " " : "", rows[i]);
		case_render(out, column_value(column, rows[i]));
	}
	for (size_t i = 0; i < failures->count; i++)
		buffer_printf(out, " !%u:%s", failures->rows[i], failures->reasons[i]);
}

/* Rows that are not selected are not looked at: a failure there is none. */
static void selection_test(void **state)
{
	static const struct {
		const char *name, *text;
		size_t n;
		uint32_t rows[8];
		const char *expected;
	} cases[] = {
	        {"all of some", "i + 1", 3, {1, 2, 3}, "1:2 2:3 3:4"},
	        {"NULLs", "i + 1", 4, {4, 5, 6, 10}, "4:5 5:NULL 6:7 10:NULL"},
	        {"gaps", "i * 10", 3, {1, 7, 13}, "1:10 7:70 13:130"},
	        {"none", "i", 0, {0}, ""},
	        {"a column itself", "s", 2, {3, 8}, "3:'3' 8:'8'"},
	        {"a constant", "42", 2, {3, 8}, "3:42 8:42"},
	        {"a failure", "6 / (i - 3)", 3, {1, 3, 6}, "1:-3 3:NULL 6:2 !3:division by zero"},
	        {"a failure beside the selection", "6 / (i - 3)", 2, {1, 6}, "1:-3 6:2"},
	        {"two rows fail",
	         "1 / (i % 2)",
	         4,
	         {1, 2, 3, 4},
	         "1:1 2:NULL 3:1 4:NULL !2:division by zero "
	         "!4:division by zero"},
	        {"the first of two reasons of a row",
	         "1 / (i - 1) + (s || 'x')::int",
	         2,
	         {1, 2},
	         "1:NULL 2:NULL !1:division by zero !2:invalid input syntax for type integer"},
	        {"a failed part is no NULL", "COALESCE(1 / (i - 1), 0)", 2, {1, 2}, "1:NULL 2:1 !1:division by zero"},
	        {"nor is it by IS NULL", "(1 / (i - 1)) IS NULL", 2, {1, 2}, "1:NULL 2:false !1:division by zero"},
	        {"branches by row",
	         "CASE WHEN b THEN i WHEN i > 2 THEN -i ELSE 0 END",
	         5,
	         {1, 2, 3, 4, 5},
	         "1:0 2:2 3:-3 4:4 5:0"},
	        {"only the rows of a branch",
	         "CASE WHEN i <> 3 THEN 6 / (i - 3) END",
	         4,
	         {1, 3, 5, 6},
	         "1:-3 3:NULL 5:NULL 6:2"},
	        {"AND by row", "i <> 3 AND 6 / (i - 3) > 0", 3, {1, 3, 6}, "1:false 3:false 6:true"},
	        {"OR by row", "i = 3 OR 6 / (i - 3) > 0", 4, {1, 3, 5, 6}, "1:false 3:true 5:NULL 6:true"},
	        {"COALESCE by row", "COALESCE(i, s::int * 100)", 3, {4, 5, 6}, "4:4 5:500 6:6"},
	        {"IN by row", "i IN (1, 6)", 3, {1, 5, 6}, "1:true 5:NULL 6:true"},
	        {"strings of each row",
	         "s || '-' || UPPER(s || 'a')",
	         3,
	         {1, 12, 13},
	         "1:'1-1A' 12:'12-12A' 13:'13-13A'"},
	        {"the same part in several places",
	         "CASE i + 1 WHEN 2 THEN 'a' WHEN 3 THEN 'b' ELSE 'c' END",
	         3,
	         {1, 2, 3},
	         "1:'a' 2:'b' 3:'c'"},
	        {"BETWEEN of a part",
	         "i + 1 BETWEEN SYMMETRIC 4 AND 3",
	         4,
	         {1, 2, 3, 4},
	         "1:false 2:true 3:true 4:false"},
	};
	struct row_failures *failures = malloc(sizeof(*failures));
	struct batch batch;

	(void)state;
	fill(&batch, 20);
	for (size_t c = 0; c < COUNT(cases); c++) {
		struct program *program = case_compile(cases[c].name, cases[c].text);
		struct buffer out;

		buffer_init(&out);
		buffer_append_text(&out, "");
		for (int again = 0; again < 2; again++) { /* nothing is left over from the run before */
			const struct column *result;

			failures->count = 0;
			result = program_run(program, &batch, cases[c].rows, cases[c].n, failures);
			buffer_clear(&out);
			render_rows(&out, result, cases[c].rows, cases[c].n, failures);
			if (strcmp(out.data, cases[c].expected) != 0)
				fail_msg("%s, run %d: %s: found %s, expected %s", cases[c].name, again, cases[c].text,
				         out.data, cases[c].expected);
		}
		buffer_release(&out);
		program_free(program);
	}
	batch_release(&batch);
	free(failures);
}

static void filter_test(void **state)
{
	static const struct {
		const char *name, *text;
		size_t n;
		uint32_t rows[8];
		const char *kept;
	} cases[] = {
	        {"true alone", "i > 3", 6, {1, 3, 4, 5, 6, 10}, "4 6"},
	        {"every row", "TRUE", 3, {1, 5, 9}, "1 5 9"},
	        {"no row", "FALSE", 3, {1, 5, 9}, ""},
	        {"NULL", "NULL::boolean", 2, {1, 2}, ""},
	        {"a column", "b", 4, {1, 2, 3, 4}, "2 4"},
	        {"a chain", "b AND i > 2 AND i < 8 AND s <> '6'", 8, {1, 2, 3, 4, 5, 6, 7, 8}, "4"},
	        {"a link sees what the ones before kept", "i <> 3 AND 6 / (i - 3) > 0", 4, {1, 3, 4, 6}, "4 6"},
	        {"a row that fails", "6 / (i - 3) > 0", 4, {1, 3, 4, 6}, "4 6 !3:division by zero"},
	        {"a row that fails and would be true",
	         "(6 / (i - 3)) IS NULL",
	         4,
	         {1, 3, 4, 5},
	         "5 !3:division by zero"},
	        {"a row that fails in a link",
	         "b AND COALESCE(6 / (i - 4) > 0, TRUE) AND i > 1",
	         4,
	         {1, 2, 4, 6},
	         "6 !4:division by zero"},
	        {"OR", "i = 1 OR i IS NULL", 4, {1, 2, 5, 6}, "1 5"},
	        {"nothing to filter", "b", 0, {0}, ""},
	};
	struct row_failures *failures = malloc(sizeof(*failures));
	struct batch batch;

	(void)state;
	fill(&batch, 20);
	for (size_t c = 0; c < COUNT(cases); c++) {
		struct program *program = case_compile(cases[c].name, cases[c].text);

		for (int in_place = 0; in_place < 2; in_place++) {
			uint32_t rows[8], kept[8];
			uint32_t *to = in_place ? rows : kept;
			struct buffer out;
			size_t n;

			memcpy(rows, cases[c].rows, sizeof(rows));
			failures->count = 0;
			n = program_filter(program, &batch, rows, cases[c].n, to, failures);
			buffer_init(&out);
			buffer_append_text(&out, "");
			for (size_t i = 0; i < n; i++)
				buffer_printf(&out, "%s%u", i ? " " : "", to[i]);
			for (size_t i = 0; i < failures->count; i++)
				buffer_printf(&out, " !%u:%s", failures->rows[i], failures->reasons[i]);
			if (strcmp(out.data, cases[c].kept) != 0)
				fail_msg("%s%s: found %s, expected %s", cases[c].name, in_place ? ", in place" : "",
				         out.data, cases[c].kept);
			buffer_release(&out);
		}
		program_free(program);
	}
	batch_release(&batch);
	free(failures);
}

/* The most rows a batch has, all of them failing. */
static void full_batch_test(void **state)
{
	struct program *program = case_compile("full", "b::int / (i - i) + (s || 'x')::int");
	struct row_failures *failures = malloc(sizeof(*failures));
	uint32_t rows[BATCH_ROWS_MAX];
	const struct column *result;
	struct batch batch;
	size_t wrong = 0;

	(void)state;
	fill(&batch, BATCH_ROWS_MAX);
	for (uint32_t i = 0; i < BATCH_ROWS_MAX; i++)
		rows[i] = i;
	failures->count = 0;
	result = program_run(program, &batch, rows, BATCH_ROWS_MAX, failures);
	assert_int_equal(failures->count, BATCH_ROWS_MAX);
	for (uint32_t i = 0; i < BATCH_ROWS_MAX; i++) {
		const char *reason =
		        failures->rows[i] % 5 ? "division by zero" : "invalid input syntax for type integer";

		wrong += result->valid[i] != 0 || strcmp(failures->reasons[i], reason) != 0;
	}
	assert_int_equal(wrong, 0);
	/* Failures of another program are added to those of this one, each row once. */
	program_free(program);
	program = case_compile("full", "s::int / (i - i)");
	program_run(program, &batch, rows, BATCH_ROWS_MAX, failures);
	assert_int_equal(failures->count, BATCH_ROWS_MAX);
	program_free(program);
	batch_release(&batch);
	free(failures);
}

static void reads_test(void **state)
{
	static const struct {
		const char *text, *reads;
	} cases[] = {
	        {"1", ""},
	        {"i", "i"},
	        {"i + l", "i l"},
	        {"CASE WHEN b THEN s ELSE \"Upper\" END", "b s Upper"},
	        {"TRUE OR i = 1", "i"},
	        {"i IN (1, 2) AND t IS NULL", "i t"},
	        {"COALESCE(d, i::double precision)", "i d"},
	};

	(void)state;
	for (size_t c = 0; c < COUNT(cases); c++) {
		struct program *program = case_compile("reads", cases[c].text);
		bool read[COLUMNS] = {false};
		struct buffer out;

		program_reads(program, read);
		buffer_init(&out);
		buffer_append_text(&out, "");
		for (size_t i = 0; i < COLUMNS; i++)
			if (read[i])
				buffer_printf(&out, "%s%s", out.size ? " " : "", case_columns[i].name);
		if (strcmp(out.data, cases[c].reads) != 0)
			fail_msg("%s: reads %s, expected %s", cases[c].text, out.data, cases[c].reads);
		buffer_release(&out);
		program_free(program);
	}
	program_free(NULL);
}

/* A value's bytes end where its slice ends: nothing behind them is read. The sanitizer sees the edge. */
static void slice_edge_test(void **state)
{
	static const char *const texts[] = {"1", "-12", "1.5", "1e5", "true", "x", "2025-11-24", "2025-11-24 08:00:00",
	                                    "",  "%",   "\\"};
	static const char *const programs[] = {
	        "s::int",          "s::bigint", "s::double precision", "s::boolean", "s::timestamptz",
	        "LOWER(s)",        "LENGTH(s)", "SUBSTRING(s, 2, 9)",  "s LIKE s",   "s || s",
	        "s IN ('1', 'x')", "s < '1'",   "'a1' LIKE s"};
	struct row_failures *failures = malloc(sizeof(*failures));
	struct batch batch;
	uint32_t row = 0;

	(void)state;
	fill(&batch, 1);
	for (size_t p = 0; p < COUNT(programs); p++) {
		struct program *program = case_compile("edge", programs[p]);

		for (size_t t = 0; t < COUNT(texts); t++) {
			size_t size = strlen(texts[t]);
			char *exact = malloc(size ? size : 1);

			memcpy(exact, texts[t], size);
			column_set(&batch.columns[COLUMN_S], 0,
			           (struct value){.type = TYPE_STRING, .string = {exact, size}});
			failures->count = 0;
			program_run(program, &batch, &row, 1, failures);
			assert_true(failures->count <= 1);
			free(exact);
		}
		program_free(program);
	}
	batch_release(&batch);
	free(failures);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(selection_test), cmocka_unit_test(filter_test),     cmocka_unit_test(full_batch_test),
	        cmocka_unit_test(reads_test),     cmocka_unit_test(slice_edge_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
