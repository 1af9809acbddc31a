#include "runtime/decode/path.h"

static bool read_index(struct slice *rest, struct path_node *part)
{
	size_t i = 1;

	for (; i < rest->size && rest->data[i] >= '0' && rest->data[i] <= '9' && i <= 6; i++)
		part->index = part->index * 10 + (uint32_t)(rest->data[i] - '0');
	if (i == 1 || i >= rest->size || rest->data[i] != ']')
		return false;
	part->is_index = true;
	rest->data += i + 1;
	rest->size -= i + 1;
	return true;
}

static bool read_quoted(struct slice *rest, struct path_node *part)
{
	const char *end = memchr(rest->data + 2, '\'', rest->size - 2);

	if (!end || end == rest->data + 2 || end + 1 >= rest->data + rest->size || end[1] != ']')
		return false;
	part->name = (struct slice){rest->data + 2, (size_t)(end - rest->data) - 2};
	rest->size -= part->name.size + 4;
	rest->data = end + 2;
	return true;
}

static bool read_name(struct slice *rest, struct path_node *part)
{
	size_t i = 1;

	while (i < rest->size && rest->data[i] != '.' && rest->data[i] != '[')
		i++;
	part->name = (struct slice){rest->data + 1, i - 1};
	rest->data += i;
	rest->size -= i;
	return i > 1;
}

/* The parts of a path, one by one: false at its end or where it is wrong (then *wrong is set). */
static bool path_next(struct slice *rest, struct path_node *ret_part, bool *wrong)
{
	*ret_part = (struct path_node){0};
	if (!rest->size)
		return false;
	if (rest->data[0] == '.')
		*wrong = !read_name(rest, ret_part);
	else if (rest->data[0] == '[' && rest->size > 2 && rest->data[1] == '\'')
		*wrong = !read_quoted(rest, ret_part);
	else if (rest->data[0] == '[')
		*wrong = !read_index(rest, ret_part);
	else
		*wrong = true;
	return !*wrong;
}

static struct path_node *child(struct path_node *node, const struct path_node *part, struct arena *arena)
{
	struct path_node *children;

	for (size_t i = 0; i < node->children_count; i++) {
		struct path_node *old = &node->children[i];

		if (old->is_index == part->is_index && old->index == part->index && slice_equal(old->name, part->name))
			return old;
	}
	children = arena_alloc(arena, (node->children_count + 1) * sizeof(*children));
	if (node->children_count)
		memcpy(children, node->children, node->children_count * sizeof(*children));
	children[node->children_count] = *part;
	children[node->children_count].name = arena_copy(arena, part->name);
	node->children = children;
	return &children[node->children_count++];
}

void path_add(struct path_node *root, struct slice path, size_t column, struct arena *arena)
{
	struct slice rest = {path.data + 1, path.size - 1};
	struct path_node *node = root, part;
	bool wrong = false;
	size_t *columns;

	while (path_next(&rest, &part, &wrong))
		node = child(node, &part, arena);
	columns = arena_alloc(arena, (node->columns_count + 1) * sizeof(*columns));
	if (node->columns_count)
		memcpy(columns, node->columns, node->columns_count * sizeof(*columns));
	columns[node->columns_count++] = column;
	node->columns = columns;
}
