/* YAML 1.1's merge keys, which kubectl follows too. */
#include "lib/spec/document/document.h"

#define MERGED_MAX 200 /* entries that one map may be brought; a map that asks for more keeps its merge keys */

static bool is_merge(const struct node_entry *entry)
{
	return entry->key && entry->key->kind == NODE_SCALAR && entry->key->style == SCALAR_PLAIN &&
	       slice_equal(entry->key->text, SLICE_LITERAL("<<"));
}

/* What stands at a merge key: a map or a list of maps. Anything else is left as it is, for the reader to refuse. */
static bool can_merge(const struct node *value)
{
	for (size_t i = 0; value->kind == NODE_LIST && i < value->count; i++)
		if (value->entries[i].value->kind != NODE_MAP)
			return false;
	return value->kind != NODE_SCALAR;
}

static size_t brought(const struct node *value)
{
	size_t count = value->kind == NODE_MAP ? value->count : 0;

	for (size_t i = 0; value->kind == NODE_LIST && i < value->count; i++)
		count += value->entries[i].value->count;
	return count;
}

static bool has(const struct node_entry *entries, size_t count, const struct node *key)
{
	for (size_t i = 0; i < count; i++)
		if (entries[i].key->kind == NODE_SCALAR && slice_equal(entries[i].key->text, key->text))
			return true;
	return false;
}

static void bring(const struct node *map, struct node_entry *entries, size_t *count)
{
	for (size_t i = 0; i < map->count; i++)
		if (map->entries[i].key->kind != NODE_SCALAR || !has(entries, *count, map->entries[i].key))
			entries[(*count)++] = map->entries[i];
}

struct node_entry *node_merge(const struct node_entry *entries, size_t count, struct arena *arena, size_t *ret_count)
{
	size_t more = 0, merged = 0;
	struct node_entry *all;
	bool merges;

	for (size_t i = 0; i < count; i++)
		if (is_merge(&entries[i]) && can_merge(entries[i].value))
			more += brought(entries[i].value);
	merges = more <= MERGED_MAX;
	all = arena_alloc(arena, (count + (merges ? more : 0) + 1) * sizeof(*all));
	for (size_t i = 0; i < count; i++)
		if (!merges || !is_merge(&entries[i]) || !can_merge(entries[i].value))
			all[merged++] = entries[i];
	for (size_t i = 0; merges && i < count; i++) {
		const struct node *value = entries[i].value;

		if (!is_merge(&entries[i]) || !can_merge(value))
			continue;
		if (value->kind == NODE_MAP)
			bring(value, all, &merged);
		for (size_t k = 0; value->kind == NODE_LIST && k < value->count; k++)
			bring(value->entries[k].value, all, &merged);
	}
	*ret_count = merged;
	return all;
}
