/*
 * The groups of a table in a heap by rank, the largest first: whom a smaller one takes the place of. Ranks are hashes
 * that are the same in every process; keys of one rank are ordered by their bytes. Inside runtime/window only.
 */
#ifndef STREAMJOB_RANK_HEAP_H
#define STREAMJOB_RANK_HEAP_H

#include <stdint.h>

#include "lib/base/slice.h"

struct ranked {
	uint64_t rank;
	struct slice key; /* the group's */
	void *group;
};

struct ranked rank_of(struct slice key, void *group);
bool rank_less(const struct ranked *left, const struct ranked *right);
/* Makes a heap of any array. */
void rank_heap_make(struct ranked *heap, size_t count);
/* After heap[0] became another one. */
void rank_heap_sift(struct ranked *heap, size_t count);

#endif
