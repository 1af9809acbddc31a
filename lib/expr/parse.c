/*
 * PostgreSQL's own parser (libpg_query) reads "SELECT <text>"; what comes back must be that and nothing more: one
 * statement, one target, no other clause.
 */
#include <jansson.h>
#include <pg_query.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/base/memory.h"
#include "lib/expr/parse.h"

#define WRAP "SELECT "

static json_t *only_member(json_t *object, const char *key)
{
	return json_object_size(object) == 1 ? json_object_get(object, key) : NULL;
}

/* The one expression of the statement, or NULL. */
static json_t *find_expression(json_t *root)
{
	json_t *statements = json_object_get(root, "stmts");
	json_t *select = only_member(json_object_get(json_array_get(statements, 0), "stmt"), "SelectStmt");
	json_t *targets = json_object_get(select, "targetList");
	json_t *target = only_member(json_array_get(targets, 0), "ResTarget");
	const char *key;
	json_t *member;

	if (json_array_size(statements) != 1 || json_array_size(targets) != 1 || json_object_get(target, "name") ||
	    json_object_get(target, "indirection"))
		return NULL;
	json_object_foreach(select, key, member) if (strcmp(key, "targetList") && strcmp(key, "limitOption") &&
	                                             strcmp(key, "op")) return NULL;
	return json_object_get(target, "val");
}

/* "i AS x", and also "i AND": PostgreSQL takes a last word for a name of the result. */
static const char *result_name(json_t *root)
{
	json_t *statement = json_object_get(json_array_get(json_object_get(root, "stmts"), 0), "stmt");
	json_t *targets = json_object_get(json_object_get(statement, "SelectStmt"), "targetList");
	json_t *target = json_object_get(json_array_get(targets, 0), "ResTarget");

	return json_array_size(targets) == 1 ? json_string_value(json_object_get(target, "name")) : NULL;
}

/* PostgreSQL counts characters from 1, and the WRAP before the text; the result is a byte of the text, or its end. */
static size_t error_offset(const char *text, int cursor)
{
	size_t offset = 0;

	for (int left = cursor - 1 - (int)strlen(WRAP); left > 0 && text[offset]; left--)
		do
			offset++;
		while (((unsigned char)text[offset] & 0xc0) == 0x80);
	return offset;
}

static json_t *parse_wrapped(struct checker *checker, const char *wrapped, json_t **ret_root)
{
	PgQueryParseResult result = pg_query_parse(wrapped);
	json_t *root = NULL, *expression = NULL;

	if (result.error) {
		if (!expr_reserved_words(checker))
			expr_problem(checker, error_offset(wrapped + strlen(WRAP), result.error->cursorpos),
			             "write one SQL expression", "%s", result.error->message);
	} else {
		root = json_loads(result.parse_tree, JSON_ALLOW_NUL, NULL); /* which is at most so deep */
		expression = find_expression(root);
		if (!root)
			expr_too_deep(checker, 0);
		else if (!expression && expr_reserved_words(checker))
			;
		else if (!expression && result_name(root))
			expr_problem(checker, 0, "complete it, or take that word out",
			             "the expression ends in \"%s\", which is read as a name for it",
			             result_name(root));
		else if (!expression)
			expr_problem(checker, 0, "write an expression such as: event = 'click'",
			             "this is not one SQL expression alone");
	}
	pg_query_free_parse_result(result);
	*ret_root = root;
	return expression;
}

bool expr_parses(const char *text, size_t *ret_offset)
{
	struct buffer wrapped;
	PgQueryParseResult result;
	bool good = false;

	buffer_init(&wrapped);
	buffer_printf(&wrapped, WRAP "%s", text);
	result = pg_query_parse(wrapped.data);
	*ret_offset = 0;
	if (result.error) {
		*ret_offset = error_offset(text, result.error->cursorpos);
	} else {
		json_t *root = json_loads(result.parse_tree, JSON_ALLOW_NUL, NULL);

		good = find_expression(root) != NULL;
		json_decref(root);
	}
	pg_query_free_parse_result(result);
	buffer_release(&wrapped);
	return good;
}

struct json_t *expr_parse(struct checker *checker, struct slice text, struct json_t **ret_root)
{
	char *wrapped;
	json_t *expression;

	*ret_root = NULL;
	if (text.size > EXPR_TEXT_MAX) {
		expr_problem(checker, 0, "shorten it", "the expression has %zu bytes; at most %d are allowed",
		             text.size, EXPR_TEXT_MAX);
		return NULL;
	}
	if (memchr(text.data, '\0', text.size)) {
		expr_problem(checker, 0, "take it out", "the expression has a NUL byte");
		return NULL;
	}
	wrapped = xmalloc(strlen(WRAP) + text.size + 1);
	memcpy(wrapped, WRAP, strlen(WRAP));
	memcpy(wrapped + strlen(WRAP), text.data, text.size);
	wrapped[strlen(WRAP) + text.size] = '\0';
	expression = parse_wrapped(checker, wrapped, ret_root);
	free(wrapped);
	return expression;
}

size_t json_offset(const struct checker *checker, const struct json_t *body)
{
	json_int_t location = json_integer_value(json_object_get(body, "location")) - (json_int_t)strlen(WRAP);

	return location < 0 || (size_t)location > strlen(checker->text) ? 0 : (size_t)location;
}
