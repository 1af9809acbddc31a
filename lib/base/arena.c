/*
 * Chunks in a list, the newest one is filled. A reset makes one chunk of several, up to ARENA_KEEP_BYTES: a lane's
 * arena soon holds all that a batch needs and never calls malloc again.
 */
#include "lib/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"

/* Under the address sanitizer, memory that is not handed out is poisoned: use after a reset is found. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define POISON(memory, size)   ASAN_POISON_MEMORY_REGION(memory, size)
#define UNPOISON(memory, size) ASAN_UNPOISON_MEMORY_REGION(memory, size)
#else
#define POISON(memory, size)   ((void)(memory), (void)(size))
#define UNPOISON(memory, size) ((void)(memory), (void)(size))
#endif

#define ARENA_ALIGN 16

struct arena_chunk {
	struct arena_chunk *older;
	size_t size; /* of the memory after this header */
	char memory[] __attribute__((aligned(ARENA_ALIGN)));
};

void arena_init(struct arena *arena)
{
	*arena = (struct arena){0};
}

void arena_release(struct arena *arena)
{
	while (arena->chunks) {
		struct arena_chunk *chunk = arena->chunks;

		arena->chunks = chunk->older;
		UNPOISON(chunk->memory, chunk->size);
		free(chunk);
	}
	arena_init(arena);
}

static void add_chunk(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = xmalloc(sizeof(*chunk) + size);

	chunk->size = size;
	chunk->older = arena->chunks;
	arena->chunks = chunk;
	arena->bytes += size;
	arena->next = chunk->memory;
	arena->end = chunk->memory + size;
	POISON(chunk->memory, size);
}

/* One chunk as large as all together replaces several; one that is too large goes. */
void arena_reset(struct arena *arena)
{
	size_t bytes = arena->bytes;

	if (!arena->chunks)
		return;
	if (!arena->chunks->older && bytes <= ARENA_KEEP_BYTES) {
		arena->next = arena->chunks->memory;
		POISON(arena->chunks->memory, arena->chunks->size);
		return;
	}
	arena_release(arena);
	add_chunk(arena, bytes <= ARENA_KEEP_BYTES ? bytes : ARENA_CHUNK_BYTES);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t padded = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	void *memory;

	if (padded < size)
		memory_exhausted();
	if (!padded)
		padded = ARENA_ALIGN; /* never NULL */
	if ((size_t)(arena->end - arena->next) < padded)
		add_chunk(arena, padded > ARENA_CHUNK_BYTES ? padded : ARENA_CHUNK_BYTES);
	memory = arena->next;
	arena->next += padded;
	UNPOISON(memory, size);
	return memory;
}

void arena_trim(struct arena *arena, void *newest, size_t size)
{
	char *keep_end = (char *)newest + size;

	POISON(keep_end, (size_t)(arena->next - keep_end));
	arena->next = (char *)newest + ((size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1));
}

void *arena_zalloc(struct arena *arena, size_t size)
{
	return memset(arena_alloc(arena, size), 0, size);
}

struct slice arena_copy(struct arena *arena, struct slice bytes)
{
	char *copy = arena_alloc(arena, bytes.size);

	if (bytes.size)
		memcpy(copy, bytes.data, bytes.size);
	return (struct slice){copy, bytes.size};
}

char *arena_string(struct arena *arena, struct slice bytes)
{
	char *copy = arena_alloc(arena, bytes.size + 1);

	if (bytes.size)
		memcpy(copy, bytes.data, bytes.size);
	copy[bytes.size] = '\0';
	return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments, again;
	int size;
	char *text;

	va_start(arguments, format);
	va_copy(again, arguments);
	size = vsnprintf(NULL, 0, format, arguments);
	if (size < 0)
		memory_exhausted(); /* past INT_MAX bytes */
	text = arena_alloc(arena, (size_t)size + 1);
	vsnprintf(text, (size_t)size + 1, format, again);
	va_end(again);
	va_end(arguments);
	return text;
}
