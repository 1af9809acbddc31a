/*
 * An error: one sentence a user can act on. It names the file, line, field or record, what was expected
 * and what to do.
 *
 * Functions that can fail return 0 or a negative number and take `struct error *err` last. On success
 * err is untouched; on failure it is set and the other outputs are untouched. err is never NULL.
 */
#ifndef STREAMJOB_ERROR_H
#define STREAMJOB_ERROR_H

#include <stdarg.h>

#define ERROR_TEXT_MAX 3072

struct error {
	char text[ERROR_TEXT_MAX]; /* NUL-terminated UTF-8; longer text is cut at a character */
};

void error_write(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
void error_write_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline int error_failed(void)
{
	return -1;
}

/* Sets the sentence; is -1, so that `return error_set(err, …)` reads well (and the compiler sees that it fails). */
#define error_set(...) (error_write(__VA_ARGS__), error_failed())
/* Puts "context: " before what err already says; is -1. */
#define error_prefix(...) (error_write_prefix(__VA_ARGS__), error_failed())

#endif
