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

#define ERROR_TEXT_MAX 1024

struct error {
	char text[ERROR_TEXT_MAX]; /* NUL-terminated UTF-8; longer text is cut at a character */
};

/* Sets the sentence; returns -1, so that `return error_set(err, …)` reads well. */
int error_set(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " before what err already says; returns -1. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
