/*
 * From libyaml's events to nodes. Open collections are a stack of their own, so that nesting costs no C stack;
 * their entries grow in malloc and are copied into the arena when the collection ends.
 */
#include "lib/spec/document/document.h"

#include <stdlib.h>
#include <yaml.h>

#include "lib/base/memory.h"

#define ANCHORS_MAX 1000

struct open_node {
	struct node *node;
	struct node_entry *entries;
	size_t count, capacity;
	const struct node *key; /* of a map: waits for its value */
};

struct anchor {
	const char *name;
	const struct node *node;
	bool open; /* its collection has not ended */
};

struct builder {
	struct slice text;
	struct arena *arena;
	struct open_node stack[DOCUMENT_DEPTH_MAX];
	size_t depth, nodes;
	struct anchor anchors[ANCHORS_MAX];
	size_t anchors_count;
	const struct node *root;
	size_t *lines; /* the byte where each line begins, for marks */
	size_t lines_count;
	struct syntax_problem *problem;
};

static int fail(struct builder *builder, const yaml_mark_t *mark, const char *wrong, const char *right)
{
	*builder->problem = (struct syntax_problem){
	        .line = (int)mark->line + 1, .column = (int)mark->column + 1, .wrong = wrong, .right = right};
	return -1;
}

/* libyaml counts NEL, LS and PS as line breaks too. */
static size_t break_size(struct slice text, size_t at)
{
	const unsigned char *p = (const unsigned char *)text.data + at;
	size_t left = text.size - at;

	if (left > 1 && p[0] == '\r' && p[1] == '\n')
		return 2;
	if (p[0] == '\r' || p[0] == '\n')
		return 1;
	if (left > 1 && p[0] == 0xc2 && p[1] == 0x85)
		return 2;
	return left > 2 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9) ? 3 : 0;
}

static void find_lines(struct builder *builder)
{
	size_t capacity = 256;

	builder->lines = xmalloc(capacity * sizeof(*builder->lines));
	builder->lines[builder->lines_count++] = 0;
	for (size_t i = 0; i < builder->text.size;) {
		size_t size = break_size(builder->text, i);

		i += size ? size : 1;
		if (!size)
			continue;
		if (builder->lines_count == capacity)
			builder->lines = xrealloc(builder->lines, (capacity *= 2) * sizeof(*builder->lines));
		builder->lines[builder->lines_count++] = i;
	}
}

static size_t byte_of(const struct builder *builder, const yaml_mark_t *mark)
{
	size_t at = mark->line < builder->lines_count ? builder->lines[mark->line] : builder->text.size;

	for (size_t i = 0; i < mark->column && at < builder->text.size; i++)
		do
			at++;
		while (at < builder->text.size && ((unsigned char)builder->text.data[at] & 0xc0) == 0x80);
	return at;
}

/* An event begins at its anchor or tag: the node itself begins after them. */
static void skip_properties(struct builder *builder, struct node *node)
{
	struct slice text = builder->text;
	size_t at = node->start;

	while (at < text.size && (text.data[at] == '&' || text.data[at] == '!')) {
		while (at < text.size && !strchr(" \t\r\n", text.data[at]))
			at++;
		while (at < text.size && (text.data[at] == ' ' || text.data[at] == '\t'))
			at++;
	}
	if (at < text.size && !strchr("\r\n", text.data[at])) {
		node->column += (int)(at - node->start);
		node->start = at;
	}
}

static struct node *new_node(struct builder *builder, const yaml_event_t *event, enum node_kind kind)
{
	struct node *node = arena_zalloc(builder->arena, sizeof(*node));

	node->kind = kind;
	node->line = (int)event->start_mark.line + 1;
	node->column = (int)event->start_mark.column + 1;
	node->start = byte_of(builder, &event->start_mark);
	node->weight = 1;
	skip_properties(builder, node);
	return node;
}

static int add_anchor(struct builder *builder, const yaml_event_t *event, const yaml_char_t *name,
                      const struct node *node)
{
	struct slice text;

	if (!name)
		return 0;
	text = slice_of((const char *)name);
	if (builder->anchors_count == ANCHORS_MAX)
		return fail(builder, &event->start_mark, "too many anchors in one document", "at most 1000");
	builder->anchors[builder->anchors_count++] =
	        (struct anchor){arena_string(builder->arena, text), node, node->kind != NODE_SCALAR};
	return 0;
}

static void add_entry(struct open_node *open, const struct node *key, const struct node *value)
{
	if (open->count == open->capacity) {
		open->capacity = open->capacity ? open->capacity * 2 : 8;
		open->entries = xrealloc(open->entries, open->capacity * sizeof(*open->entries));
	}
	open->entries[open->count++] = (struct node_entry){key, value};
	open->node->weight += value->weight + (key ? key->weight : 0);
	if (open->node->weight > DOCUMENT_WEIGHT_MAX)
		open->node->weight = DOCUMENT_WEIGHT_MAX + 1;
}

/* A finished node goes into the collection around it. */
static void place(struct builder *builder, const struct node *node)
{
	struct open_node *open;

	if (!builder->depth) {
		builder->root = node;
		return;
	}
	open = &builder->stack[builder->depth - 1];
	if (open->node->kind == NODE_LIST) {
		add_entry(open, NULL, node);
	} else if (!open->key) {
		open->key = node;
	} else {
		add_entry(open, open->key, node);
		open->key = NULL;
	}
}

static int on_scalar(struct builder *builder, const yaml_event_t *event)
{
	static const enum scalar_style styles[] = {
	        [YAML_SINGLE_QUOTED_SCALAR_STYLE] = SCALAR_SINGLE_QUOTED,
	        [YAML_DOUBLE_QUOTED_SCALAR_STYLE] = SCALAR_DOUBLE_QUOTED,
	        [YAML_LITERAL_SCALAR_STYLE] = SCALAR_LITERAL,
	        [YAML_FOLDED_SCALAR_STYLE] = SCALAR_FOLDED,
	};
	struct node *node = new_node(builder, event, NODE_SCALAR);
	const char *tag = (const char *)event->data.scalar.tag;

	if (event->data.scalar.style > YAML_PLAIN_SCALAR_STYLE)
		node->style = styles[event->data.scalar.style];
	node->tagged_string = tag && !strcmp(tag, YAML_STR_TAG);
	node->text.size = event->data.scalar.length;
	node->text.data = arena_string(
	        builder->arena, (struct slice){(const char *)event->data.scalar.value, event->data.scalar.length});
	if (add_anchor(builder, event, event->data.scalar.anchor, node) < 0)
		return -1;
	place(builder, node);
	return 0;
}

static int on_start(struct builder *builder, const yaml_event_t *event, enum node_kind kind)
{
	struct node *node = new_node(builder, event, kind);

	if (builder->depth == DOCUMENT_DEPTH_MAX)
		return fail(builder, &event->start_mark, "nested too deeply", "at most 200 levels");
	builder->stack[builder->depth++] = (struct open_node){.node = node};
	return add_anchor(builder, event,
	                  kind == NODE_LIST ? event->data.sequence_start.anchor : event->data.mapping_start.anchor,
	                  node);
}

static void on_end(struct builder *builder)
{
	struct open_node *open = &builder->stack[--builder->depth];

	open->node->entries = node_merge(open->entries, open->count, builder->arena, &open->node->count);
	builder->nodes +=
	        open->node->count > open->count ? open->node->count - open->count : 0; /* what merging brought */
	free(open->entries);
	for (size_t i = 0; i < builder->anchors_count; i++)
		if (builder->anchors[i].node == open->node)
			builder->anchors[i].open = false;
	place(builder, open->node);
}

static int on_alias(struct builder *builder, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;

	for (size_t i = builder->anchors_count; i-- > 0;) {
		const struct anchor *anchor = &builder->anchors[i];

		if (strcmp(anchor->name, name) != 0)
			continue;
		if (anchor->open)
			return fail(builder, &event->start_mark, "this alias stands inside of what it names",
			            "an alias repeats what ended before it");
		place(builder, anchor->node);
		return 0;
	}
	return fail(builder, &event->start_mark,
	            arena_printf(builder->arena, "there is no anchor &%s before this", name), NULL);
}

static int on_event(struct builder *builder, const yaml_event_t *event)
{
	if (++builder->nodes > 2 * FILE_NODES_MAX)
		return fail(builder, &event->start_mark, "the file has too many values", "at most 500000");
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(builder, event);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(builder, event, NODE_LIST);
	case YAML_MAPPING_START_EVENT:
		return on_start(builder, event, NODE_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		on_end(builder);
		return 0;
	case YAML_ALIAS_EVENT:
		return on_alias(builder, event);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
	return 0;
}

/* An empty text between two "---" is one empty scalar. */
static const struct node *document_root(const struct builder *builder)
{
	const struct node *root = builder->root;

	return root && root->kind == NODE_SCALAR && node_scalar_type(root) == SCALAR_NULL ? NULL : root;
}

static int syntax_error(struct builder *builder, const yaml_parser_t *parser)
{
	const char *context = parser->context ? parser->context : "";
	const char *what = parser->problem ? parser->problem : "unreadable";

	return fail(builder, &parser->problem_mark,
	            arena_printf(builder->arena, "not YAML: %s%s%s", what, *context ? " " : "", context), NULL);
}

static int build(struct builder *builder, yaml_parser_t *parser, size_t documents_max, struct documents *documents)
{
	for (bool done = false; !done;) {
		yaml_event_t event;
		int failed = 0;

		if (!yaml_parser_parse(parser, &event))
			return syntax_error(builder, parser);
		if (event.type == YAML_DOCUMENT_START_EVENT && documents->count == documents_max) {
			failed = fail(builder, &event.start_mark, "too many documents in one file", NULL);
		} else if (event.type == YAML_DOCUMENT_START_EVENT) {
			builder->root = NULL;
			builder->anchors_count = 0;
		} else if (event.type == YAML_DOCUMENT_END_EVENT) {
			documents->roots[documents->count++] = document_root(builder);
		} else {
			failed = on_event(builder, &event);
		}
		done = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
		if (failed)
			return -1;
	}
	return 0;
}

int documents_parse(struct slice text, size_t documents_max, struct arena *arena, struct documents *ret_documents,
                    struct syntax_problem *ret_problem)
{
	struct builder *builder = xcalloc(1, sizeof(*builder));
	yaml_parser_t parser;
	int result;

	builder->text = text;
	builder->arena = arena;
	builder->problem = ret_problem;
	find_lines(builder);
	ret_documents->count = 0;
	ret_documents->roots = arena_alloc(arena, (documents_max + 1) * sizeof(*ret_documents->roots));
	if (!yaml_parser_initialize(&parser))
		abort(); /* out of memory */
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.data, text.size);
	result = build(builder, &parser, documents_max, ret_documents);
	yaml_parser_delete(&parser);
	while (builder->depth)
		free(builder->stack[--builder->depth].entries);
	free(builder->lines);
	free(builder);
	return result;
}
