/*
 * A growing run of bytes, with a cap. Appending past the cap, and only that, sets `overflow`:
 * callers append freely and look once at the end.
 */
#ifndef STREAMJOB_BUFFER_H
#define STREAMJOB_BUFFER_H

#include <stdint.h>

#include "lib/base/slice.h"

struct buffer {
	char *data; /* NUL follows the last byte once anything was appended */
	size_t size;
	size_t capacity;
	size_t max; /* cap in bytes; BUFFER_BYTES_MAX by default */
	bool overflow;
};

#define BUFFER_BYTES_MAX ((size_t)1 << 30)

void buffer_init(struct buffer *buffer);
void buffer_release(struct buffer *buffer);
void buffer_clear(struct buffer *buffer);
void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_append_slice(struct buffer *buffer, struct slice slice);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_char(struct buffer *buffer, char c);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The bytes, NUL-terminated, now the caller's (free()); the buffer is empty again. */
char *buffer_take(struct buffer *buffer);

static inline struct slice buffer_slice(const struct buffer *buffer)
{
	return (struct slice){buffer->data ? buffer->data : "", buffer->size};
}

#endif
