/* Where in the document a problem is, and keys that are there twice. */
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/spec/read/read.h"

/* By text, then by place. */
static int compare_keys(const void *left, const void *right)
{
	const struct node *a = *(const struct node *const *)left, *b = *(const struct node *const *)right;
	int order = slice_compare(a->text, b->text);

	return order ? order : (a->start > b->start) - (a->start < b->start);
}

static void find_twins(struct reader *reader, const struct node *map, const char *path)
{
	const struct node **keys = xcalloc(map->count + 1, sizeof(const struct node *));
	size_t count = 0;

	for (size_t i = 0; i < map->count; i++)
		if (map->entries[i].key->kind == NODE_SCALAR)
			keys[count++] = map->entries[i].key;
	qsort(keys, count, sizeof(const struct node *), compare_keys);
	for (size_t i = 1; i < count; i++) {
		struct error wrong;

		if (!slice_equal(keys[i - 1]->text, keys[i]->text))
			continue;
		error_set(&wrong, "is there twice, first in line %d", keys[i - 1]->line);
		read_problem(reader, keys[i], path_member(reader->scratch, path, keys[i]->text), wrong.text,
		             "keep one");
	}
	free(keys);
}

void read_duplicates(struct reader *reader, const struct node *node, const char *path)
{
	if (node->kind == NODE_MAP)
		find_twins(reader, node, path);
	for (size_t i = 0; i < node->count; i++) {
		const struct node_entry *entry = &node->entries[i];

		if (entry->value->kind == NODE_SCALAR)
			continue;
		if (node->kind == NODE_LIST)
			read_duplicates(reader, entry->value, path_item(reader->scratch, path, i));
		else if (entry->key->kind == NODE_SCALAR)
			read_duplicates(reader, entry->value, path_member(reader->scratch, path, entry->key->text));
	}
}

void read_problem(struct reader *reader, const struct node *node, const char *path, const char *wrong,
                  const char *right)
{
	problems_add(reader->problems, reader->file, node->line, node->column, path, wrong,
	             right && *right ? right : NULL);
}
