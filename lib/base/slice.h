/*
 * A slice: bytes that belong to someone else. Not terminated by NUL; may hold any byte.
 */
#ifndef STREAMJOB_SLICE_H
#define STREAMJOB_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *data;
	size_t size;
};

#define SLICE_LITERAL(text) ((struct slice){(text), sizeof(text) - 1})
/* For printf's "%.*s". */
#define SLICE_ARG(slice) (int)(slice).size, (slice).data

static inline struct slice slice_of(const char *text)
{
	return (struct slice){text, strlen(text)};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* memcmp order; a prefix comes before what it begins. */
static inline int slice_compare(struct slice a, struct slice b)
{
	size_t n = a.size < b.size ? a.size : b.size;
	int order = n ? memcmp(a.data, b.data, n) : 0;

	return order ? order : (a.size > b.size) - (a.size < b.size);
}

#endif
