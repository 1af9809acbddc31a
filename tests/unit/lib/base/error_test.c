/* Errors: sentences, prefixes, cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/error.h"
#include "lib/base/text.h"

static int fail_with(struct error *err)
{
	return error_set(err, "%s: %d is too large; at most %d", "job.yaml", 7, 5);
}

static void set_test(void **state)
{
	struct error err = {"before"};

	(void)state;
	assert_int_equal(fail_with(&err), -1);
	assert_string_equal(err.text, "job.yaml: 7 is too large; at most 5");
	assert_int_equal(error_prefix(&err, "spec.sinks[%d]", 2), -1);
	assert_string_equal(err.text, "spec.sinks[2]: job.yaml: 7 is too large; at most 5");
	/* Its own text may be an argument. */
	error_write(&err, "(%s)", err.text);
	assert_string_equal(err.text, "(spec.sinks[2]: job.yaml: 7 is too large; at most 5)");
	error_write(&err, "%s", "");
	assert_string_equal(err.text, "");
}

/* Long texts are cut at a character: for every number of bytes in front, and characters of each length. */
static void cut_test(void **state)
{
	static const char *const characters[] = {"x", "\xc3\xa9", "\xe6\x97\xa5", "\xf0\x9f\x8e\x89"};
	char text[3 * ERROR_TEXT_MAX];

	(void)state;
	for (size_t c = 0; c < 4; c++) {
		size_t size = strlen(characters[c]);

		for (size_t front = 0; front < 8; front++) {
			struct error err = {""};

			memset(text, 'a', front);
			for (size_t at = front; at + size < sizeof(text); at += size)
				memcpy(text + at, characters[c], size + 1);
			error_write(&err, "%s", text);
			assert_true(text_is_utf8(slice_of(err.text)));
			assert_in_range(strlen(err.text), ERROR_TEXT_MAX - 4, ERROR_TEXT_MAX - 1);
			error_write_prefix(&err, "%s", text);
			assert_true(text_is_utf8(slice_of(err.text)));
			error_write(&err, "end");
			error_write_prefix(&err, "%s", text); /* a prefix that is cut itself */
			assert_true(text_is_utf8(slice_of(err.text)));
		}
	}
}

/* A text that just fits stays whole. */
static void exact_test(void **state)
{
	char text[ERROR_TEXT_MAX];
	struct error err = {""};

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + ERROR_TEXT_MAX - 3, "\xc3\xa9", 3);
	error_write(&err, "%s", text);
	assert_string_equal(err.text, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(set_test),
	        cmocka_unit_test(cut_test),
	        cmocka_unit_test(exact_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
