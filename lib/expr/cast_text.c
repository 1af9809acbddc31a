/*
 * Texts of values, as PostgreSQL has them. A double's shortest digits are looked for from 15 digits up (a normal double
 * has at most one decimal of 15 digits near it), with the C library's exact conversions.
 */
#include "lib/expr/cast_text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/data/civil.h"

#define NUMBER_TEXT_MAX 1024
#define DIGITS_MAX      17
#define MIDDLE_DIGITS   40
#define DIGITS_SURE     15 /* that many always come back */
#define FIXED_FROM      (-4)
#define FIXED_BELOW     15 /* decimal exponents from and below which a double is written without one */

static struct slice trimmed(struct slice text)
{
	static const char spaces[] = " \t\n\r\v\f";

	while (text.size && text.data[0] && strchr(spaces, text.data[0])) {
		text.data++;
		text.size--;
	}
	while (text.size && text.data[text.size - 1] && strchr(spaces, text.data[text.size - 1]))
		text.size--;
	return text;
}

static bool integer_shaped(struct slice text)
{
	size_t i = text.size && (text.data[0] == '-' || text.data[0] == '+');

	if (i == text.size)
		return false;
	for (; i < text.size; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return true;
}

const char *cast_text_to_bigint(struct slice text, int64_t *ret_value)
{
	struct slice digits = trimmed(text);
	uint64_t value = 0;
	bool negative;

	if (!integer_shaped(digits))
		return "invalid input syntax for type bigint";
	negative = digits.data[0] == '-';
	for (size_t i = negative || digits.data[0] == '+'; i < digits.size; i++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(digits.data[i] - '0'), &value))
			return "value out of range for type bigint";
	if (value > (uint64_t)INT64_MAX + negative)
		return "value out of range for type bigint";
	*ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
	return NULL;
}

const char *cast_text_to_int(struct slice text, int32_t *ret_value)
{
	int64_t value;

	if (!integer_shaped(trimmed(text)))
		return "invalid input syntax for type integer";
	if (cast_text_to_bigint(text, &value) || value < INT32_MIN || value > INT32_MAX)
		return "value out of range for type integer";
	*ret_value = (int32_t)value;
	return NULL;
}

static bool named_double(struct slice text, double *ret_value)
{
	static const struct {
		const char *name;
		double value;
	} names[] = {{"nan", NAN},      {"infinity", INFINITY}, {"+infinity", INFINITY}, {"-infinity", -INFINITY},
	             {"inf", INFINITY}, {"+inf", INFINITY},     {"-inf", -INFINITY}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (text.size == strlen(names[i].name) && !strncasecmp(text.data, names[i].name, text.size)) {
			*ret_value = names[i].value;
			return true;
		}
	}
	return false;
}

const char *cast_text_to_double(struct slice text, double *ret_value)
{
	struct slice number = trimmed(text);
	char copy[NUMBER_TEXT_MAX];
	bool zero = true; /* every digit before the exponent */
	double value;
	char *end;

	if (named_double(number, ret_value))
		return NULL;
	if (!number.size || number.size >= sizeof(copy))
		return "invalid input syntax for type double precision";
	for (size_t i = 0; i < number.size; i++)
		if (!number.data[i] || !strchr("+-.0123456789eE", number.data[i]))
			return "invalid input syntax for type double precision";
	memcpy(copy, number.data, number.size);
	copy[number.size] = '\0';
	value = strtod(copy, &end);
	if (*end || end == copy)
		return "invalid input syntax for type double precision";
	for (const char *c = copy; *c && *c != 'e' && *c != 'E'; c++)
		zero = zero && !(*c >= '1' && *c <= '9');
	if (isinf(value) || (value == 0 && !zero))
		return "value out of range for type double precision";
	*ret_value = value;
	return NULL;
}

/* Any beginning of true, false, yes, no, that is not ambiguous; on, off, 1, 0. */
const char *cast_text_to_boolean(struct slice text, uint8_t *ret_value)
{
	static const struct {
		const char *name;
		size_t least;
		uint8_t value;
	} names[] = {{"true", 1, 1}, {"false", 1, 0}, {"yes", 1, 1}, {"no", 1, 0},
	             {"on", 2, 1},   {"off", 2, 0},   {"1", 1, 1},   {"0", 1, 0}};
	struct slice word = trimmed(text);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (word.size >= names[i].least && word.size <= strlen(names[i].name) &&
		    !strncasecmp(word.data, names[i].name, word.size)) {
			*ret_value = names[i].value;
			return NULL;
		}
	}
	return "invalid input syntax for type boolean";
}

const char *cast_text_to_timestamp(struct slice text, int64_t *ret_ms)
{
	return civil_parse(trimmed(text), ret_ms) ? NULL : "invalid input syntax for type timestamp with time zone";
}

struct slice cast_bigint_to_text(struct arena *arena, int64_t value)
{
	char text[24];

	return arena_copy(arena, (struct slice){text, (size_t)snprintf(text, sizeof(text), "%lld", (long long)value)});
}

/* digits times 10^scale. */
struct decimal {
	long long digits;
	int scale;
};

/*
 * It lies on the middle between `value` and the double whose bits are `step` away. A long double holds that middle, but
 * other decimals than it are read as the same long double: its digits decide.
 */
static bool on_the_middle(struct decimal decimal, const char *text, double value, int step)
{
	char exact[MIDDLE_DIGITS + 24], digits[24];
	uint64_t bits;
	double neighbour;
	long double middle;
	size_t count;

	memcpy(&bits, &value, sizeof(bits));
	bits += (uint64_t)(int64_t)step;
	memcpy(&neighbour, &bits, sizeof(neighbour));
	middle = ((long double)value + (long double)neighbour) / 2;
	if (strtold(text, NULL) != middle)
		return false;
	snprintf(exact, sizeof(exact), "%.*Le", MIDDLE_DIGITS, middle);
	exact[1] = exact[0]; /* over the point */
	count = (size_t)snprintf(digits, sizeof(digits), "%lld", decimal.digits);
	return memcmp(exact + 1, digits, count) == 0 && exact[1 + count + strspn(exact + 1 + count, "0")] == 'e';
}

/* It is read as `value`, and is nearer to it than to any other double. */
static bool names(struct decimal decimal, double value)
{
	char text[48];

	snprintf(text, sizeof(text), "%llde%d", decimal.digits, decimal.scale);
	return strtod(text, NULL) == value && !on_the_middle(decimal, text, value, 1) &&
	       !on_the_middle(decimal, text, value, -1);
}

/* The shortest decimal of a positive double; where the nearest of that many digits is not it, one beside may be. */
static struct decimal shortest(double value)
{
	struct decimal decimal = {0};

	for (int count = value < DBL_MIN ? 1 : DIGITS_SURE; count <= DIGITS_MAX; count++) {
		char text[48];
		char *exponent;

		snprintf(text, sizeof(text), "%.*e", count - 1, value);
		exponent = strchr(text, 'e');
		*exponent = '\0';
		decimal.scale = atoi(exponent + 1) - (count - 1);
		if (count > 1)
			memmove(text + 1, text + 2, (size_t)count); /* the point goes */
		decimal.digits = strtoll(text, NULL, 10);
		if (names(decimal, value))
			break;
		decimal.digits++;
		if (names(decimal, value))
			break;
		decimal.digits -= 2;
		if (names(decimal, value))
			break;
		decimal.digits++;
	}
	while (decimal.digits % 10 == 0) {
		decimal.digits /= 10;
		decimal.scale++;
	}
	return decimal;
}

/* Fixed from 1e-4 to below 1e15, else scientific with two digits of exponent or more. */
struct slice cast_double_to_text(struct arena *arena, double value)
{
	const char *sign = signbit(value) ? "-" : "";
	struct decimal decimal;
	char digits[24], text[64];
	int count, exponent, size;

	if (isnan(value))
		return SLICE_LITERAL("NaN");
	if (isinf(value))
		return value > 0 ? SLICE_LITERAL("Infinity") : SLICE_LITERAL("-Infinity");
	if (value == 0)
		return signbit(value) ? SLICE_LITERAL("-0") : SLICE_LITERAL("0");
	decimal = shortest(fabs(value));
	count = snprintf(digits, sizeof(digits), "%lld", decimal.digits);
	exponent = decimal.scale + count - 1;
	if (exponent < FIXED_FROM || exponent >= FIXED_BELOW)
		size = snprintf(text, sizeof(text), "%s%c%s%se%+03d", sign, digits[0], count > 1 ? "." : "", digits + 1,
		                exponent);
	else if (exponent < 0)
		size = snprintf(text, sizeof(text), "%s0.%.*s%s", sign, -exponent - 1, "0000", digits);
	else if (decimal.scale >= 0)
		size = snprintf(text, sizeof(text), "%s%s%.*s", sign, digits, decimal.scale, "000000000000000");
	else
		size = snprintf(text, sizeof(text), "%s%.*s.%s", sign, exponent + 1, digits, digits + exponent + 1);
	return arena_copy(arena, (struct slice){text, (size_t)size});
}

struct slice cast_timestamp_to_text(struct arena *arena, int64_t ms)
{
	struct civil_time time = civil_from_ms(ms);
	bool before_christ = time.year <= 0;
	char text[64], fraction[8] = "";
	int size;

	if (time.millisecond) {
		size = snprintf(fraction, sizeof(fraction), ".%03d", time.millisecond);
		while (fraction[size - 1] == '0')
			fraction[--size] = '\0';
	}
	size = snprintf(text, sizeof(text), "%04lld-%02d-%02d %02d:%02d:%02d%s+00%s",
	                (long long)(before_christ ? 1 - time.year : time.year), time.month, time.day, time.hour,
	                time.minute, time.second, fraction, before_christ ? " BC" : "");
	return arena_copy(arena, (struct slice){text, (size_t)size});
}
