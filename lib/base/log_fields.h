/*
 * The fields of a log line, from the format that the place which logs has and from its values; inside lib/base only.
 *
 *     format: KEY=VALUE, parted by spaces; VALUE is "TEXT" in quotes or TEXT without spaces
 *     TEXT:   literal text and printf's conversions d i u x X o c s p f F e E g G (flags, width, precision, hh h l ll j
 * z)
 *
 * The format is walked once, and each conversion is rendered and escaped alone: what a value holds is never looked at
 * for structure.
 */
#ifndef STREAMJOB_LOG_FIELDS_H
#define STREAMJOB_LOG_FIELDS_H

#include <stdarg.h>

#include "lib/base/buffer.h"

#define LOG_VALUE_MAX 4096 /* bytes of one value, escaped; what is more is cut and said */

/* Appends ` key=value` for each field, or `,"key":value`. All values together have at most bytes_max bytes, escaped. */
void log_fields_append(struct buffer *out, bool json, size_t bytes_max, const char *format, va_list list);

#endif
