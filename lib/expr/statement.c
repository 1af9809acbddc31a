/* The statement around an expression: what the parser is given, and where in its answer the expression is. */
#include <jansson.h>
#include <pg_query.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/expr/parse.h"

static json_t *only_member(json_t *object, const char *key)
{
	return json_object_size(object) == 1 ? json_object_get(object, key) : NULL;
}

/* The one expression of the statement, or NULL. */
struct json_t *statement_expression(struct json_t *root)
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
const char *statement_name(const struct json_t *root)
{
	json_t *statement = json_object_get(json_array_get(json_object_get(root, "stmts"), 0), "stmt");
	json_t *targets = json_object_get(json_object_get(statement, "SelectStmt"), "targetList");
	json_t *target = json_object_get(json_array_get(targets, 0), "ResTarget");

	return json_array_size(targets) == 1 ? json_string_value(json_object_get(target, "name")) : NULL;
}

/* PostgreSQL counts characters from 1, and the EXPR_WRAP before the text; the result is a byte of the text, or its end.
 */
size_t statement_offset(const char *text, int cursor)
{
	size_t offset = 0;

	for (int left = cursor - 1 - (int)strlen(EXPR_WRAP); left > 0 && text[offset]; left--)
		do
			offset++;
		while (((unsigned char)text[offset] & 0xc0) == 0x80);
	return offset;
}

bool expr_parses(const char *text, size_t *ret_offset)
{
	struct buffer wrapped;
	PgQueryParseResult result;
	bool good = false;

	buffer_init(&wrapped);
	buffer_printf(&wrapped, EXPR_WRAP "%s", text);
	result = pg_query_parse(wrapped.data);
	*ret_offset = 0;
	if (result.error) {
		*ret_offset = statement_offset(text, result.error->cursorpos);
	} else {
		json_t *root = json_loads(result.parse_tree, JSON_ALLOW_NUL, NULL);

		good = statement_expression(root) != NULL;
		json_decref(root);
	}
	pg_query_free_parse_result(result);
	buffer_release(&wrapped);
	return good;
}
