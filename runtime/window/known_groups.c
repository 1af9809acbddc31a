#include "runtime/window/known_groups.h"

#include <stdlib.h>

struct known_groups {
	struct budget budget;
	struct keyed_table *table; /* of keys alone */
	uint64_t *ages;            /* of each by its number: how many windows ago it had rows */
	size_t ages_capacity;
	size_t groups_max;
	uint64_t windows_max;
	int64_t start_ms; /* of the last window */
};

struct aged {
	uint64_t age;
	const void *group;
};

struct known_groups *known_groups_new(size_t groups_max, uint64_t windows_max, size_t bytes_max)
{
	struct known_groups *known = xcalloc(1, sizeof(*known));

	known->budget.max_bytes = bytes_max;
	known->table = keyed_table_new(NULL, 0, &known->budget, SIZE_MAX, 0);
	known->groups_max = groups_max;
	known->windows_max = windows_max;
	known->start_ms = INT64_MIN;
	return known;
}

void known_groups_free(struct known_groups *known)
{
	if (!known)
		return;
	keyed_table_free(known->table);
	free(known->ages);
	free(known);
}

/* The group of the same key is known, `age` windows ago. */
static int note(struct known_groups *known, const void *group, uint64_t age)
{
	const void *own = keyed_table_make(known->table, group);
	size_t number = own ? keyed_table_group_number(own) : 0;

	if (!own)
		return AGGREGATE_OUT_OF_BUDGET;
	if (number >= known->ages_capacity) {
		known->ages_capacity = 2 * number + 1;
		known->ages = xrealloc(known->ages, known->ages_capacity * sizeof(uint64_t));
	}
	known->ages[number] = age;
	return 0;
}

/* A window has passed. */
static void grow_older(struct known_groups *known)
{
	for (size_t number = 0; number < keyed_table_groups(known->table); number++)
		known->ages[number]++;
}

static int note_window(struct known_groups *known, const struct keyed_table *window)
{
	size_t count = keyed_table_groups(window);
	void **groups = keyed_table_list(window);
	int result = 0;

	for (size_t i = 0; i < count && !result; i++)
		result = note(known, groups[i], 0);
	free(groups);
	return result;
}

static int youngest_first(const void *left, const void *right)
{
	const struct aged *a = left, *b = right;

	if (a->age != b->age)
		return a->age < b->age ? -1 : 1;
	return slice_compare(keyed_table_key(a->group), keyed_table_key(b->group));
}

/* A job without groupBy has one group, which is never forgotten: its key has no bytes. */
static bool is_old(const struct known_groups *known, const struct aged *aged)
{
	return aged->age > known->windows_max && keyed_table_key(aged->group).size;
}

/* All known groups with their ages; *ret_kept: how many of them are young enough. */
static struct aged *list_aged(const struct known_groups *known, size_t *ret_kept)
{
	size_t count = keyed_table_groups(known->table);
	struct aged *aged = xcalloc(count, sizeof(*aged));
	void **groups = keyed_table_list(known->table);

	*ret_kept = 0;
	for (size_t i = 0; i < count; i++) {
		aged[i] = (struct aged){known->ages[keyed_table_group_number(groups[i])], groups[i]};
		*ret_kept += !is_old(known, &aged[i]);
	}
	free(groups);
	return aged;
}

/* A table of those that stay takes the place of the old one. */
static int forget(struct known_groups *known, size_t *ret_forgotten)
{
	struct keyed_table *before = known->table;
	size_t count = keyed_table_groups(before), kept;
	struct aged *aged = list_aged(known, &kept);
	int result = 0;

	*ret_forgotten = kept > known->groups_max ? kept - known->groups_max : 0;
	kept -= *ret_forgotten;
	if (kept < count) {
		qsort(aged, count, sizeof(*aged), youngest_first);
		known->table = keyed_table_new(NULL, 0, &known->budget, SIZE_MAX, 0);
		for (size_t i = 0; i < count && keyed_table_groups(known->table) < kept && !result; i++)
			result = is_old(known, &aged[i]) ? 0 : note(known, aged[i].group, aged[i].age);
		keyed_table_free(before);
	}
	free(aged);
	return result;
}

/* Those that the window has no rows of. */
static int add_known(const struct known_groups *known, struct keyed_table *window)
{
	size_t count = keyed_table_groups(known->table), groups_max = keyed_table_limit(window, SIZE_MAX);
	void **groups = keyed_table_list(known->table);
	int result = 0;

	for (size_t i = 0; i < count && !result; i++)
		if (known->ages[keyed_table_group_number(groups[i])] && !keyed_table_make(window, groups[i]))
			result = AGGREGATE_OUT_OF_BUDGET;
	free(groups);
	keyed_table_limit(window, groups_max);
	return result;
}

int known_groups_exchange(struct known_groups *known, int64_t start_ms, struct keyed_table *window,
                          size_t *ret_forgotten)
{
	if (start_ms != known->start_ms)
		grow_older(known);
	known->start_ms = start_ms;
	if (note_window(known, window) < 0 || forget(known, ret_forgotten) < 0)
		return AGGREGATE_OUT_OF_BUDGET;
	return add_known(known, window);
}
