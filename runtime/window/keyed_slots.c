#include "runtime/window/keyed_slots.h"

#include <stdlib.h>

#define CHUNK_BYTES_MIN 4096
#define CHUNK_BYTES_MAX ((size_t)1 << 20)

void slots_free(struct keyed_table *table)
{
	budget_free(table->budget, table->slots, table->capacity * sizeof(struct slot));
	table->slots = NULL;
	table->capacity = 0;
}

bool slots_grow(struct keyed_table *table)
{
	size_t capacity = table->capacity ? table->capacity * 2 : TABLE_SLOTS_MIN;
	struct slot *slots = budget_alloc(table->budget, capacity * sizeof(struct slot));

	if (!slots)
		return false;
	memset(slots, 0, capacity * sizeof(struct slot));
	for (size_t s = 0; s < table->capacity; s++) {
		size_t i = table->slots[s].hash & (capacity - 1);

		if (!table->slots[s].group)
			continue;
		while (slots[i].group)
			i = (i + 1) & (capacity - 1);
		slots[i] = table->slots[s];
	}
	slots_free(table);
	table->slots = slots;
	table->capacity = capacity;
	return true;
}

struct group *slots_find(const struct keyed_table *table, struct slice key, uint64_t hash)
{
	if (!table->capacity)
		return NULL;
	for (size_t i = hash & (table->capacity - 1); table->slots[i].group; i = (i + 1) & (table->capacity - 1)) {
		struct group *group = table->slots[i].group;

		if (table->slots[i].hash == hash && group->key_size == key.size &&
		    memcmp(group->key, key.data, key.size) == 0)
			return group;
	}
	return NULL;
}

void slots_place(struct keyed_table *table, struct group *group)
{
	size_t mask = table->capacity - 1, i = group->hash & mask;

	while (table->slots[i].group)
		i = (i + 1) & mask;
	table->slots[i] = (struct slot){group->hash, group};
	table->groups++;
}

void slots_remove(struct keyed_table *table, struct group *group)
{
	size_t mask = table->capacity - 1, hole = group->hash & mask;

	while (table->slots[hole].group != group)
		hole = (hole + 1) & mask;
	for (size_t i = (hole + 1) & mask; table->slots[i].group; i = (i + 1) & mask) {
		if (((i - table->slots[i].hash) & mask) < ((i - hole) & mask))
			continue;
		table->slots[hole] = table->slots[i];
		hole = i;
	}
	table->slots[hole].group = NULL;
	table->groups--;
}

void chunks_free(struct keyed_table *table)
{
	while (table->chunks) {
		struct chunk *chunk = table->chunks;

		table->chunks = chunk->older;
		budget_free(table->budget, chunk, sizeof(*chunk) + chunk->size);
	}
	table->chunk_bytes = 0;
}

void *chunks_alloc(struct keyed_table *table, size_t size)
{
	struct chunk *chunk = table->chunks;

	if (!chunk || chunk->size - chunk->used < size) {
		size_t bytes = table->chunk_bytes < CHUNK_BYTES_MIN ? CHUNK_BYTES_MIN : table->chunk_bytes;

		bytes = bytes > CHUNK_BYTES_MAX ? CHUNK_BYTES_MAX : bytes;
		bytes = bytes < size ? size : bytes;
		chunk = budget_alloc(table->budget, sizeof(*chunk) + bytes);
		if (!chunk && bytes > size) {
			bytes = size; /* the last bytes of the budget */
			chunk = budget_alloc(table->budget, sizeof(*chunk) + bytes);
		}
		if (!chunk)
			return NULL;
		*chunk = (struct chunk){.older = table->chunks, .size = bytes};
		table->chunks = chunk;
		table->chunk_bytes += bytes;
	}
	chunk->used += size;
	return (char *)(chunk + 1) + chunk->used - size;
}
