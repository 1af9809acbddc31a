/*
 * Texts that resemble each other, each deflated by itself against a dictionary of the first ones: a cache of a thousand
 * objects of one kind says most things a thousand times. Inside operator/cache only.
 *
 * The dictionary only grows, by texts that resemble nothing in it yet, up to DICTIONARY_BYTES_MAX. A packed text knows
 * how much of it there was, so it can always be unpacked.
 *
 * Threads: packing and unpacking read what `dictionary_used` says at the time of the call, learning writes behind that:
 * whoever calls learn excludes other learners and readers of `used`.
 */
#ifndef STREAMJOB_PACKED_H
#define STREAMJOB_PACKED_H

#include <stdint.h>

#include "lib/base/slice.h"

#define DICTIONARY_BYTES_MAX ((size_t)16 * 1024)

struct dictionary {
	size_t used;
	char *text; /* NULL before the first */
};

struct packed {
	char *data;
	uint32_t size, text_size;
	uint32_t dictionary_used;
};

/* Texts of up to 4 GiB. The data is the caller's to free, as large as it must be. */
void packed_make(const struct dictionary *dictionary, size_t dictionary_used, struct slice text,
                 struct packed *ret_packed);
/* The text, with a NUL behind it; the caller's. */
char *packed_text(const struct dictionary *dictionary, const struct packed *packed);
/* Adds the text to the dictionary where that helps with others like it. */
void dictionary_learn(struct dictionary *dictionary, struct slice text, const struct packed *packed);
void dictionary_release(struct dictionary *dictionary);

#endif
