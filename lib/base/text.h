/*
 * Numbers, names and times as text, the same in every locale.
 */
#ifndef STREAMJOB_TEXT_H
#define STREAMJOB_TEXT_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"

/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void text_json_string(struct buffer *out, struct slice text);
/* A short text, of at most 17 digits, that reads back as the same double; JSON has no NaN or infinity: those become
 * null. */
void text_json_double(struct buffer *out, double value);
/* The same, as PostgreSQL and Prometheus read it: NaN, +Inf, -Inf for the rest. */
void text_double(struct buffer *out, double value);
void text_bigint(struct buffer *out, int64_t value);

/* Whole text as a double or an int64; false where it is not one (or out of range). Surrounding spaces are refused. */
bool text_parse_double(struct slice text, double *ret_value);
bool text_parse_bigint(struct slice text, int64_t *ret_value);

/* "90s", "1m30s", "500ms", "1h", "2d": milliseconds, at least 0. */
int text_parse_duration(struct slice text, int64_t *ret_ms, struct error *err);
void text_duration(struct buffer *out, int64_t ms);
/* Kubernetes quantities of bytes: "512Mi", "1G", "4096". */
int text_parse_bytes(struct slice text, int64_t *ret_bytes, struct error *err);
void text_bytes(struct buffer *out, int64_t bytes);

/* The name of `names` nearest to `name` (edit distance at most a third of its length), or NULL. */
const char *text_nearest(struct slice name, const char *const *names, size_t count);

/* Any bytes, in lower-case hex or in base64 (RFC 4648, padded). */
void text_hex(struct buffer *out, struct slice bytes);
void text_base64(struct buffer *out, struct slice bytes);

bool text_is_utf8(struct slice text);
/* The bytes of the longest beginning that is UTF-8 and has at most `max` of them. */
size_t text_cut(const char *text, size_t max);
/* The length of the UTF-8 character that `text` begins with, or 0; `left` is at least 1. */
size_t text_utf8_length(const void *text, size_t left);
/* A character of the basic plane as a JSON string has it: \n, \", \u0007. */
void text_escape(struct buffer *out, uint32_t character);

/*
 * In quotes and on one line, for logs and messages, whatever the text holds: what JSON escapes is escaped, and so is
 * what some readers take for the end of a line or a terminal obeys (DEL, U+0080 to U+009F, U+2028, U+2029, marks that
 * turn the direction of text). Bytes that are not UTF-8 become U+FFFD. What is more than `bytes_max` bytes of escaped
 * text is left out and said: "abc… (17 more bytes)". The result is a JSON string.
 */
void text_quote(struct buffer *out, struct slice text, size_t bytes_max);

#endif
