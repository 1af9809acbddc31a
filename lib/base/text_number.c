/* Numbers and UTF-8 as text. The program never calls setlocale, so printf and strtod are those of the C locale. */
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/text.h"

#define EXACT_INTEGER_MAX 9007199254740992.0 /* 2^53 */
#define DECIMALS_MAX      6
#define DECIMALS_BELOW    1e9  /* times 10^6 is an integer of at most 15 digits */
#define DECIMALS_FROM     1e-4 /* smaller numbers are written with an exponent */
#define PRINTED_TEXT_MAX  32
#define NUMBER_TEXT_MAX   1024

/*
 * A number with few decimals, without printf. An integer below 2^53 over a power of ten is rounded once, just as the
 * reader of the text rounds: where that gives `value`, so does the text.
 */
static bool append_decimals(struct buffer *out, double value)
{
	double magnitude = fabs(value), scale = 1;

	if (!(magnitude >= DECIMALS_FROM && magnitude < DECIMALS_BELOW))
		return false;
	for (int decimals = 1; decimals <= DECIMALS_MAX; decimals++) {
		char digits[DECIMALS_MAX + 1];
		int64_t scaled, fraction;

		scale *= 10;
		scaled = (int64_t)(magnitude * scale + 0.5);
		if ((double)scaled / scale != magnitude)
			continue;
		fraction = scaled % (int64_t)scale;
		for (int i = decimals; i > 0; i--, fraction /= 10)
			digits[i] = (char)('0' + fraction % 10);
		digits[0] = '.';
		if (value < 0)
			buffer_append_char(out, '-');
		text_bigint(out, scaled / (int64_t)scale);
		buffer_append(out, digits, (size_t)decimals + 1);
		return true;
	}
	return false;
}

static void append_finite(struct buffer *out, double value)
{
	char text[PRINTED_TEXT_MAX];

	if (value == floor(value) && fabs(value) < EXACT_INTEGER_MAX && !(value == 0 && signbit(value))) {
		text_bigint(out, (int64_t)value);
		return;
	}
	if (append_decimals(out, value))
		return;
	/* 15 digits name every normal number that has a text so short; subnormal ones have fewer digits. */
	for (int digits = fabs(value) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	buffer_append_text(out, text);
}

void text_json_double(struct buffer *out, double value)
{
	if (isfinite(value))
		append_finite(out, value);
	else
		buffer_append_text(out, "null");
}

void text_double(struct buffer *out, double value)
{
	if (isnan(value))
		buffer_append_text(out, "NaN");
	else if (isinf(value))
		buffer_append_text(out, value > 0 ? "+Inf" : "-Inf");
	else
		append_finite(out, value);
}

void text_bigint(struct buffer *out, int64_t value)
{
	char text[24];
	char *p = text + sizeof(text);
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	do
		*--p = (char)('0' + rest % 10);
	while ((rest /= 10) != 0);
	if (value < 0)
		*--p = '-';
	buffer_append(out, p, (size_t)(text + sizeof(text) - p));
}

/* A NUL-terminated copy of a number's text; false where it is too long or begins with a space, as strto* would skip. */
static bool number_text(struct slice text, char *copy)
{
	if (text.size == 0 || text.size >= NUMBER_TEXT_MAX || memchr(text.data, '\0', text.size))
		return false;
	if (!strchr("+-.0123456789nNiI", text.data[0]))
		return false;
	memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	return true;
}

bool text_parse_double(struct slice text, double *ret_value)
{
	char copy[NUMBER_TEXT_MAX];
	char *end;
	double value;

	if (!number_text(text, copy) || strpbrk(copy, "xX("))
		return false;
	errno = 0;
	value = strtod(copy, &end);
	if (*end || end == copy || (errno == ERANGE && (isinf(value) || value == 0)))
		return false;
	*ret_value = value;
	return true;
}

bool text_parse_bigint(struct slice text, int64_t *ret_value)
{
	char copy[NUMBER_TEXT_MAX];
	char *end;
	long long value;

	if (!number_text(text, copy))
		return false;
	errno = 0;
	value = strtoll(copy, &end, 10);
	if (*end || end == copy || errno == ERANGE)
		return false;
	*ret_value = value;
	return true;
}

/* Unicode's table 3-7. */
size_t text_utf8_length(const void *text, size_t left)
{
	const unsigned char *p = text;
	unsigned char low = 0x80, high = 0xbf;
	size_t length;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (left < length)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

bool text_is_utf8(struct slice text)
{
	for (size_t i = 0; i < text.size;) {
		uint64_t word = UINT64_MAX;
		size_t length;

		if (text.size - i >= sizeof(word))
			memcpy(&word, text.data + i, sizeof(word));
		if (!(word & 0x8080808080808080)) { /* most text is ASCII: eight bytes at once */
			i += sizeof(word);
			continue;
		}
		length = text_utf8_length(text.data + i, text.size - i);
		if (!length)
			return false;
		i += length;
	}
	return true;
}

size_t text_cut(const char *text, size_t max)
{
	size_t size = strnlen(text, max), at = 0, length;

	while (at < size && (length = text_utf8_length(text + at, size - at)))
		at += length;
	return at;
}

void text_escape(struct buffer *out, uint32_t c)
{
	switch (c) {
	case '"':
		buffer_append_text(out, "\\\"");
		break;
	case '\\':
		buffer_append_text(out, "\\\\");
		break;
	case '\n':
		buffer_append_text(out, "\\n");
		break;
	case '\r':
		buffer_append_text(out, "\\r");
		break;
	case '\t':
		buffer_append_text(out, "\\t");
		break;
	default:
		buffer_printf(out, "\\u%04" PRIx32, c);
	}
}

void text_json_string(struct buffer *out, struct slice text)
{
	const unsigned char *p = (const unsigned char *)text.data;
	size_t plain = 0; /* bytes before i that are not appended yet */

	buffer_append_char(out, '"');
	for (size_t i = 0; i < text.size;) {
		size_t length = text_utf8_length(p + i, text.size - i);

		if (length > 1 || (length == 1 && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\')) {
			plain += length;
			i += length;
			continue;
		}
		buffer_append(out, p + i - plain, plain);
		plain = 0;
		if (length)
			text_escape(out, p[i]);
		else
			buffer_append_text(out, "\xef\xbf\xbd");
		i++;
	}
	buffer_append(out, p + text.size - plain, plain);
	buffer_append_char(out, '"');
}
