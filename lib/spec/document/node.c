/* What a node means and where a path leads. */
#include <ctype.h>

#include "lib/spec/document/document.h"

static bool is_one_of(struct slice text, const char *const *words)
{
	for (; *words; words++)
		if (slice_equal(text, slice_of(*words)))
			return true;
	return false;
}

static bool all_in(struct slice text, const char *characters)
{
	for (size_t i = 0; i < text.size; i++)
		if (!text.data[i] || !strchr(characters, text.data[i]))
			return false;
	return text.size > 0;
}

static struct slice without_sign(struct slice text)
{
	if (text.size && (text.data[0] == '-' || text.data[0] == '+'))
		return (struct slice){text.data + 1, text.size - 1};
	return text;
}

static bool is_integer(struct slice text)
{
	struct slice digits = without_sign(text);

	if (digits.size > 2 && digits.data[0] == '0' && strchr("xob", digits.data[1]))
		return all_in((struct slice){digits.data + 2, digits.size - 2}, "0123456789abcdefABCDEF_");
	return digits.size && isdigit((unsigned char)digits.data[0]) && all_in(digits, "0123456789_");
}

/* [-+]? (digits [. digits*] | . digits) ([eE] [-+]? digits)? */
static bool is_float(struct slice text)
{
	struct slice rest = without_sign(text);
	size_t digits = 0, i = 0;

	for (; i < rest.size && isdigit((unsigned char)rest.data[i]); i++)
		digits++;
	if (i < rest.size && rest.data[i] == '.')
		for (i++; i < rest.size && isdigit((unsigned char)rest.data[i]); i++)
			digits++;
	if (!digits || i == rest.size)
		return digits;
	if (rest.data[i] != 'e' && rest.data[i] != 'E')
		return false;
	return all_in(without_sign((struct slice){rest.data + i + 1, rest.size - i - 1}), "0123456789");
}

/* As kubectl reads them (YAML 1.1: yes, no, on, off, y and n are booleans too), so that a file means the same on a
 * cluster. */
enum scalar_type node_scalar_type(const struct node *node)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
	static const char *const booleans[] = {"true", "True", "TRUE", "false", "False", "FALSE", "yes", "Yes",
	                                       "YES",  "no",   "No",   "NO",    "on",    "On",    "ON",  "off",
	                                       "Off",  "OFF",  "y",    "Y",     "n",     "N",     NULL};
	static const char *const floats[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", NULL};

	if (node->style != SCALAR_PLAIN || node->tagged_string)
		return SCALAR_STRING;
	if (is_one_of(node->text, nulls))
		return SCALAR_NULL;
	if (is_one_of(node->text, booleans))
		return SCALAR_BOOL;
	if (is_integer(node->text))
		return SCALAR_INTEGER;
	return is_float(node->text) || is_one_of(without_sign(node->text), floats) ? SCALAR_FLOAT : SCALAR_STRING;
}

static const struct node *get(const struct node *node, struct slice key)
{
	for (size_t i = 0; node && node->kind == NODE_MAP && i < node->count; i++) {
		const struct node *name = node->entries[i].key;

		if (name->kind == NODE_SCALAR && slice_equal(name->text, key))
			return node->entries[i].value;
	}
	return NULL;
}

const struct node *node_get(const struct node *node, const char *key)
{
	return get(node, slice_of(key));
}

/* Takes the first part off the path: .name, name, [3] or ["name"]. */
static const struct node *step(const struct node *node, const char **path)
{
	const char *p = *path + (**path == '.'), *end;
	struct slice key;
	size_t index = 0;

	if (p[0] == '[' && p[1] == '"') {
		end = strstr(p, "\"]");
		key = (struct slice){p + 2, end ? (size_t)(end - p - 2) : strlen(p + 2)};
		*path = end ? end + 2 : p + strlen(p);
		return get(node, key);
	}
	if (p[0] == '[') {
		for (p++; isdigit((unsigned char)*p); p++)
			index = index * 10 + (size_t)(*p - '0');
		*path = p + (*p == ']');
		return node->kind == NODE_LIST && index < node->count ? node->entries[index].value : NULL;
	}
	key = (struct slice){p, strcspn(p, ".[")};
	*path = p + key.size;
	return get(node, key);
}

const struct node *node_find(const struct node *root, const char *path, bool *ret_whole)
{
	const struct node *node = root;

	*ret_whole = true;
	while (node && *path) {
		const struct node *next = step(node, &path);

		if (!next) {
			*ret_whole = false;
			return node;
		}
		node = next;
	}
	return node;
}
