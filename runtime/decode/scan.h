/*
 * The lexical half of JSON (RFC 8259): strings with their UTF-8 and escapes, numbers, words, white space. Inside
 * runtime/decode only. Nothing is read at or past `end`.
 */
#ifndef STREAMJOB_DECODE_SCAN_H
#define STREAMJOB_DECODE_SCAN_H

#include "lib/base/arena.h"

struct scan {
	const char *begin, *at, *end;
	const char *wrong; /* NULL, or what was expected at `at` */
};

#define DIGITS_KEPT 19 /* that many always fit 64 bits */

struct scanned_number {
	struct slice text;
	uint64_t digits;  /* the first DIGITS_KEPT significant digits as one integer */
	int32_t fraction; /* how many of them stand after the point */
	int32_t exponent; /* as written */
	int32_t count;    /* of significant digits */
	bool negative;
};

static inline void skip_space(struct scan *scan)
{
	while (scan->at < scan->end &&
	       (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r'))
		scan->at++;
}

/* From after the opening quote past the closing one. False: wrong. Text is what stands between, escapes and all. */
bool scan_string(struct scan *scan, struct slice *ret_text, bool *ret_escaped);
/* At '-' or a digit. */
bool scan_number(struct scan *scan, struct scanned_number *ret_number);
/* true, false, null, whole. */
bool scan_word(struct scan *scan, const char *word, size_t size);

/* A scanned text without its escapes, in `arena`. */
struct slice unescape(struct slice text, struct arena *arena);
/* The exact nearest double; false where it is out of range. */
bool number_double(const struct scanned_number *number, double *ret_value);
/* The number as an integer, also when written 1.0 or 1e3; false where it is none or out of range. */
bool number_integer(const struct scanned_number *number, int64_t *ret_value);

#endif
