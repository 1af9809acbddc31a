/* Casts, with PostgreSQL's rounding, ranges and texts. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/text.h"
#include "lib/data/civil.h"
#include "lib/expr/kernels.h"

/* `statement` sets `out` (the result column) at `row` from `in`, or a reason. */
#define CAST_LOOP(name, statement)                                                                                     \
	static const struct column *name(struct node *node, struct run *run, const uint32_t *rows, size_t n)           \
	{                                                                                                              \
		const struct column *in = node->children[0]->run(node->children[0], run, rows, n);                     \
		struct column *out = &node->result;                                                                    \
                                                                                                                       \
		for (size_t i = 0; i < n; i++) {                                                                       \
			uint32_t row = rows[i];                                                                        \
			const char *reason = NULL;                                                                     \
                                                                                                                       \
			out->valid[row] = in->valid[row];                                                              \
			if (!in->valid[row])                                                                           \
				continue;                                                                              \
			statement;                                                                                     \
			if (reason)                                                                                    \
				row_fail(run, out, row, reason);                                                       \
		}                                                                                                      \
		return out;                                                                                            \
	}

static const char int_range[] = "integer out of range", bigint_range[] = "bigint out of range";

static const char *narrow(int64_t value, int32_t *out)
{
	*out = (int32_t)value;
	return *out == value ? NULL : int_range;
}

static const char *double_to_int(double value, int32_t *out)
{
	double rounded = rint(value);

	if (!(rounded >= -2147483648.0 && rounded <= 2147483647.0))
		return int_range;
	*out = (int32_t)rounded;
	return NULL;
}

static const char *double_to_bigint(double value, int64_t *out)
{
	double rounded = rint(value);

	if (!(rounded >= -9223372036854775808.0 && rounded < 9223372036854775808.0))
		return bigint_range;
	*out = (int64_t)rounded;
	return NULL;
}

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

static const char *text_to_bigint(struct slice text, int64_t *out)
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
	*out = negative ? (int64_t)(0 - value) : (int64_t)value;
	return NULL;
}

static const char *text_to_int(struct slice text, int32_t *out)
{
	int64_t value;

	if (!integer_shaped(trimmed(text)))
		return "invalid input syntax for type integer";
	if (text_to_bigint(text, &value) || narrow(value, out))
		return "value out of range for type integer";
	return NULL;
}

static const char *text_to_double(struct slice text, double *out)
{
	static const struct {
		const char *name;
		double value;
	} names[] = {{"nan", NAN},      {"infinity", INFINITY}, {"+infinity", INFINITY}, {"-infinity", -INFINITY},
	             {"inf", INFINITY}, {"+inf", INFINITY},     {"-inf", -INFINITY}};
	struct slice number = trimmed(text);
	char copy[512];
	char *end;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (number.size == strlen(names[i].name) && !strncasecmp(number.data, names[i].name, number.size)) {
			*out = names[i].value;
			return NULL;
		}
	}
	if (!number.size || number.size >= sizeof(copy) || strspn(number.data, "+-.0123456789eE") < number.size)
		return "invalid input syntax for type double precision";
	memcpy(copy, number.data, number.size);
	copy[number.size] = '\0';
	*out = strtod(copy, &end);
	if (*end || end == copy)
		return "invalid input syntax for type double precision";
	if (isinf(*out) ||
	    (*out == 0 && strpbrk(copy, "123456789") && strpbrk(copy, "123456789") < copy + strcspn(copy, "eE")))
		return "value out of range for type double precision";
	return NULL;
}

/* Any beginning of true, false, yes, no, that is not ambiguous; on, off, 1, 0. */
static const char *text_to_boolean(struct slice text, uint8_t *out)
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
			*out = names[i].value;
			return NULL;
		}
	}
	return "invalid input syntax for type boolean";
}

static struct slice copy_text(struct run *run, const struct buffer *text)
{
	return arena_copy(run->arena, buffer_slice(text));
}

static struct slice bigint_to_text(struct run *run, int64_t value)
{
	char text[24];

	return arena_copy(run->arena,
	                  (struct slice){text, (size_t)snprintf(text, sizeof(text), "%lld", (long long)value)});
}

/* PostgreSQL's shortest exact form: fixed from 1e-4 to below 1e15, else scientific with two digits of exponent or more.
 */
static struct slice double_to_text(struct run *run, double value)
{
	char digits[40], text[64];
	int exponent, precision = 0, size;

	if (isnan(value))
		return SLICE_LITERAL("NaN");
	if (isinf(value))
		return value > 0 ? SLICE_LITERAL("Infinity") : SLICE_LITERAL("-Infinity");
	if (value == 0)
		return signbit(value) ? SLICE_LITERAL("-0") : SLICE_LITERAL("0");
	do
		snprintf(digits, sizeof(digits), "%.*e", precision, value);
	while (strtod(digits, NULL) != value && precision++ < 16);
	exponent = atoi(strchr(digits, 'e') + 1);
	if (exponent >= -4 && exponent < 15)
		size = snprintf(text, sizeof(text), "%.*f", precision > exponent ? precision - exponent : 0, value);
	else
		size = snprintf(text, sizeof(text), "%s", digits);
	return arena_copy(run->arena, (struct slice){text, (size_t)size});
}

/* "2026-11-24 08:00:00.5+00": PostgreSQL's text at UTC. */
static struct slice timestamp_to_text(struct run *run, int64_t ms)
{
	struct buffer text;
	struct slice copy;

	buffer_init(&text);
	civil_format(&text, ms);
	text.size--; /* Z */
	text.data[text.size - 13] = ' ';
	while (text.data[text.size - 1] == '0' && text.data[text.size - 3] != ':')
		text.size--;
	if (text.data[text.size - 1] == '0')
		text.size--;
	if (text.data[text.size - 1] == '.')
		text.size--;
	buffer_append_text(&text, "+00");
	copy = copy_text(run, &text);
	buffer_release(&text);
	return copy;
}

static const char *text_to_timestamp(struct slice text, int64_t *out)
{
	return civil_parse(trimmed(text), out) ? NULL : "invalid input syntax for type timestamp with time zone";
}

CAST_LOOP(boolean_to_int, out->ints[row] = in->booleans[row])
CAST_LOOP(boolean_to_string, out->strings[row] = in->booleans[row] ? SLICE_LITERAL("true") : SLICE_LITERAL("false"))
CAST_LOOP(int_to_boolean, out->booleans[row] = in->ints[row] != 0)
CAST_LOOP(int_to_bigint, out->bigints[row] = in->ints[row])
CAST_LOOP(int_to_double, out->doubles[row] = in->ints[row])
CAST_LOOP(int_to_string, out->strings[row] = bigint_to_text(run, in->ints[row]))
CAST_LOOP(bigint_to_int, reason = narrow(in->bigints[row], &out->ints[row]))
CAST_LOOP(bigint_to_double, out->doubles[row] = (double)in->bigints[row])
CAST_LOOP(bigint_to_string, out->strings[row] = bigint_to_text(run, in->bigints[row]))
CAST_LOOP(double_to_int_loop, reason = double_to_int(in->doubles[row], &out->ints[row]))
CAST_LOOP(double_to_bigint_loop, reason = double_to_bigint(in->doubles[row], &out->bigints[row]))
CAST_LOOP(double_to_string, out->strings[row] = double_to_text(run, in->doubles[row]))
CAST_LOOP(string_to_boolean, reason = text_to_boolean(in->strings[row], &out->booleans[row]))
CAST_LOOP(string_to_int, reason = text_to_int(in->strings[row], &out->ints[row]))
CAST_LOOP(string_to_bigint, reason = text_to_bigint(in->strings[row], &out->bigints[row]))
CAST_LOOP(string_to_double, reason = text_to_double(in->strings[row], &out->doubles[row]))
CAST_LOOP(string_to_timestamp, reason = text_to_timestamp(in->strings[row], &out->bigints[row]))
CAST_LOOP(timestamp_to_string, out->strings[row] = timestamp_to_text(run, in->bigints[row]))

kernel *cast_kernel(enum type from, enum type to)
{
	static kernel *const casts[TYPE_COUNT][TYPE_COUNT] = {
	        [TYPE_BOOLEAN] = {[TYPE_INT] = boolean_to_int, [TYPE_STRING] = boolean_to_string},
	        [TYPE_INT] = {[TYPE_BOOLEAN] = int_to_boolean,
	                      [TYPE_BIGINT] = int_to_bigint,
	                      [TYPE_DOUBLE] = int_to_double,
	                      [TYPE_STRING] = int_to_string},
	        [TYPE_BIGINT] = {[TYPE_INT] = bigint_to_int,
	                         [TYPE_DOUBLE] = bigint_to_double,
	                         [TYPE_STRING] = bigint_to_string},
	        [TYPE_DOUBLE] = {[TYPE_INT] = double_to_int_loop,
	                         [TYPE_BIGINT] = double_to_bigint_loop,
	                         [TYPE_STRING] = double_to_string},
	        [TYPE_STRING] = {[TYPE_BOOLEAN] = string_to_boolean,
	                         [TYPE_INT] = string_to_int,
	                         [TYPE_BIGINT] = string_to_bigint,
	                         [TYPE_DOUBLE] = string_to_double,
	                         [TYPE_TIMESTAMP] = string_to_timestamp},
	        [TYPE_TIMESTAMP] = {[TYPE_STRING] = timestamp_to_string},
	};

	return casts[from][to];
}
