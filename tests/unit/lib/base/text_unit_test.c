/* Durations, sizes and nearest names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define REFUSED      (-1)

struct unit_case {
	const char *text;
	int64_t value;       /* or REFUSED */
	const char *written; /* how it is written again; NULL: as text */
};

static void run(const struct unit_case *cases, size_t count,
                int (*parse)(struct slice text, int64_t *ret_value, struct error *err),
                void (*write)(struct buffer *out, int64_t value), const char *refusal)
{
	for (size_t c = 0; c < count; c++) {
		const char *written = cases[c].written ? cases[c].written : cases[c].text;
		struct error err = {""};
		int64_t value = 42;
		int result = parse(slice_of(cases[c].text), &value, &err);
		struct buffer out;

		buffer_init(&out);
		if (cases[c].value == REFUSED) {
			buffer_printf(&out, "\"%s\" is not %s", cases[c].text, refusal);
			if (result >= 0 || value != 42 || strcmp(err.text, out.data) != 0)
				fail_msg("\"%s\" is %lld, \"%s\"", cases[c].text, (long long)value, err.text);
			buffer_release(&out);
			continue;
		}
		if (result < 0 || value != cases[c].value || err.text[0])
			fail_msg("\"%s\": found %lld, \"%s\"", cases[c].text, (long long)value, err.text);
		write(&out, value);
		if (strcmp(out.data, written) != 0)
			fail_msg("\"%s\" is written as \"%s\"", cases[c].text, out.data);
		buffer_release(&out);
	}
}

static void duration_test(void **state)
{
	static const struct unit_case cases[] = {
	        {"0s", 0, NULL},
	        {"0ms", 0, "0s"},
	        {"1ms", 1, NULL},
	        {"500ms", 500, NULL},
	        {"1s", 1000, NULL},
	        {"90s", 90000, "1m30s"},
	        {"1m30s", 90000, NULL},
	        {"1h", 3600000, NULL},
	        {"24h", 86400000, "1d"},
	        {"2d", 172800000, NULL},
	        {"1d2h3m4s5ms", 93784005, NULL},
	        {"1s1h", 3601000, "1h1s"},
	        {"9223372036854775807ms", INT64_MAX, "106751991167d7h12m55s807ms"},
	        {"9223372036854775808ms", REFUSED, NULL},
	        {"9223372036854775807ms1ms", REFUSED, NULL},
	        {"9223372036854775807d", REFUSED, NULL},
	        {"", REFUSED, NULL},
	        {"1", REFUSED, NULL},
	        {"s", REFUSED, NULL},
	        {"1x", REFUSED, NULL},
	        {"1 s", REFUSED, NULL},
	        {" 1s", REFUSED, NULL},
	        {"1s ", REFUSED, NULL},
	        {"-1s", REFUSED, NULL},
	        {"+1s", REFUSED, NULL},
	        {"1.5s", REFUSED, NULL},
	        {"1S", REFUSED, NULL},
	        {"1s2", REFUSED, NULL},
	        {"PT1S", REFUSED, NULL},
	};

	(void)state;
	run(cases, COUNT(cases), text_parse_duration, text_duration,
	    "a duration; write it like 500ms, 30s, 1m30s, 2h or 1d");
}

static void bytes_test(void **state)
{
	static const struct unit_case cases[] = {
	        {"0", 0, NULL},
	        {"4096", 4096, "4Ki"},
	        {"1000", 1000, NULL},
	        {"1k", 1000, "1000"},
	        {"1Ki", 1024, NULL},
	        {"512Mi", 536870912, NULL},
	        {"1M", 1000000, "1000000"},
	        {"1G", 1000000000, "1000000000"},
	        {"2Gi", 2147483648, NULL},
	        {"1536Mi", 1610612736, NULL},
	        {"1024Mi", 1073741824, "1Gi"},
	        {"1T", 1000000000000, "976562500Ki"},
	        {"3Ti", 3298534883328, NULL},
	        {"9223372036854775807", INT64_MAX, NULL},
	        {"9223372036854775808", REFUSED, NULL},
	        {"8388608Ti", REFUSED, NULL},
	        {"", REFUSED, NULL},
	        {"Mi", REFUSED, NULL},
	        {"1MB", REFUSED, NULL},
	        {"1MiB", REFUSED, NULL},
	        {"1 Mi", REFUSED, NULL},
	        {"1mi", REFUSED, NULL},
	        {"-1", REFUSED, NULL},
	        {"1.5Gi", REFUSED, NULL},
	};

	(void)state;
	run(cases, COUNT(cases), text_parse_bytes, text_bytes, "a size in bytes; write it like 4096, 512Mi or 1G");
}

static void nearest_test(void **state)
{
	static const char *const names[] = {"latency_ms", "bucket", "endpoint", "event", "ts", "Id"};
	static const struct {
		const char *name, *nearest;
	} cases[] = {
	        {"latency_ms", "latency_ms"},
	        {"latency", "latency_ms"},
	        {"latncy_ms", "latency_ms"},
	        {"buckets", "bucket"},
	        {"BUCKET", "bucket"},
	        {"evnet", "event"},
	        {"id", "Id"},
	        {"endpiont", "endpoint"},
	        {"nothing", NULL},
	        {"", NULL},
	        {"x", NULL},
	};
	char longest[66];

	(void)state;
	for (size_t c = 0; c < COUNT(cases); c++) {
		const char *found = text_nearest(slice_of(cases[c].name), names, COUNT(names));

		if (found != cases[c].nearest && (!found || !cases[c].nearest || strcmp(found, cases[c].nearest) != 0))
			fail_msg("\"%s\": found %s, expected %s", cases[c].name, found ? found : "none",
			         cases[c].nearest ? cases[c].nearest : "none");
	}
	assert_null(text_nearest(SLICE_LITERAL("a"), NULL, 0));
	memset(longest, 'a', sizeof(longest));
	longest[65] = '\0';
	assert_null(text_nearest(slice_of(longest), (const char *const[]){longest}, 1));
	longest[64] = '\0';
	assert_non_null(text_nearest(slice_of(longest), (const char *const[]){longest}, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(duration_test),
	        cmocka_unit_test(bytes_test),
	        cmocka_unit_test(nearest_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
