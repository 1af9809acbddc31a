/* Any bytes as hex and base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/text.h"

static const struct {
	struct slice bytes;
	const char *hex, *base64; /* RFC 4648, section 10, and bytes that are no text */
} cases[] = {
        {{"", 0}, "", ""},
        {{"f", 1}, "66", "Zg=="},
        {{"fo", 2}, "666f", "Zm8="},
        {{"foo", 3}, "666f6f", "Zm9v"},
        {{"foobar", 6}, "666f6f626172", "Zm9vYmFy"},
        {{"\0\xff", 2}, "00ff", "AP8="},
        {{"\xfb\xff\xfe", 3}, "fbfffe", "+//+"},
};

static void bytes_test(void **state)
{
	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct buffer hex, base64;

		buffer_init(&hex);
		buffer_init(&base64);
		text_hex(&hex, cases[c].bytes);
		text_base64(&base64, cases[c].bytes);
		if (!slice_equal(buffer_slice(&hex), slice_of(cases[c].hex)) ||
		    !slice_equal(buffer_slice(&base64), slice_of(cases[c].base64)))
			fail_msg("%s: found %.*s and %.*s", cases[c].hex, SLICE_ARG(buffer_slice(&hex)),
			         SLICE_ARG(buffer_slice(&base64)));
		buffer_release(&hex);
		buffer_release(&base64);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
