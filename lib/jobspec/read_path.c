/* Where in the document a problem is: paths of fields, and keys that are there twice. */
#include <ctype.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "lib/jobspec/read.h"

#define PATH_KEY_MAX 253 /* longer ones are cut: they are no names that anybody meant */

static bool is_plain(struct slice key)
{
	for (size_t i = 0; i < key.size; i++)
		if (!isalnum((unsigned char)key.data[i]) && key.data[i] != '_' && key.data[i] != '-')
			return false;
	return key.size > 0 && key.size <= PATH_KEY_MAX;
}

const char *path_member(struct arena *arena, const char *path, struct slice key)
{
	struct buffer quoted;
	const char *member;

	if (is_plain(key))
		return arena_printf(arena, "%s%s%.*s", path, *path ? "." : "", SLICE_ARG(key));
	buffer_init(&quoted);
	if (key.size > PATH_KEY_MAX)
		key.size = PATH_KEY_MAX;
	text_json_string(&quoted, key);
	member = arena_printf(arena, "%s[%s]", path, quoted.data);
	buffer_release(&quoted);
	return member;
}

const char *path_item(struct arena *arena, const char *path, size_t index)
{
	return arena_printf(arena, "%s[%zu]", path, index);
}

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
