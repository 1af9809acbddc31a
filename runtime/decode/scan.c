/*
 * Strings are scanned sixteen bytes at a time for what ends or interrupts them: a quote, a backslash, a control byte, a
 * byte that is not ASCII. SSE2 is part of x86-64; elsewhere eight bytes at a time in a word.
 */
#include "runtime/decode/scan.h"

#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

static bool wrong(struct scan *scan, const char *at, const char *expected)
{
	scan->at = at;
	scan->wrong = expected;
	return false;
}

#ifdef __SSE2__
/* Past the plain bytes from p on; stops at the first that is not, or within 16 bytes of the end. */
static inline const char *skip_plain(const char *p, const char *end)
{
	const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(0x20);

	for (; end - p >= 16; p += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
		/* Signed: bytes from 0x80 on are below the space too. */
		__m128i special =
		        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
		                     _mm_cmplt_epi8(bytes, space));
		unsigned mask = (unsigned)_mm_movemask_epi8(special);

		if (mask)
			return p + __builtin_ctz(mask);
	}
	return p;
}
#else
#define ONES  0x0101010101010101u
#define HIGHS 0x8080808080808080u

static inline uint64_t has_zero(uint64_t word)
{
	return (word - ONES) & ~word & HIGHS;
}

static inline const char *skip_plain(const char *p, const char *end)
{
	for (; end - p >= 8; p += 8) {
		uint64_t word;

		memcpy(&word, p, sizeof(word));
		if (((word | (word - ONES * 0x20)) & HIGHS) | has_zero(word ^ ONES * '"') |
		    has_zero(word ^ ONES * '\\'))
			return p;
	}
	return p;
}
#endif

/* The length of the UTF-8 character at p (Unicode's table 3-7), 0 where it is none. */
static inline size_t utf8_length(const char *text, const char *end)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t left = (size_t)(end - text);

	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		return left >= 2 && (p[1] & 0xc0) == 0x80 ? 2 : 0;
	if ((p[0] & 0xf0) == 0xe0) {
		if (left < 3 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80 || (p[0] == 0xe0 && p[1] < 0xa0) ||
		    (p[0] == 0xed && p[1] > 0x9f))
			return 0;
		return 3;
	}
	if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		if (left < 4 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80 || (p[3] & 0xc0) != 0x80 ||
		    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
			return 0;
		return 4;
	}
	return 0;
}

/* Four hexadecimal digits, or -1. */
static int hex4(const char *p, const char *end)
{
	int value = 0;

	if (end - p < 4)
		return -1;
	for (size_t i = 0; i < 4; i++) {
		char c = p[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
		            : c >= 'a' && c <= 'f' ? c - 'a' + 10
		            : c >= 'A' && c <= 'F' ? c - 'A' + 10
		                                   : -1;

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* Past the escape at p (a backslash), or NULL. */
static const char *skip_escape(const char *p, const char *end)
{
	int unit;

	if (end - p < 2)
		return NULL;
	if (p[1] != 'u')
		return p[1] && strchr("\"\\/bfnrt", p[1]) ? p + 2 : NULL;
	unit = hex4(p + 2, end);
	if (unit < 0 || (unit >= 0xdc00 && unit <= 0xdfff))
		return NULL;
	p += 6;
	if (unit < 0xd800 || unit > 0xdbff)
		return p;
	/* A high surrogate: its low one must follow. */
	if (end - p < 2 || p[0] != '\\' || p[1] != 'u')
		return NULL;
	unit = hex4(p + 2, end);
	return unit >= 0xdc00 && unit <= 0xdfff ? p + 6 : NULL;
}

bool scan_string(struct scan *scan, struct slice *ret_text, bool *ret_escaped)
{
	const char *begin = scan->at, *p = begin, *end = scan->end, *next;
	bool escaped = false;
	size_t length;

	for (;;) {
		p = skip_plain(p, end);
		if (p == end)
			return wrong(scan, p, "the end of a string");
		if (*p == '"')
			break;
		if (*p == '\\') {
			next = skip_escape(p, end);
			if (!next)
				return wrong(scan, p, "a valid escape");
			escaped = true;
			p = next;
		} else if ((unsigned char)*p >= 0x80) {
			length = utf8_length(p, end);
			if (!length)
				return wrong(scan, p, "valid UTF-8");
			p += length;
		} else if ((unsigned char)*p < 0x20) {
			return wrong(scan, p, "an escape instead of a control character");
		} else {
			p++;
		}
	}
	*ret_text = (struct slice){begin, (size_t)(p - begin)};
	*ret_escaped = escaped;
	scan->at = p + 1;
	return true;
}

static inline bool is_digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

/* Digits go into the number; leading zeros do not count as significant. */
static const char *scan_digits(const char *p, const char *end, struct scanned_number *number)
{
	for (; is_digit(p, end); p++) {
		if (number->count < DIGITS_KEPT)
			number->digits = number->digits * 10 + (uint64_t)(*p - '0');
		number->count += number->digits != 0;
	}
	return p;
}

bool scan_number(struct scan *scan, struct scanned_number *ret_number)
{
	const char *p = scan->at, *end = scan->end, *begin;
	struct scanned_number number = {0};

	number.negative = *p == '-';
	p += number.negative;
	begin = p;
	p = scan_digits(p, end, &number);
	if (p == begin || (*begin == '0' && p > begin + 1))
		return wrong(scan, p == begin ? p : begin, "a number");
	if (p < end && *p == '.') {
		begin = ++p;
		p = scan_digits(p, end, &number);
		if (p == begin)
			return wrong(scan, p, "a digit after the point");
		number.fraction = p - begin > 1000000 ? 1000000 : (int32_t)(p - begin);
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		bool minus;

		p++;
		minus = p < end && *p == '-';
		p += p < end && (*p == '-' || *p == '+');
		if (!is_digit(p, end))
			return wrong(scan, p, "a digit of the exponent");
		for (; is_digit(p, end); p++)
			if (number.exponent < 100000)
				number.exponent = number.exponent * 10 + (*p - '0');
		number.exponent = minus ? -number.exponent : number.exponent;
	}
	number.text = (struct slice){scan->at, (size_t)(p - scan->at)};
	scan->at = p;
	*ret_number = number;
	return true;
}

bool scan_word(struct scan *scan, const char *word, size_t size)
{
	if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, word, size) != 0)
		return wrong(scan, scan->at, "a value");
	scan->at += size;
	return true;
}

static char *put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}

struct slice unescape(struct slice text, struct arena *arena)
{
	static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	const char *p = text.data, *end = p + text.size;
	char *copy = arena_alloc(arena, text.size), *to = copy;

	while (p < end) {
		uint32_t unit;

		if (*p != '\\') {
			*to++ = *p++;
			continue;
		}
		if (p[1] != 'u') {
			*to++ = bytes[strchr(letters, p[1]) - letters];
			p += 2;
			continue;
		}
		unit = (uint32_t)hex4(p + 2, end);
		p += 6;
		if (unit >= 0xd800 && unit <= 0xdbff) {
			unit = 0x10000 + ((unit - 0xd800) << 10) + ((uint32_t)hex4(p + 2, end) - 0xdc00);
			p += 6;
		}
		to = put_utf8(to, unit);
	}
	return (struct slice){copy, (size_t)(to - copy)};
}
