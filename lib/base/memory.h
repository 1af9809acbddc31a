/*
 * malloc that cannot return NULL, and a budget: memory that is counted against a limit and may be refused.
 *
 * Out of memory ends the process by abort(), after the installed handler has said so: a pod that is out of memory
 * is started again and replays. The room is pure, so the words are main's.
 */
#ifndef STREAMJOB_MEMORY_H
#define STREAMJOB_MEMORY_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *memory, size_t size);
char *xstrdup(const char *text);

/* Before any thread starts. `say` is called on the thread that got no memory, must not allocate, and returns. */
void memory_install_exhausted(void (*say)(void));
/* What the functions above do without memory: says it, and does not return. */
_Noreturn void memory_exhausted(void);

/* Bytes in use by one owner's state, and its limit. Threads: one at a time. */
struct budget {
	size_t used_bytes;
	size_t max_bytes;
};

/* NULL when `size` more bytes would pass the limit. The caller remembers sizes: free and resize take the old one. */
void *budget_alloc(struct budget *budget, size_t size);
void *budget_resize(struct budget *budget, void *memory, size_t old_size, size_t new_size);
void budget_free(struct budget *budget, void *memory, size_t size);

#endif
