/*
 * The operator's threads rest most of the time, and what they allocate is small and short-lived: a heap of its own for
 * each, as allocators for speed make them, holds several times what is in use.
 */
#include "operator/manager/heap.h"

#include <malloc.h>

#define HEAPS_MAX   2
#define LARGE_BYTES (128 * 1024) /* a system call of its own, given back when freed: pages of lists */

void heap_init(void)
{
	mallopt(M_ARENA_MAX, HEAPS_MAX);
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
}

void heap_trim(void)
{
	malloc_trim(0);
}
