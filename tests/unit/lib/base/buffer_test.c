/* Buffers: growth, the cap, taking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/buffer.h"

static void append_test(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer);
	assert_true(slice_equal(buffer_slice(&buffer), SLICE_LITERAL("")));
	buffer_append(&buffer, NULL, 0);
	assert_string_equal(buffer.data, "");
	buffer_append_text(&buffer, "ab");
	buffer_append_char(&buffer, 'c');
	buffer_append_slice(&buffer, (struct slice){"d\0e", 3});
	buffer_printf(&buffer, "%d-%s", 7, "x");
	assert_true(slice_equal(buffer_slice(&buffer), (struct slice){"abcd\0e7-x", 9}));
	assert_int_equal(buffer.data[9], 0);
	buffer_clear(&buffer);
	assert_int_equal(buffer.size, 0);
	assert_string_equal(buffer.data, "");
	buffer_release(&buffer);
	assert_null(buffer.data);
	buffer_release(&buffer);
}

/* Every size from nothing to past several growths. */
static void growth_test(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer);
	for (int i = 0; i < 5000; i++) {
		buffer_append_char(&buffer, (char)('a' + i % 26));
		assert_true(buffer.capacity > buffer.size);
		assert_int_equal(buffer.data[buffer.size], 0);
	}
	for (int i = 0; i < 5000; i++)
		assert_int_equal(buffer.data[i], 'a' + i % 26);
	buffer_release(&buffer);
}

/* What does not fit is left out whole, and said; what was there stays. */
static void cap_test(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer);
	buffer.max = 5;
	buffer_append_text(&buffer, "abc");
	assert_false(buffer.overflow);
	buffer_append_text(&buffer, "def");
	assert_true(buffer.overflow);
	assert_string_equal(buffer.data, "abc");
	buffer_append_text(&buffer, "de");
	assert_string_equal(buffer.data, "abcde");
	buffer_append_char(&buffer, 'f');
	buffer_printf(&buffer, "%d", 1);
	assert_string_equal(buffer.data, "abcde");
	buffer_append(&buffer, "x", SIZE_MAX);
	buffer_append(&buffer, "x", SIZE_MAX - 4);
	assert_string_equal(buffer.data, "abcde");
	buffer_clear(&buffer);
	assert_false(buffer.overflow);
	buffer_printf(&buffer, "%s", "12345");
	assert_false(buffer.overflow);
	assert_string_equal(buffer.data, "12345");
	buffer_release(&buffer);
	assert_int_equal(buffer.max, BUFFER_BYTES_MAX);
}

static void take_test(void **state)
{
	struct buffer buffer;
	char *taken;

	(void)state;
	buffer_init(&buffer);
	taken = buffer_take(&buffer);
	assert_string_equal(taken, "");
	free(taken);
	buffer_append_text(&buffer, "mine");
	taken = buffer_take(&buffer);
	assert_string_equal(taken, "mine");
	assert_null(buffer.data);
	assert_int_equal(buffer.size, 0);
	buffer_append_text(&buffer, "other");
	assert_string_equal(taken, "mine");
	free(taken);
	buffer_release(&buffer);
}

static void slice_test(void **state)
{
	static const struct {
		const char *a, *b;
		int order;
	} cases[] = {
	        {"", "", 0}, {"", "a", -1}, {"a", "a", 0}, {"a", "ab", -1}, {"ab", "b", -1}, {"\xff", "a", 1},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct slice a = slice_of(cases[c].a), b = slice_of(cases[c].b);
		int order = slice_compare(a, b), back = slice_compare(b, a);

		if ((order > 0) - (order < 0) != cases[c].order || (back > 0) - (back < 0) != -cases[c].order ||
		    slice_equal(a, b) != (cases[c].order == 0))
			fail_msg("\"%s\" and \"%s\": %d, %d", cases[c].a, cases[c].b, order, back);
	}
	assert_true(slice_equal((struct slice){NULL, 0}, (struct slice){"x", 0}));
	assert_int_equal(slice_compare((struct slice){NULL, 0}, (struct slice){"x", 0}), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(append_test), cmocka_unit_test(growth_test), cmocka_unit_test(cap_test),
	        cmocka_unit_test(take_test),   cmocka_unit_test(slice_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
