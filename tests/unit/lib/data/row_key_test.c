/*
 * Row keys: random rows of every type are encoded and decoded; equal rows have equal bytes, and the bytes' order is the
 * rows' order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <math.h>

#include "lib/data/row_key.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const enum type types[] = {TYPE_BOOLEAN, TYPE_INT, TYPE_BIGINT, TYPE_DOUBLE, TYPE_STRING, TYPE_TIMESTAMP};
#define TYPES COUNT(types)

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Often one of the edges, so that rows are equal often too. */
static struct value random_value(enum type type, uint64_t *seed)
{
	static const int64_t integers[] = {0, 1, -1, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 255, 256};
	static const double reals[] = {0.0, -0.0, 1, -1, NAN, -NAN, INFINITY, -INFINITY, 5e-324, -5e-324, 1e308};
	static const struct slice texts[] = {{"", 0},   {"a", 1},    {"a\0", 2},    {"a\0\0", 3},   {"\0", 1},
	                                     {"ab", 2}, {"\xff", 1}, {"\0\xff", 2}, {"a\0\xff", 3}, {"a\x01", 2}};
	struct value value = {.type = type};
	uint64_t dice = next(seed) % 100;

	if (dice < 15) {
		value.null = true;
		return value;
	}
	switch (type) {
	case TYPE_NULL:
		break;
	case TYPE_BOOLEAN:
		value.boolean = next(seed) & 1;
		break;
	case TYPE_INT:
		value.bigint = (int32_t)(dice < 70 ? integers[next(seed) % COUNT(integers)] : (int64_t)next(seed));
		break;
	case TYPE_BIGINT:
	case TYPE_TIMESTAMP:
		value.bigint = dice < 70 ? integers[next(seed) % COUNT(integers)] : (int64_t)next(seed);
		break;
	case TYPE_DOUBLE: {
		uint64_t bits = next(seed);

		memcpy(&value.real, &bits, sizeof(bits));
		if (dice < 70)
			value.real = reals[next(seed) % COUNT(reals)];
		break;
	}
	case TYPE_STRING:
		value.string = texts[next(seed) % COUNT(texts)];
		break;
	}
	return value;
}

/* NULLs first, then the values; NaN equals NaN and is above everything, -0.0 equals 0.0. */
static int compare_values(struct value a, struct value b)
{
	if (a.null || b.null)
		return b.null - a.null;
	switch (a.type) {
	case TYPE_NULL:
		return 0;
	case TYPE_BOOLEAN:
		return a.boolean - b.boolean;
	case TYPE_INT:
	case TYPE_BIGINT:
	case TYPE_TIMESTAMP:
		return (a.bigint > b.bigint) - (a.bigint < b.bigint);
	case TYPE_DOUBLE:
		if (isnan(a.real) || isnan(b.real))
			return !!isnan(a.real) - !!isnan(b.real);
		return (a.real > b.real) - (a.real < b.real);
	case TYPE_STRING: {
		int order = slice_compare(a.string, b.string);

		return (order > 0) - (order < 0);
	}
	}
	return 0;
}

static struct slice encode(const struct value *values, size_t count, struct arena *arena, uint64_t *ret_hash)
{
	struct column columns[TYPES];
	const struct column *pointers[TYPES];
	uint32_t row = 0;
	struct slice key;

	for (size_t c = 0; c < count; c++) {
		column_init(&columns[c], values[c].type, 1);
		column_set(&columns[c], 0, values[c]);
		pointers[c] = &columns[c];
	}
	row_key_encode(pointers, count, &row, 1, arena, &key, ret_hash);
	for (size_t c = 0; c < count; c++)
		column_release(&columns[c]);
	return key;
}

static void pairs_test(void **state)
{
	uint64_t seed = 88172645463325252u;
	size_t equal = 0;

	(void)state;
	for (int round = 0; round < 30000; round++) {
		struct value a[TYPES], b[TYPES], back[TYPES];
		enum type row_types[TYPES];
		size_t count = next(&seed) % TYPES + 1;
		struct slice key_a, key_b;
		uint64_t hash_a, hash_b;
		struct arena arena;
		int order = 0, bytes;

		for (size_t c = 0; c < count; c++) {
			row_types[c] = types[next(&seed) % TYPES];
			a[c] = random_value(row_types[c], &seed);
			b[c] = next(&seed) % 2 ? a[c] : random_value(row_types[c], &seed);
			order = order ? order : compare_values(a[c], b[c]);
		}
		arena_init(&arena);
		key_a = encode(a, count, &arena, &hash_a);
		key_b = encode(b, count, &arena, &hash_b);
		bytes = slice_compare(key_a, key_b);
		if ((bytes > 0) - (bytes < 0) != order)
			fail_msg("round %d: the rows' order is %d, the keys' %d", round, order, bytes);
		if (order == 0 && hash_a != hash_b)
			fail_msg("round %d: equal rows, two hashes", round);
		equal += order == 0;
		assert_int_equal(row_key_decode(key_a, row_types, count, &arena, back), 0);
		for (size_t c = 0; c < count; c++)
			if (back[c].type != row_types[c] || back[c].null != a[c].null || compare_values(back[c], a[c]))
				fail_msg("round %d: column %zu comes back as another", round, c);
		/* No key is the beginning of another, nor a key with bytes behind it. */
		for (size_t size = 0; size < key_a.size; size++)
			if (row_key_decode((struct slice){key_a.data, size}, row_types, count, &arena, back) != -1)
				fail_msg("round %d: %zu of %zu bytes are a key", round, size, key_a.size);
		arena_release(&arena);
	}
	assert_in_range(equal, 1000, 25000);
}

static void bytes_test(void **state)
{
	static const struct {
		const char *name;
		struct value value;
		struct slice key;
	} cases[] = {
	        {"NULL", {TYPE_STRING, true, {0}}, {"\0", 1}},
	        {"FALSE", {TYPE_BOOLEAN, false, {.boolean = false}}, {"\1\0", 2}},
	        {"TRUE", {TYPE_BOOLEAN, false, {.boolean = true}}, {"\1\1", 2}},
	        {"INT 0", {TYPE_INT, false, {.bigint = 0}}, {"\1\x80\0\0\0", 5}},
	        {"INT -1", {TYPE_INT, false, {.bigint = -1}}, {"\1\x7f\xff\xff\xff", 5}},
	        {"BIGINT 258", {TYPE_BIGINT, false, {.bigint = 258}}, {"\1\x80\0\0\0\0\0\1\2", 9}},
	        {"0.0", {TYPE_DOUBLE, false, {.real = 0.0}}, {"\1\x80\0\0\0\0\0\0\0", 9}},
	        {"-0.0", {TYPE_DOUBLE, false, {.real = -0.0}}, {"\1\x80\0\0\0\0\0\0\0", 9}},
	        {"NaN", {TYPE_DOUBLE, false, {.real = NAN}}, {"\1\xff\xf8\0\0\0\0\0\0", 9}},
	        {"-NaN", {TYPE_DOUBLE, false, {.real = -NAN}}, {"\1\xff\xf8\0\0\0\0\0\0", 9}},
	        {"empty", {TYPE_STRING, false, {.string = {"", 0}}}, {"\1\0\0", 3}},
	        {"ab", {TYPE_STRING, false, {.string = {"ab", 2}}}, {"\1ab\0\0", 5}},
	        {"NUL inside",
	         {TYPE_STRING, false, {.string = {"a\0b", 3}}},
	         {"\1a\0\xff"
	          "b\0\0",
	          7}},
	};

	(void)state;
	for (size_t c = 0; c < COUNT(cases); c++) {
		struct arena arena;
		struct slice key;
		uint64_t hash;

		arena_init(&arena);
		key = encode(&cases[c].value, 1, &arena, &hash);
		if (!slice_equal(key, cases[c].key))
			fail_msg("%s", cases[c].name);
		arena_release(&arena);
	}
}

/* What is no key is refused, whatever its bytes. */
static void broken_test(void **state)
{
	static const struct {
		const char *name;
		enum type type;
		struct slice key;
	} cases[] = {
	        {"nothing", TYPE_INT, {"", 0}},
	        {"no value", TYPE_INT, {"\1", 1}},
	        {"a tag that there is not", TYPE_INT, {"\2\0\0\0\0", 5}},
	        {"too short", TYPE_BIGINT, {"\1\0\0\0\0", 5}},
	        {"bytes behind", TYPE_INT, {"\1\0\0\0\0\0", 6}},
	        {"bytes behind a NULL", TYPE_INT, {"\0\0", 2}},
	        {"neither TRUE nor FALSE", TYPE_BOOLEAN, {"\1\2", 2}},
	        {"an open string", TYPE_STRING, {"\1ab", 3}},
	        {"half an end", TYPE_STRING, {"\1ab\0", 4}},
	        {"an escape that there is not", TYPE_STRING, {"\1a\0\1\0\0", 6}},
	        {"-0.0", TYPE_DOUBLE, {"\1\x7f\xff\xff\xff\xff\xff\xff\xff", 9}},
	        {"another NaN", TYPE_DOUBLE, {"\1\xff\xf8\0\0\0\0\0\1", 9}},
	        {"a value without a type", TYPE_NULL, {"\1", 1}},
	};
	uint64_t seed = 42;

	(void)state;
	for (size_t c = 0; c < COUNT(cases); c++) {
		char *exact = malloc(cases[c].key.size ? cases[c].key.size : 1);
		struct value value = {0};
		struct arena arena;

		arena_init(&arena);
		memcpy(exact, cases[c].key.data, cases[c].key.size);
		if (row_key_decode((struct slice){exact, cases[c].key.size}, &cases[c].type, 1, &arena, &value) != -1)
			fail_msg("%s", cases[c].name);
		free(exact);
		arena_release(&arena);
	}
	/* Random bytes never lead outside of them; what is taken for a key is one. */
	for (int round = 0; round < 100000; round++) {
		size_t size = next(&seed) % 16;
		char *exact = malloc(size ? size : 1);
		struct value values[2];
		enum type row_types[2] = {types[next(&seed) % TYPES], types[next(&seed) % TYPES]};
		struct arena arena;
		uint64_t hash;

		for (size_t i = 0; i < size; i++)
			exact[i] = (char)(next(&seed) % 3 ? next(&seed) % 3 : next(&seed));
		arena_init(&arena);
		if (row_key_decode((struct slice){exact, size}, row_types, 2, &arena, values) == 0)
			assert_true(slice_equal(encode(values, 2, &arena, &hash), (struct slice){exact, size}));
		arena_release(&arena);
		free(exact);
	}
}

/* Many rows at once: a selection, keys in the order of the selection. */
static void selection_test(void **state)
{
	struct column numbers, names;
	const struct column *columns[] = {&numbers, &names};
	static const enum type row_types[] = {TYPE_INT, TYPE_STRING};
	uint32_t rows[] = {0, 3, 4, 999};
	struct slice keys[4];
	uint64_t hashes[4];
	struct arena arena;

	(void)state;
	arena_init(&arena);
	column_init(&numbers, TYPE_INT, 1000);
	column_init(&names, TYPE_STRING, 1000);
	for (uint32_t row = 0; row < 1000; row++) {
		column_set(&numbers, row, (struct value){.type = TYPE_INT, .bigint = row});
		column_set(&names, row,
		           (struct value){.type = TYPE_STRING,
		                          .null = row == 4,
		                          .string = slice_of(arena_printf(&arena, "name %u", row))});
	}
	row_key_encode(columns, 2, rows, 0, &arena, keys, hashes);
	row_key_encode(columns, 2, rows, 4, &arena, keys, hashes);
	for (size_t i = 0; i < 4; i++) {
		struct value back[2];

		assert_int_equal(row_key_decode(keys[i], row_types, 2, &arena, back), 0);
		assert_int_equal(back[0].bigint, rows[i]);
		assert_int_equal(back[1].null, rows[i] == 4);
		if (rows[i] != 4)
			assert_true(slice_equal(back[1].string, names.strings[rows[i]]));
	}
	/* No columns at all: one empty key, the group of everything. */
	row_key_encode(NULL, 0, rows, 1, &arena, keys, hashes);
	assert_int_equal(keys[0].size, 0);
	column_release(&numbers);
	column_release(&names);
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(pairs_test),
	        cmocka_unit_test(bytes_test),
	        cmocka_unit_test(broken_test),
	        cmocka_unit_test(selection_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
