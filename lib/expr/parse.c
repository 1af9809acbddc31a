/*
 * PostgreSQL's own parser (libpg_query) reads "SELECT <text>"; what comes back must be that and nothing more: one
 * statement, one target, no other clause.
 */
#include <jansson.h>
#include <pg_query.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "lib/expr/parse.h"

static json_t *parse_wrapped(struct checker *checker, const char *wrapped, json_t **ret_root)
{
	PgQueryParseResult result = pg_query_parse(wrapped);
	json_t *root = NULL, *expression = NULL;

	if (result.error) {
		if (!expr_reserved_words(checker))
			expr_problem(checker, statement_offset(wrapped + strlen(EXPR_WRAP), result.error->cursorpos),
			             "write one SQL expression", "%s", result.error->message);
	} else {
		root = json_loads(result.parse_tree, JSON_ALLOW_NUL, NULL); /* which is at most so deep */
		expression = statement_expression(root);
		if (!root)
			expr_too_deep(checker, 0);
		else if (!expression && expr_reserved_words(checker))
			;
		else if (!expression && statement_name(root))
			expr_problem(checker, 0, "complete it, or take that word out",
			             "the expression ends in \"%s\", which is read as a name for it",
			             statement_name(root));
		else if (!expression)
			expr_problem(checker, 0, "write an expression such as: event = 'click'",
			             "this is not one SQL expression alone");
	}
	pg_query_free_parse_result(result);
	*ret_root = root;
	return expression;
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
	wrapped = xmalloc(strlen(EXPR_WRAP) + text.size + 1);
	memcpy(wrapped, EXPR_WRAP, strlen(EXPR_WRAP));
	memcpy(wrapped + strlen(EXPR_WRAP), text.data, text.size);
	wrapped[strlen(EXPR_WRAP) + text.size] = '\0';
	expression = parse_wrapped(checker, wrapped, ret_root);
	free(wrapped);
	return expression;
}
