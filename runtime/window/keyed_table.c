/*
 * Slots of hash and group, linear probing, at most three quarters full; groups lie in chunks that never move:
 *
 *   struct group | states of all calls, each aligned to 16 | key bytes
 *
 * When the budget refuses a larger slot array the table goes on to fifteen sixteenths; then new groups are refused. At
 * groups_max new groups are refused too, or, where the smallest are kept, take the place of the one of the largest
 * rank: a group that is among the smallest of all is so when its first row comes, and stays.
 */
#include "runtime/window/keyed_table.h"

#include <stdlib.h>

#include "lib/base/hash.h"
#include "runtime/window/keyed_slots.h"

#define PROBE_BLOCK   128 /* rows whose cache misses overlap */
#define COMBINE_BLOCK 256

struct keyed_table *keyed_table_new(const struct aggregation *aggregations, size_t count, struct budget *budget,
                                    size_t groups_max, uint32_t number)
{
	struct keyed_table *table = xcalloc(1, sizeof(*table));

	table->aggregations = aggregations;
	table->calls_count = count;
	table->budget = budget;
	table->groups_max = groups_max;
	table->number = number;
	table->state_offsets = xcalloc(count, sizeof(size_t));
	table->states_end = sizeof(struct group);
	for (size_t c = 0; c < count; c++) {
		table->state_offsets[c] = table->states_end;
		table->states_end += group_align(aggregations[c].aggregate->state_size);
		table->releases = table->releases || aggregations[c].aggregate->release;
	}
	return table;
}

static void release_group(struct keyed_table *table, struct group *group)
{
	for (size_t c = 0; c < table->calls_count; c++)
		if (table->aggregations[c].aggregate->release)
			table->aggregations[c].aggregate->release(keyed_table_state(table, group, c), table->budget);
}

static void release_states(struct keyed_table *table)
{
	for (size_t s = 0; s < table->capacity && table->releases; s++)
		if (table->slots[s].group)
			release_group(table, table->slots[s].group);
}

static void free_heap(struct keyed_table *table)
{
	budget_free(table->budget, table->heap, table->groups_max * sizeof(struct ranked));
	table->heap = NULL;
}

void keyed_table_free(struct keyed_table *table)
{
	if (!table)
		return;
	release_states(table);
	chunks_free(table);
	slots_free(table);
	free_heap(table);
	free(table->state_offsets);
	free(table);
}

/* Slots that were used well stay; the newest chunk, the largest, stays where one was enough. */
void keyed_table_clear(struct keyed_table *table)
{
	release_states(table);
	if (table->capacity > TABLE_SLOTS_MIN && table->groups * 8 < table->capacity)
		slots_free(table);
	else if (table->slots)
		memset(table->slots, 0, table->capacity * sizeof(struct slot));
	if (table->chunks && !table->chunks->older)
		table->chunks->used = 0;
	else
		chunks_free(table);
	free_heap(table);
	table->groups = 0;
	table->made = 0;
	table->displaced_rows = 0;
	table->starved = false;
}

void keyed_table_keep_smallest(struct keyed_table *table)
{
	table->keeps_smallest = true;
}

size_t keyed_table_limit(struct keyed_table *table, size_t groups_max)
{
	size_t before = table->groups_max;

	free_heap(table);
	table->groups_max = groups_max;
	return before;
}

bool keyed_table_starved(const struct keyed_table *table)
{
	return table->starved;
}

size_t keyed_table_groups(const struct keyed_table *table)
{
	return table->groups;
}

void *keyed_table_state(const struct keyed_table *table, void *group, size_t call)
{
	return (char *)group + table->state_offsets[call];
}

struct slice keyed_table_key(const void *group)
{
	const struct group *header = group;

	return (struct slice){header->key, header->key_size};
}

uint32_t keyed_table_number(const struct keyed_table *table)
{
	return table->number;
}

uint32_t keyed_table_group_number(const void *group)
{
	return ((const struct group *)group)->number;
}

static size_t group_bytes(const struct keyed_table *table, size_t key_size)
{
	return group_align(table->states_end + key_size);
}

static void write_group(struct keyed_table *table, struct group *group, struct slice key, uint64_t hash)
{
	char *bytes = (char *)group + table->states_end;

	if (key.size)
		memcpy(bytes, key.data, key.size);
	*group = (struct group){.hash = hash, .key = bytes, .key_size = key.size, .number = table->made++};
	for (size_t c = 0; c < table->calls_count; c++)
		table->aggregations[c].aggregate->init(keyed_table_state(table, group, c),
		                                       (struct state_place){table->number, group->number});
}

static bool slots_for_one(struct keyed_table *table)
{
	if (table->groups * 4 < table->capacity * 3 || slots_grow(table))
		return true;
	return table->groups * 16 < table->capacity * 15;
}

void *keyed_table_find(const struct keyed_table *table, const void *group)
{
	return slots_find(table, keyed_table_key(group), ((const struct group *)group)->hash);
}

static bool make_heap(struct keyed_table *table)
{
	size_t count = 0;

	if (table->heap)
		return true;
	table->heap = budget_alloc(table->budget, table->groups_max * sizeof(struct ranked));
	if (!table->heap)
		return false;
	for (size_t s = 0; s < table->capacity; s++)
		if (table->slots[s].group)
			table->heap[count++] = rank_of(keyed_table_key(table->slots[s].group), table->slots[s].group);
	rank_heap_make(table->heap, count);
	return true;
}

/* Instead of the group of the largest rank, in its memory where the key fits; NULL where the key's own is larger. */
static struct group *make_instead(struct keyed_table *table, struct slice key, uint64_t hash)
{
	struct ranked ranked = rank_of(key, NULL);
	struct group *largest, *group;

	if (!make_heap(table)) {
		table->starved = true;
		return NULL;
	}
	if (!rank_less(&ranked, &table->heap[0]))
		return NULL;
	largest = group = table->heap[0].group;
	if (group_bytes(table, key.size) > group_bytes(table, largest->key_size))
		group = chunks_alloc(table, group_bytes(table, key.size));
	if (!group) {
		table->starved = true;
		return NULL;
	}
	slots_remove(table, largest);
	release_group(table, largest);
	table->displaced_rows += largest->rows;
	write_group(table, group, key, hash);
	slots_place(table, group);
	table->heap[0] = (struct ranked){ranked.rank, keyed_table_key(group), group};
	rank_heap_sift(table->heap, table->groups_max);
	return group;
}

/* The group of a key, made when new; NULL where it may not be. */
static struct group *find_or_make(struct keyed_table *table, struct slice key, uint64_t hash)
{
	struct group *group = slots_find(table, key, hash);

	if (group)
		return group;
	if (table->groups >= table->groups_max)
		return table->keeps_smallest ? make_instead(table, key, hash) : NULL;
	if (slots_for_one(table))
		group = chunks_alloc(table, group_bytes(table, key.size));
	if (!group) {
		table->starved = true;
		return NULL;
	}
	write_group(table, group, key, hash);
	slots_place(table, group);
	return group;
}

void *keyed_table_make(struct keyed_table *table, const void *group)
{
	return find_or_make(table, keyed_table_key(group), ((const struct group *)group)->hash);
}

static void prefetch(const struct keyed_table *table, const uint64_t *hashes, size_t n)
{
	size_t mask = table->capacity - 1;

	for (size_t i = 0; i < n; i++)
		__builtin_prefetch(&table->slots[hashes[i] & mask]);
	for (size_t i = 0; i < n; i++)
		__builtin_prefetch(table->slots[hashes[i] & mask].group, 1);
}

static void count_rows(struct group *group, uint32_t rows)
{
	if (__builtin_add_overflow(group->rows, rows, &group->rows))
		group->rows = UINT32_MAX;
}

/* A group that was found may have been displaced by a later key. */
static void find_again(const struct keyed_table *table, const struct slice *keys, const uint64_t *hashes, size_t n,
                       void **ret_groups)
{
	for (size_t i = 0; i < n; i++)
		ret_groups[i] = slots_find(table, keys[i], hashes[i]);
}

size_t keyed_table_lookup(struct keyed_table *table, const struct slice *keys, const uint64_t *hashes, size_t n,
                          void **ret_groups)
{
	uint64_t displaced_rows = table->displaced_rows;
	size_t refused = 0;

	for (size_t from = 0; from < n; from += PROBE_BLOCK) {
		size_t to = n - from < PROBE_BLOCK ? n : from + PROBE_BLOCK;

		if (table->capacity)
			prefetch(table, hashes + from, to - from);
		for (size_t i = from; i < to; i++) {
			ret_groups[i] = find_or_make(table, keys[i], hashes[i]);
			refused += !ret_groups[i];
			if (table->keeps_smallest && ret_groups[i])
				count_rows(ret_groups[i], 1);
		}
	}
	if (displaced_rows != table->displaced_rows)
		find_again(table, keys, hashes, n, ret_groups);
	return refused + (size_t)(table->displaced_rows - displaced_rows);
}

/* Groups of one table and those of the same keys of another, as many as are combined at once. */
struct pairs {
	void *into[COMBINE_BLOCK], *from[COMBINE_BLOCK];
	size_t count;
};

static int combine_states(struct keyed_table *table, const struct keyed_table *other, const struct pairs *pairs,
                          struct error *err)
{
	for (size_t c = 0; c < table->calls_count; c++) {
		const struct aggregation *aggregation = &table->aggregations[c];
		struct aggregate_run run = {
		        .call = aggregation->call, .budget = table->budget, .context = aggregation->context};
		void *states[COMBINE_BLOCK], *others[COMBINE_BLOCK];
		int result;

		for (size_t i = 0; i < pairs->count; i++) {
			states[i] = keyed_table_state(table, pairs->into[i], c);
			others[i] = keyed_table_state(other, pairs->from[i], c);
		}
		result = aggregation->aggregate->combine(&run, states, others, pairs->count, err);
		if (result < 0)
			return result;
	}
	return 0;
}

/* A group that was made may have been displaced by a later one. */
static void drop_displaced(const struct keyed_table *table, struct pairs *pairs)
{
	size_t kept = 0;

	for (size_t i = 0; i < pairs->count; i++) {
		pairs->into[kept] = keyed_table_find(table, pairs->from[i]);
		pairs->from[kept] = pairs->from[i];
		kept += pairs->into[kept] != NULL;
	}
	pairs->count = kept;
}

/* The next groups of `other` from slot *from on, and where they go; how many rows are refused. */
static size_t make_pairs(struct keyed_table *table, const struct keyed_table *other, size_t *from, struct pairs *pairs)
{
	uint64_t displaced_rows = table->displaced_rows;
	size_t refused = 0;

	pairs->count = 0;
	for (; *from < other->capacity && pairs->count < COMBINE_BLOCK; (*from)++) {
		struct group *group = other->slots[hash_scatter(*from, other->capacity)].group;

		if (!group)
			continue;
		pairs->from[pairs->count] = group;
		pairs->into[pairs->count] = keyed_table_make(table, group);
		if (pairs->into[pairs->count])
			count_rows(pairs->into[pairs->count++], group->rows);
		else
			refused += group->rows ? group->rows : 1;
	}
	if (displaced_rows != table->displaced_rows)
		drop_displaced(table, pairs);
	return refused;
}

int keyed_table_combine(struct keyed_table *table, const struct keyed_table *other, size_t *ret_refused,
                        struct error *err)
{
	uint64_t displaced_rows = table->displaced_rows;
	size_t refused = 0, from = 0;
	struct pairs pairs;

	while (from < other->capacity) {
		int result;

		refused += make_pairs(table, other, &from, &pairs);
		result = combine_states(table, other, &pairs, err);
		if (result < 0)
			return result;
	}
	*ret_refused = refused + (size_t)(table->displaced_rows - displaced_rows);
	return 0;
}

static int compare_groups(const void *left, const void *right)
{
	return slice_compare(keyed_table_key(*(void *const *)left), keyed_table_key(*(void *const *)right));
}

void **keyed_table_list(const struct keyed_table *table)
{
	void **groups = xcalloc(table->groups, sizeof(void *));
	size_t count = 0;

	for (size_t s = 0; s < table->capacity; s++)
		if (table->slots[s].group)
			groups[count++] = table->slots[s].group;
	return groups;
}

void **keyed_table_sorted(const struct keyed_table *table)
{
	void **groups = keyed_table_list(table);

	qsort(groups, table->groups, sizeof(void *), compare_groups);
	return groups;
}
