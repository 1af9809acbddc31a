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

bool text_is_utf8(struct slice text);

#endif
