/*
 * The memory of a keyed table: the slots, with linear probing, and the chunks that groups lie in. Inside runtime/window
 * only.
 */
#ifndef STREAMJOB_KEYED_SLOTS_H
#define STREAMJOB_KEYED_SLOTS_H

#include "lib/base/memory.h"
#include "runtime/window/keyed_table.h"
#include "runtime/window/rank_heap.h"

#define TABLE_SLOTS_MIN 256
#define GROUP_ALIGN     16

struct group {
	uint64_t hash;
	const char *key;
	size_t key_size;
	uint32_t rows;   /* where the smallest are kept: how many it has, at most UINT32_MAX */
	uint32_t number; /* in the order they were made; it also makes states begin at a multiple of GROUP_ALIGN */
};

struct slot {
	uint64_t hash;
	struct group *group; /* NULL: empty */
};

struct chunk {
	struct chunk *older;
	size_t size, used; /* of the memory after this header */
	uint64_t unused;
};

struct keyed_table {
	const struct aggregation *aggregations;
	size_t *state_offsets; /* from the group */
	size_t calls_count, states_end;
	uint32_t number;
	struct budget *budget;
	size_t groups_max, groups;
	uint32_t made;
	uint64_t displaced_rows; /* that groups had which others took the place of */
	bool keeps_smallest, starved;
	struct ranked *heap; /* of groups_max; NULL before that many are there */
	struct slot *slots;
	size_t capacity; /* a power of two */
	struct chunk *chunks;
	size_t chunk_bytes; /* of all chunks */
	bool releases;      /* some aggregate has memory of its own */
};

static inline size_t group_align(size_t size)
{
	return (size + GROUP_ALIGN - 1) & ~(size_t)(GROUP_ALIGN - 1);
}

/* False: the budget is out, and the slots are as they were. */
bool slots_grow(struct keyed_table *table);
void slots_free(struct keyed_table *table);
struct group *slots_find(const struct keyed_table *table, struct slice key, uint64_t hash);
/* There is room, and no group has the key. */
void slots_place(struct keyed_table *table, struct group *group);
/* Out of its slot; those behind it that would not be found any more move up. */
void slots_remove(struct keyed_table *table, struct group *group);

/* NULL: the budget is out. */
void *chunks_alloc(struct keyed_table *table, size_t size);
void chunks_free(struct keyed_table *table);

#endif
