/* Numbers, JSON strings and UTF-8 as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <math.h>

#include "lib/base/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void double_test(void **state)
{
	static const struct {
		double value;
		const char *text, *json;
	} cases[] = {
	        {0, "0", "0"},
	        {-0.0, "-0", "-0"},
	        {1, "1", "1"},
	        {-1, "-1", "-1"},
	        {0.5, "0.5", "0.5"},
	        {0.1, "0.1", "0.1"},
	        {-2.25, "-2.25", "-2.25"},
	        {0.1 + 0.2, "0.30000000000000004", "0.30000000000000004"},
	        {1234567.125, "1234567.125", "1234567.125"},
	        {0.0001, "0.0001", "0.0001"},
	        {0.00001, "1e-05", "1e-05"},
	        {1e15, "1000000000000000", "1000000000000000"},
	        {9007199254740991.0, "9007199254740991", "9007199254740991"},
	        {9007199254740993.0, "9007199254740992", "9007199254740992"},
	        {1e21, "1e+21", "1e+21"},
	        {1e300, "1e+300", "1e+300"},
	        {1.7976931348623157e308, "1.7976931348623157e+308", "1.7976931348623157e+308"},
	        {5e-324, "5e-324", "5e-324"},
	        {2.2250738585072014e-308, "2.2250738585072014e-308", "2.2250738585072014e-308"},
	        {NAN, "NaN", "null"},
	        {-NAN, "NaN", "null"},
	        {INFINITY, "+Inf", "null"},
	        {-INFINITY, "-Inf", "null"},
	};

	(void)state;
	for (size_t c = 0; c < COUNT(cases); c++) {
		struct buffer text, json;

		buffer_init(&text);
		buffer_init(&json);
		text_double(&text, cases[c].value);
		text_json_double(&json, cases[c].value);
		if (strcmp(text.data, cases[c].text) != 0 || strcmp(json.data, cases[c].json) != 0)
			fail_msg("%.17g: found %s and %s, expected %s and %s", cases[c].value, text.data, json.data,
			         cases[c].text, cases[c].json);
		buffer_release(&text);
		buffer_release(&json);
	}
}

/* A fixed sequence that looks random. */
static uint64_t next(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15u;
	uint64_t z = *state;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static bool same_double(double a, double b)
{
	return a == b && !signbit(a) == !signbit(b);
}

/* Every double comes back: of random bits, with few decimals, near powers of two and ten. */
static void double_round_trip_test(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint64_t bits = next(&seed);
		double value, back;
		struct buffer out;

		memcpy(&value, &bits, sizeof(value));
		if (i % 4 == 1)
			value = (double)(int64_t)(bits >> 34) / 1000.0;
		else if (i % 4 == 2)
			value = ldexp(1, (int)(bits % 2098) - 1074);
		else if (i % 4 == 3)
			value = nearbyint(ldexp((double)(bits >> 11), -(int)(bits % 53))) / 100.0;
		if (!isfinite(value))
			continue;
		buffer_init(&out);
		text_json_double(&out, value);
		back = strtod(out.data, NULL);
		if (!same_double(back, value))
			fail_msg("%.17g is written as %s", value, out.data);
		if (!text_parse_double(buffer_slice(&out), &back) || !same_double(back, value))
			fail_msg("%.17g is not read from %s", value, out.data);
		if (out.size > 24)
			fail_msg("%.17g is written as %s, which is long", value, out.data);
		buffer_release(&out);
	}
}

static void bigint_test(void **state)
{
	static const struct {
		int64_t value;
		const char *text;
	} cases[] = {
	        {0, "0"},
	        {7, "7"},
	        {-7, "-7"},
	        {1000000, "1000000"},
	        {INT64_MAX, "9223372036854775807"},
	        {INT64_MIN, "-9223372036854775808"},
	};

	(void)state;
	for (size_t c = 0; c < COUNT(cases); c++) {
		struct buffer out;
		int64_t back;

		buffer_init(&out);
		text_bigint(&out, cases[c].value);
		assert_string_equal(out.data, cases[c].text);
		assert_true(text_parse_bigint(buffer_slice(&out), &back));
		assert_true(back == cases[c].value);
		buffer_release(&out);
	}
}

static void parse_test(void **state)
{
	static const struct {
		const char *text;
		bool is_bigint;
		int64_t bigint;
		bool is_double;
		double real;
	} cases[] = {
	        {"0", true, 0, true, 0},
	        {"-5", true, -5, true, -5},
	        {"+5", true, 5, true, 5},
	        {"007", true, 7, true, 7},
	        {"1.5", false, 0, true, 1.5},
	        {".5", false, 0, true, 0.5},
	        {"1e3", false, 0, true, 1000},
	        {"9223372036854775807", true, INT64_MAX, true, 9223372036854775807.0},
	        {"9223372036854775808", false, 0, true, 9223372036854775808.0},
	        {"-9223372036854775808", true, INT64_MIN, true, -9223372036854775808.0},
	        {"-9223372036854775809", false, 0, true, -9223372036854775808.0},
	        {"1e400", false, 0, false, 0},
	        {"1e-400", false, 0, false, 0},
	        {"4.9e-324", false, 0, true, 4.9e-324},
	        {"Infinity", false, 0, true, INFINITY},
	        {"-inf", false, 0, true, -INFINITY},
	        {"", false, 0, false, 0},
	        {" 1", false, 0, false, 0},
	        {"1 ", false, 0, false, 0},
	        {"\t1", false, 0, false, 0},
	        {"1x", false, 0, false, 0},
	        {"0x10", false, 0, false, 0},
	        {"--1", false, 0, false, 0},
	        {"1,5", false, 0, false, 0},
	        {"nan(1)", false, 0, false, 0},
	        {"-", false, 0, false, 0},
	        {"e5", false, 0, false, 0},
	        {"null", false, 0, false, 0},
	};

	(void)state;
	for (size_t c = 0; c < COUNT(cases); c++) {
		size_t size = strlen(cases[c].text);
		char *exact = malloc(size ? size : 1); /* the sanitizer sees what is read behind it */
		int64_t bigint = 42;
		double real = 42;

		memcpy(exact, cases[c].text, size);
		if (text_parse_bigint((struct slice){exact, size}, &bigint) != cases[c].is_bigint ||
		    bigint != (cases[c].is_bigint ? cases[c].bigint : 42))
			fail_msg("\"%s\" as a bigint: %lld", cases[c].text, (long long)bigint);
		if (text_parse_double((struct slice){exact, size}, &real) != cases[c].is_double ||
		    real != (cases[c].is_double ? cases[c].real : 42))
			fail_msg("\"%s\" as a double: %g", cases[c].text, real);
		free(exact);
	}
	assert_false(text_parse_bigint(SLICE_LITERAL("1\0"), &(int64_t){0}));
	assert_false(text_parse_double(SLICE_LITERAL("1\0"), &(double){0}));
}

static void long_number_test(void **state)
{
	char digits[2000];
	int64_t value = 0;

	(void)state;
	memset(digits, '0', sizeof(digits));
	digits[1022] = '7';
	assert_true(text_parse_bigint((struct slice){digits, 1023}, &value));
	assert_int_equal(value, 7);
	assert_false(text_parse_bigint((struct slice){digits, 1024}, &value));
	assert_false(text_parse_double((struct slice){digits, sizeof(digits)}, &(double){0}));
}

static void json_string_test(void **state)
{
	static const struct {
		const char *name;
		struct slice text;
		const char *json;
	} cases[] = {
	        {"nothing", {"", 0}, "\"\""},
	        {"letters", {"abc", 3}, "\"abc\""},
	        {"quote and backslash", {"a\"b\\c", 5}, "\"a\\\"b\\\\c\""},
	        {"control", {"\n\r\t\b\0\x1f\x7f", 7}, "\"\\n\\r\\t\\u0008\\u0000\\u001f\x7f\""},
	        {"UTF-8", {"\xc3\xa9\xe6\x97\xa5\xf0\x9f\x8e\x89", 9}, "\"\xc3\xa9\xe6\x97\xa5\xf0\x9f\x8e\x89\""},
	        {"a lone byte", {"a\xffz", 3}, "\"a\xef\xbf\xbdz\""},
	        {"cut off", {"a\xe6\x97", 3}, "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
	        {"overlong", {"\xc0\x80", 2}, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
	        {"a slash stays", {"a/b", 3}, "\"a/b\""},
	};

	(void)state;
	for (size_t c = 0; c < COUNT(cases); c++) {
		struct buffer out;

		buffer_init(&out);
		text_json_string(&out, cases[c].text);
		if (strcmp(out.data, cases[c].json) != 0)
			fail_msg("%s: found %s, expected %s", cases[c].name, out.data, cases[c].json);
		buffer_release(&out);
	}
}

static void utf8_test(void **state)
{
	static const struct {
		const char *name, *text;
		bool good;
	} cases[] = {
	        {"nothing", "", true},
	        {"ASCII", "az\x7f", true},
	        {"U+0080", "\xc2\x80", true},
	        {"U+07FF", "\xdf\xbf", true},
	        {"U+0800", "\xe0\xa0\x80", true},
	        {"U+D7FF", "\xed\x9f\xbf", true},
	        {"U+E000", "\xee\x80\x80", true},
	        {"U+FFFF", "\xef\xbf\xbf", true},
	        {"U+10000", "\xf0\x90\x80\x80", true},
	        {"U+10FFFF", "\xf4\x8f\xbf\xbf", true},
	        {"a lone continuation", "\x80", false},
	        {"overlong in two", "\xc1\xbf", false},
	        {"overlong in three", "\xe0\x9f\xbf", false},
	        {"overlong in four", "\xf0\x8f\xbf\xbf", false},
	        {"a surrogate", "\xed\xa0\x80", false},
	        {"past U+10FFFF", "\xf4\x90\x80\x80", false},
	        {"0xf5", "\xf5\x80\x80\x80", false},
	        {"cut after one of two", "a\xc3", false},
	        {"cut after two of three", "\xe6\x97", false},
	        {"cut after three of four", "\xf0\x9f\x8e", false},
	        {"a letter in the middle", "\xe6\x97z", false},
	        {"across eight bytes", "abcdefg\xc3\xa9xyzabcdefg", true},
	        {"after eight bytes", "abcdefgh\xf0\x9f\x8e\x89", true},
	        {"a lone continuation after eight bytes", "abcdefgh\x80", false},
	        {"cut after eight letters and one of two", "abcdefgh\xc3", false},
	        {"wrong within eight bytes",
	         "abcdefghabc\x80"
	         "defgh",
	         false},
	};

	(void)state;
	for (size_t c = 0; c < COUNT(cases); c++) {
		size_t size = strlen(cases[c].text);
		char *exact = malloc(size ? size : 1);

		memcpy(exact, cases[c].text, size);
		if (text_is_utf8((struct slice){exact, size}) != cases[c].good)
			fail_msg("%s", cases[c].name);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(double_test),      cmocka_unit_test(double_round_trip_test),
	        cmocka_unit_test(bigint_test),      cmocka_unit_test(parse_test),
	        cmocka_unit_test(long_number_test), cmocka_unit_test(json_string_test),
	        cmocka_unit_test(utf8_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
