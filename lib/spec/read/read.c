/* Objects, lists and maps of a document into structs, by the field table. */
#include "lib/spec/read/read.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/text.h"

#define OBJECT_FIELDS_MAX 32

size_t read_count(const struct reader *reader)
{
	return reader->problems->count + reader->problems->dropped;
}

static bool is_null(const struct node *node)
{
	return node->kind == NODE_SCALAR && node_scalar_type(node) == SCALAR_NULL;
}

static void wrong_kind(struct reader *reader, const struct node *node, const char *path, const char *expected)
{
	struct error found, wrong;

	describe_node(node, &found);
	if (is_null(node))
		error_set(&wrong, "has no value");
	else
		error_set(&wrong, "found %s", found.text);
	read_problem(reader, node, path, wrong.text, expected);
}

static void unknown_field(struct reader *reader, const struct object *object, const struct node *key, const char *path)
{
	const char *names[OBJECT_FIELDS_MAX] = {NULL}, *nearest;
	struct error right;
	struct buffer known;
	size_t count = 0;

	for (const struct field *field = object->fields; field->name && count < OBJECT_FIELDS_MAX; field++)
		names[count++] = field->name;
	nearest = text_nearest(key->text, names, count);
	buffer_init(&known);
	object_names(object, false, " and ", &known);
	if (nearest)
		error_set(&right, "did you mean %s?", nearest);
	else if (count)
		error_set(&right, "known here: %.*s", SLICE_ARG(buffer_slice(&known)));
	else
		error_set(&right, "nothing goes in here");
	read_problem(reader, key, path_member(reader->scratch, path, key->text), "unknown field", right.text);
	buffer_release(&known);
}

static void leave_out(struct reader *reader, const struct node *key, const char *path)
{
	if (reader->problems->unknown)
		problems_add(reader->problems->unknown, reader->file, key->line, key->column,
		             path_member(reader->scratch, path, key->text), "unknown field", NULL);
}

/* Returns how many are unknown. */
static size_t read_keys(struct reader *reader, const struct object *object, const struct node *node, const char *path)
{
	size_t unknown = 0;

	for (size_t i = 0; i < node->count; i++) {
		const struct node *key = node->entries[i].key;

		if (key->kind != NODE_SCALAR)
			read_problem(reader, key, path, "a field's name is not a string", NULL);
		else if (!object_field(object, key->text) && reader->live)
			leave_out(reader, key, path);
		else if (!object_field(object, key->text) && ++unknown)
			unknown_field(reader, object, key, path);
	}
	return unknown;
}

/* False, with a problem, where the list or map has too few or too many. */
static bool check_count(struct reader *reader, const struct field *field, const struct node *node, const char *path)
{
	struct error wrong, right;

	if ((int64_t)node->count >= field->min && (int64_t)node->count <= field->max)
		return true;
	error_set(&wrong, "has %zu %s", node->count, node->count == 1 ? "entry" : "entries");
	if ((int64_t)node->count < field->min)
		error_set(&right, "at least %" PRId64, field->min);
	else
		error_set(&right, "at most %" PRId64, field->max);
	read_problem(reader, node, path, wrong.text, right.text);
	return false;
}

static bool expect(struct reader *reader, const struct node *node, enum node_kind kind, const char *path,
                   const char *expected)
{
	if (node->kind == kind)
		return true;
	wrong_kind(reader, node, path, expected);
	return false;
}

/* A list or map's string, bounded by item_max and the pattern, as a field of its own. */
static struct field item_field(const struct field *field, const struct pattern *pattern)
{
	return (struct field){.name = field->name, .kind = FIELD_STRING, .max = field->item_max, .pattern = pattern};
}

static void read_strings(struct reader *reader, const struct field *field, const struct node *node, const char *path,
                         void *member)
{
	struct names unstored = {NULL, 0}, *names = member ? member : &unstored;
	struct field item = item_field(field, field->pattern);

	if (!expect(reader, node, NODE_LIST, path, "expected a list of strings") ||
	    !check_count(reader, field, node, path))
		return;
	names->items = arena_zalloc(reader->arena, (node->count + 1) * sizeof(*names->items));
	for (size_t i = 0; i < node->count; i++) {
		const char *item_path = path_item(reader->scratch, path, i), *text = NULL;

		read_scalar(reader, &item, node->entries[i].value, item_path, &text);
		for (size_t k = 0; text && field->set && k < names->count; k++)
			if (!strcmp(names->items[k], text))
				read_problem(reader, node->entries[i].value, item_path, "is there twice", "keep one");
		if (text)
			names->items[names->count++] = text;
	}
}

static void read_doubles(struct reader *reader, const struct field *field, const struct node *node, const char *path,
                         double **ret_items, size_t *ret_count)
{
	struct field item = {.name = field->name, .kind = FIELD_DOUBLE, .low = field->low, .high = field->high};
	double *items;

	if (!expect(reader, node, NODE_LIST, path, "expected a list of numbers") ||
	    !check_count(reader, field, node, path))
		return;
	items = arena_zalloc(reader->arena, (node->count + 1) * sizeof(*items));
	for (size_t i = 0; i < node->count; i++)
		read_scalar(reader, &item, node->entries[i].value, path_item(reader->scratch, path, i), &items[i]);
	*ret_items = items;
	*ret_count = node->count;
}

/* NULL, with a problem, where the key of a map is not good. */
static const char *read_key(struct reader *reader, const struct field *field, const struct node *key, const char *path)
{
	struct field name = {.kind = FIELD_STRING, .min = 1, .max = 249, .pattern = field->key_pattern};
	struct error wrong, right = {""}, found;
	const char *text;

	if (key->kind != NODE_SCALAR) {
		read_problem(reader, key, path, "a name is not a string", NULL);
		return NULL;
	}
	if (node_scalar_type(key) == SCALAR_BOOL || node_scalar_type(key) == SCALAR_NULL) {
		describe_node(key, &found);
		error_set(&wrong, "found %s", found.text);
		error_set(&right, "a name is a string: quote it, \"%s\"", key->text.data);
		read_problem(reader, key, path_member(reader->scratch, path, key->text), wrong.text, right.text);
		return NULL;
	}
	if (store_text(reader, &name, key->text, &text, &wrong, &right) == 0)
		return text;
	read_problem(reader, key, path_member(reader->scratch, path, key->text), wrong.text, right.text);
	return NULL;
}

static void read_string_map(struct reader *reader, const struct field *field, const struct node *node, const char *path,
                            void *member)
{
	struct pairs unstored = {NULL, 0}, *pairs = member ? member : &unstored;
	struct field item = item_field(field, NULL);

	if (!expect(reader, node, NODE_MAP, path, "expected a map of strings") ||
	    !check_count(reader, field, node, path))
		return;
	pairs->items = arena_zalloc(reader->arena, (node->count + 1) * sizeof(*pairs->items));
	for (size_t i = 0; i < node->count; i++) {
		struct pair pair = {read_key(reader, field, node->entries[i].key, path), NULL};

		if (!pair.key)
			continue;
		read_scalar(reader, &item, node->entries[i].value,
		            path_member(reader->scratch, path, slice_of(pair.key)), &pair.value);
		if (pair.value)
			pairs->items[pairs->count++] = pair;
	}
}

static void read_objects(struct reader *reader, const struct field *field, const struct node *node, const char *path,
                         void **ret_items, size_t *ret_count)
{
	const struct object *object = field->object;
	bool keyed = field->kind == FIELD_KEYED_OBJECTS;
	char *items;

	if (!expect(reader, node, keyed ? NODE_MAP : NODE_LIST, path,
	            keyed ? "expected a map of objects" : "expected a list of objects") ||
	    !check_count(reader, field, node, path))
		return;
	items = arena_zalloc(reader->arena, (node->count + 1) * object->size);
	for (size_t i = 0; i < node->count; i++) {
		char *item = items + i * object->size;
		const char *item_path = path_item(reader->scratch, path, i);

		if (keyed) {
			const char *key = read_key(reader, field, node->entries[i].key, path);

			memcpy(item + object->key_offset, &key, sizeof(key));
			item_path = path_member(reader->scratch, path, slice_of(key ? key : ""));
		}
		read_defaults(reader, object, item);
		read_object(reader, object, node->entries[i].value, item_path, item);
	}
	*ret_items = items;
	*ret_count = node->count;
}

static void read_json(struct reader *reader, const struct node *node, const char *path, const char **member)
{
	struct buffer text;

	if (!expect(reader, node, NODE_MAP, path, "expected an object") || !member)
		return;
	buffer_init(&text);
	node_json(node, &text);
	*member = arena_string(reader->arena, buffer_slice(&text));
	buffer_release(&text);
}

static void read_field(struct reader *reader, const struct field *field, const struct node *node, const char *path,
                       char *members)
{
	char *member = field->offset == FIELD_NOT_STORED ? NULL : members + field->offset;

	switch (field->kind) {
	case FIELD_JSON:
		read_json(reader, node, path, (void *)member);
		break;
	case FIELD_OBJECT:
		read_object(reader, field->object, node, path, member);
		break;
	case FIELD_OBJECTS:
	case FIELD_KEYED_OBJECTS:
		read_objects(reader, field, node, path, (void *)member, (void *)(members + field->count_offset));
		break;
	case FIELD_STRINGS:
		read_strings(reader, field, node, path, member);
		break;
	case FIELD_STRING_MAP:
		read_string_map(reader, field, node, path, member);
		break;
	case FIELD_DOUBLES:
		read_doubles(reader, field, node, path, (void *)member, (void *)(members + field->count_offset));
		break;
	case FIELD_STRING:
	case FIELD_EXPRESSION:
	case FIELD_WORD:
	case FIELD_ENUM:
	case FIELD_BOOLEAN:
	case FIELD_INTEGER:
	case FIELD_DOUBLE:
	case FIELD_DURATION:
	case FIELD_BYTES:
		read_scalar(reader, field, node, path, member);
		break;
	}
}

/* Exactly one of the variants is given. An unknown field was probably meant to be one. */
static void check_variants(struct reader *reader, const struct object *object, const struct node *node,
                           const char *path, size_t unknown)
{
	struct error wrong;
	struct buffer names;
	size_t given = 0, variants = 0;

	for (const struct field *field = object->fields; field->name; field++) {
		variants += field->variant;
		given += field->variant && node_get(node, field->name);
	}
	if (!variants || given == 1 || (!given && unknown))
		return;
	buffer_init(&names);
	object_names(object, true, " and ", &names);
	if (given)
		error_set(&wrong, "has %zu of %.*s", given, SLICE_ARG(buffer_slice(&names)));
	else
		error_set(&wrong, "has none of %.*s", SLICE_ARG(buffer_slice(&names)));
	read_problem(reader, node, path, wrong.text, "give exactly one");
	buffer_release(&names);
}

static void check_rules(struct reader *reader, const struct object *object, const struct node *node, const char *path,
                        const void *members)
{
	for (const struct rule *rule = object->rules; rule && rule->wrong; rule++) {
		const char *place = arena_printf(reader->scratch, "%s.%s", path, rule->field);

		if (!rule->holds(members, node))
			problems_add_at(reader->problems, place, PROBLEM_NO_OFFSET, rule->wrong, rule->right);
	}
}

static void missing_field(struct reader *reader, const struct field *field, const struct node *node, const char *path)
{
	const char *doc = field->doc;
	struct error right;
	size_t size = strlen(doc);

	error_set(&right, "add it: %c%.*s", tolower((unsigned char)doc[0]), (int)(size - 1 - (doc[size - 1] == '.')),
	          doc + 1);
	read_problem(reader, node, path_member(reader->scratch, path, slice_of(field->name)), "is missing", right.text);
}

void read_object(struct reader *reader, const struct object *object, const struct node *node, const char *path,
                 void *members)
{
	size_t before = read_count(reader), unknown;

	if (!expect(reader, node, NODE_MAP, path, object->fields->name ? "expected an object" : "write {}"))
		return;
	unknown = read_keys(reader, object, node, path);
	for (const struct field *field = object->fields; field->name; field++) {
		const struct node *value = node_get(node, field->name);

		if (!value && field->required)
			missing_field(reader, field, node, path);
		if (!value)
			continue;
		if (field->variant) {
			memcpy((char *)members + object->tag_offset, &field->tag, sizeof(field->tag));
			if (field->kind == FIELD_OBJECT)
				read_defaults(reader, field->object, (char *)members + field->offset);
		}
		read_field(reader, field, value, path_member(reader->scratch, path, slice_of(field->name)), members);
	}
	check_variants(reader, object, node, path, unknown);
	if (read_count(reader) == before)
		check_rules(reader, object, node, path, members);
}

void read_defaults(struct reader *reader, const struct object *object, void *members)
{
	for (const struct field *field = object->fields; field->name; field++) {
		struct error wrong, right;
		char *member = (char *)members + field->offset;

		if (field->variant || field->offset == FIELD_NOT_STORED)
			continue;
		if (field->kind == FIELD_OBJECT)
			read_defaults(reader, field->object, member);
		else if (field->initial &&
		         store_text(reader, field, slice_of(field->initial), member, &wrong, &right) < 0)
			assert(!"a default that its own row refuses");
	}
}
