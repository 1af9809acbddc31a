/*
 * An arena: memory that is given back all at once. One for each batch of a lane, reset as one.
 * Threads: one owner at a time.
 */
#ifndef STREAMJOB_ARENA_H
#define STREAMJOB_ARENA_H

#include <stdint.h>

#include "lib/base/slice.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* newest first */
	char *next;
	char *end;
	size_t bytes; /* reserved from malloc, all chunks */
};

#define ARENA_CHUNK_BYTES (64 * 1024)

void arena_init(struct arena *arena);
void arena_release(struct arena *arena);
/* Forgets all allocations; keeps the memory for reuse up to ARENA_KEEP_BYTES. */
void arena_reset(struct arena *arena);
#define ARENA_KEEP_BYTES (16 * 1024 * 1024)

/* `size` bytes, uninitialized, aligned to 16. Never NULL, also for no bytes: out of memory ends the process. */
void *arena_alloc(struct arena *arena, size_t size);
/* Gives back all but the first `size` bytes of the newest allocation. */
void arena_trim(struct arena *arena, void *newest, size_t size);
void *arena_zalloc(struct arena *arena, size_t size);
struct slice arena_copy(struct arena *arena, struct slice bytes);
/* A NUL-terminated copy. */
char *arena_string(struct arena *arena, struct slice bytes);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
