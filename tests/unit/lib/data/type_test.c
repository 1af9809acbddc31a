/* Types, schemas, columns and batches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/data/batch.h"

static void names_test(void **state)
{
	static const struct {
		const char *name;
		enum type type; /* TYPE_NULL: there is none */
	} cases[] = {
	        {"BOOLEAN", TYPE_BOOLEAN}, {"INT", TYPE_INT},       {"BIGINT", TYPE_BIGINT},
	        {"DOUBLE", TYPE_DOUBLE},   {"STRING", TYPE_STRING}, {"TIMESTAMP", TYPE_TIMESTAMP},
	        {"bigint", TYPE_BIGINT},   {"Double", TYPE_DOUBLE}, {"", TYPE_NULL},
	        {"NULL", TYPE_NULL},       {"IN", TYPE_NULL},       {"INTEGER", TYPE_NULL},
	        {"INT ", TYPE_NULL},       {"VARCHAR", TYPE_NULL},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		enum type type = TYPE_NULL;
		bool found = type_parse(slice_of(cases[c].name), &type);

		if (found != (cases[c].type != TYPE_NULL) || type != cases[c].type)
			fail_msg("\"%s\": %s", cases[c].name, type_name(type));
	}
	for (int type = TYPE_BOOLEAN; type < TYPE_COUNT; type++) {
		enum type back = TYPE_NULL;

		assert_true(type_parse(slice_of(type_name((enum type)type)), &back));
		assert_int_equal(back, type);
	}
	assert_string_equal(type_name(TYPE_NULL), "NULL");
}

static void schema_test(void **state)
{
	static const struct schema_column columns[] = {{"a", TYPE_INT}, {"A", TYPE_STRING}, {"ab", TYPE_DOUBLE}};
	struct schema schema = {columns, 3};

	(void)state;
	assert_int_equal(schema_find(&schema, SLICE_LITERAL("a")), 0);
	assert_int_equal(schema_find(&schema, SLICE_LITERAL("A")), 1);
	assert_int_equal(schema_find(&schema, SLICE_LITERAL("ab")), 2);
	assert_int_equal(schema_find(&schema, SLICE_LITERAL("abc")), -1);
	assert_int_equal(schema_find(&schema, SLICE_LITERAL("")), -1);
	assert_int_equal(schema_find(&(struct schema){NULL, 0}, SLICE_LITERAL("a")), -1);
}

static void column_test(void **state)
{
	static const struct value values[] = {
	        {TYPE_BOOLEAN, false, {.boolean = true}},      {TYPE_INT, false, {.bigint = INT32_MIN}},
	        {TYPE_BIGINT, false, {.bigint = INT64_MIN}},   {TYPE_DOUBLE, false, {.real = -0.5}},
	        {TYPE_STRING, false, {.string = {"x\0y", 3}}}, {TYPE_TIMESTAMP, false, {.bigint = -1}},
	};

	(void)state;
	for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
		struct value null = {.type = values[v].type, .null = true}, found;
		struct column column;

		column_init(&column, values[v].type, 3);
		assert_true(column_value(&column, 0).null);
		column_set(&column, 1, values[v]);
		found = column_value(&column, 1);
		assert_int_equal(found.type, values[v].type);
		assert_false(found.null);
		if (found.type == TYPE_STRING)
			assert_true(slice_equal(found.string, values[v].string));
		else if (found.type == TYPE_BOOLEAN)
			assert_true(found.boolean);
		else
			assert_true(found.bigint == values[v].bigint); /* a DOUBLE by its bits */
		assert_true(column_value(&column, 0).null);
		assert_true(column_value(&column, 2).null);
		column_set(&column, 1, null);
		assert_true(column_value(&column, 1).null);
		column_release(&column);
		column_release(&column);
	}
}

/* Columns that are not read have no memory, and only NULLs. */
static void batch_test(void **state)
{
	static const struct schema_column columns[] = {{"a", TYPE_INT}, {"b", TYPE_STRING}, {"c", TYPE_DOUBLE}};
	struct schema schema = {columns, 3};
	struct batch batch;

	(void)state;
	batch_init(&batch, &schema, (const bool[]){true, false, true}, 10);
	assert_int_equal(batch.columns_count, 3);
	assert_int_equal(batch.rows, 0);
	assert_non_null(batch.columns[0].values);
	assert_null(batch.columns[1].values);
	assert_null(batch.columns[1].valid);
	assert_int_equal(batch.columns[1].type, TYPE_STRING);
	assert_true(column_value(&batch.columns[1], 5).null);
	batch.rows = 10;
	memset(arena_alloc(&batch.arena, 1000), 1, 1000);
	batch_clear(&batch);
	assert_int_equal(batch.rows, 0);
	assert_non_null(batch.columns[0].values);
	batch_release(&batch);
	batch_release(&batch);
	batch_init(&batch, &(struct schema){NULL, 0}, NULL, 1);
	batch_release(&batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(names_test),
	        cmocka_unit_test(schema_test),
	        cmocka_unit_test(column_test),
	        cmocka_unit_test(batch_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
