/* What every part of the check says and asks of the checker. */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/expr/parse.h"

struct node *expr_problem(struct checker *checker, size_t offset, const char *right, const char *wrong, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list arguments;

	va_start(arguments, wrong);
	vsnprintf(text, sizeof(text), wrong, arguments);
	va_end(arguments);
	checker->problems->add(checker->problems->context, offset, text, right);
	return NULL;
}

struct node *expr_too_deep(struct checker *checker, size_t offset)
{
	return expr_problem(checker, offset, "split it over several columns of `select`",
	                    "the expression is nested more than %d deep", EXPR_DEPTH_MAX);
}

size_t json_offset(const struct checker *checker, const struct json_t *body)
{
	json_int_t location = json_integer_value(json_object_get(body, "location")) - (json_int_t)strlen(EXPR_WRAP);

	return location < 0 || (size_t)location > strlen(checker->text) ? 0 : (size_t)location;
}

bool aggregate_row_column(const struct aggregate_scope *scope, const char *name)
{
	return scope && schema_find(scope->row, slice_of(name)) >= 0;
}

const struct schema *aggregate_row(const struct aggregate_scope *scope)
{
	return scope->row;
}
