/* Arenas: alignment, resets, trimming. Under the address sanitizer what was given back is poisoned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/arena.h"

/* Sizes around the alignment and the chunk. */
static void alloc_test(void **state)
{
	static const size_t sizes[] = {
	        0, 1, 15, 16, 17, 1000, ARENA_CHUNK_BYTES - 16, ARENA_CHUNK_BYTES, ARENA_CHUNK_BYTES + 1, 1 << 20, 3};
	char *blocks[sizeof(sizes) / sizeof(sizes[0])];
	struct arena arena;

	(void)state;
	arena_init(&arena);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		blocks[i] = arena_alloc(&arena, sizes[i]);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] % 16, 0);
		memset(blocks[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t b = 0; b < sizes[i]; b++)
			if (blocks[i][b] != (char)(i + 1))
				fail_msg("block %zu was written over at byte %zu", i, b);
	arena_release(&arena);
	assert_int_equal(arena.bytes, 0);
	arena_release(&arena);
}

/* After a batch or two an arena holds what they need, in one chunk, and asks for no more. */
static void reset_test(void **state)
{
	struct arena arena;
	size_t bytes = 0;

	(void)state;
	arena_init(&arena);
	arena_reset(&arena); /* of nothing */
	for (int batch = 0; batch < 10; batch++) {
		for (int i = 0; i < 1000; i++)
			memset(arena_alloc(&arena, 1000), batch, 1000);
		if (batch >= 2)
			assert_int_equal(arena.bytes, bytes);
		bytes = arena.bytes;
		arena_reset(&arena);
	}
	/* One great batch does not hold its memory for ever. */
	memset(arena_alloc(&arena, ARENA_KEEP_BYTES + 1), 1, ARENA_KEEP_BYTES + 1);
	arena_reset(&arena);
	assert_in_range(arena.bytes, 1, ARENA_KEEP_BYTES);
	memset(arena_alloc(&arena, 100), 1, 100);
	arena_release(&arena);
}

static void trim_test(void **state)
{
	struct arena arena;
	char *first, *second;

	(void)state;
	arena_init(&arena);
	first = arena_alloc(&arena, 1000);
	memset(first, 1, 1000);
	arena_trim(&arena, first, 10);
	second = arena_alloc(&arena, 16);
	assert_ptr_equal(second, first + 16);
	memset(second, 2, 16);
	assert_int_equal(first[9], 1);
	arena_trim(&arena, second, 0);
	assert_ptr_equal(arena_alloc(&arena, 1), second);
	arena_release(&arena);
}

static void copies_test(void **state)
{
	struct arena arena;
	char text[] = "abc";
	struct slice copy;
	char *string, *zeros;

	(void)state;
	arena_init(&arena);
	copy = arena_copy(&arena, (struct slice){text, 3});
	string = arena_string(&arena, (struct slice){text, 2});
	text[0] = 'x';
	assert_true(slice_equal(copy, SLICE_LITERAL("abc")));
	assert_string_equal(string, "ab");
	assert_int_equal(arena_copy(&arena, (struct slice){NULL, 0}).size, 0);
	assert_string_equal(arena_string(&arena, (struct slice){NULL, 0}), "");
	assert_string_equal(arena_printf(&arena, "%s-%d", "a", 42), "a-42");
	memset(arena_alloc(&arena, 64), 0xff, 64);
	arena_reset(&arena);
	zeros = arena_zalloc(&arena, 256);
	for (int i = 0; i < 256; i++)
		assert_int_equal(zeros[i], 0);
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(alloc_test),
	        cmocka_unit_test(reset_test),
	        cmocka_unit_test(trim_test),
	        cmocka_unit_test(copies_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
