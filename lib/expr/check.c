/* From the parse tree to the typed tree: constants, columns, and what SQL writes with words. */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/text.h"
#include "lib/expr/coerce.h"
#include "lib/expr/kernels.h"
#include "lib/expr/parse.h"

static struct node *integer_constant(struct checker *checker, size_t offset, int64_t integer)
{
	struct value value = {.type = TYPE_BIGINT, .bigint = integer};

	if (integer >= INT32_MIN && integer <= INT32_MAX)
		value.type = TYPE_INT;
	return node_constant(checker, offset, value);
}

/* The digits of a literal's text, which may follow signs, spaces, parentheses and comments. */
static const char *literal_digits(const char *text)
{
	while (*text && !(*text >= '0' && *text <= '9')) {
		if (text[0] == '-' && text[1] == '-')
			text += strcspn(text, "\n");
		else if (text[0] == '/' && text[1] == '*')
			text = past_comment(text);
		else
			text++;
	}
	return text;
}

/* libpg_query 15 leaves 0 and negative values out of its JSON: they are read from the text. */
static struct node *check_integer(struct checker *checker, size_t offset, const json_t *member)
{
	const json_t *value = json_object_get(member, "ival");

	if (value)
		return integer_constant(checker, offset, json_integer_value(value));
	return integer_constant(checker, offset, -(int64_t)strtoll(literal_digits(checker->text + offset), NULL, 10));
}

/* A number with a point or exponent, or an integer past 32 bits. */
static struct node *check_float(struct checker *checker, size_t offset, const char *text)
{
	struct value value = {.type = TYPE_DOUBLE};
	int64_t integer;

	if (text_parse_bigint(slice_of(text), &integer))
		return integer_constant(checker, offset, integer);
	if (!text_parse_double(slice_of(text), &value.real))
		return expr_problem(checker, offset, "write a number that a DOUBLE can hold", "%s is out of range",
		                    text);
	return node_constant(checker, offset, value);
}

static struct node *check_const(struct checker *checker, const json_t *body)
{
	size_t offset = json_offset(checker, body);
	json_t *member;
	struct node *node;

	if (json_is_true(json_object_get(body, "isnull"))) {
		node = node_constant(checker, offset, (struct value){.type = TYPE_STRING, .null = true});
		node->untyped = true;
		return node;
	}
	member = json_object_get(body, "boolval");
	if (member)
		return node_constant(checker, offset,
		                     (struct value){.type = TYPE_BOOLEAN,
		                                    .boolean = json_is_true(json_object_get(member, "boolval"))});
	member = json_object_get(body, "ival");
	if (member)
		return check_integer(checker, offset, member);
	member = json_object_get(body, "fval");
	if (member)
		return check_float(checker, offset, json_string_value(json_object_get(member, "fval")));
	member = json_object_get(body, "sval");
	if (member) {
		json_t *text = json_object_get(member, "sval");
		struct slice bytes = {text ? json_string_value(text) : "", text ? json_string_length(text) : 0};

		node = node_constant(
		        checker, offset,
		        (struct value){.type = TYPE_STRING, .string = arena_copy(&checker->program->arena, bytes)});
		node->untyped = true;
		return node;
	}
	return expr_problem(checker, offset, "use a number, a string, TRUE, FALSE or NULL",
	                    "this kind of constant is not known");
}

static struct node *unknown_column(struct checker *checker, size_t offset, const char *name)
{
	const struct schema *schema = checker->schema;
	const char **names = arena_alloc(&checker->program->arena, (schema->count + 1) * sizeof(char *));
	const char *nearest;
	struct buffer right;

	if (aggregate_row_column(checker->aggregates, name))
		return expr_problem(checker, offset, "aggregate it, as in MAX(…), or add it to groupBy",
		                    "the column \"%s\" is not a group key", name);
	buffer_init(&right);
	for (size_t i = 0; i < schema->count; i++)
		names[i] = schema->columns[i].name;
	nearest = text_nearest(slice_of(name), names, schema->count);
	if (nearest && strcmp(nearest, name) && strcasecmp(nearest, name) == 0)
		buffer_printf(&right, "names fold to lower case: write \"%s\" in double quotes", nearest);
	else if (nearest)
		buffer_printf(&right, "did you mean %s?", nearest);
	else
		buffer_append_text(&right, "columns are");
	for (size_t i = 0; i < schema->count && !nearest; i++)
		buffer_printf(&right, "%s %s", i ? "," : "", names[i]);
	expr_problem(checker, offset, schema->count ? right.data : "no column may stand here",
	             "there is no column \"%s\"", name);
	buffer_release(&right);
	return NULL;
}

static struct node *check_column(struct checker *checker, const json_t *body)
{
	const json_t *fields = json_object_get(body, "fields");
	const char *name =
	        json_string_value(json_object_get(json_object_get(json_array_get(fields, 0), "String"), "sval"));
	size_t offset = json_offset(checker, body);
	int column;

	if (json_array_size(fields) != 1 || !name)
		return expr_problem(checker, offset,
		                    "write the column's name alone; a nested value needs a column with a path",
		                    "this is not the name of a column");
	column = schema_find(checker->schema, slice_of(name));
	if (column < 0)
		return unknown_column(checker, offset, name);
	return node_column(checker, offset, column, checker->schema->columns[column].type);
}

static struct node *check_boolean(struct checker *checker, const json_t *json, const char *what)
{
	struct node *node = check_node(checker, json);

	return node ? coerce(checker, node, TYPE_BOOLEAN, what) : NULL;
}

static struct node *check_bool_expr(struct checker *checker, const json_t *body)
{
	const char *operator= json_string_value(json_object_get(body, "boolop"));
	const json_t *arguments = json_object_get(body, "args");
	bool and = strcmp(operator, "AND_EXPR") == 0, not = strcmp(operator, "NOT_EXPR") == 0;
	struct node *result = NULL;
	bool good = true;

	/* Left to right, two at a time; every argument is checked so that every problem is found. */
	for (size_t i = 0; i < json_array_size(arguments); i++) {
		struct node *next = check_boolean(checker, json_array_get(arguments, i),
		                                  and   ? "an argument of AND"
		                                  : not ? "the argument of NOT"
		                                        : "an argument of OR");
		struct node *pair[2] = {result, next};

		good = good && next;
		if (!good)
			continue;
		if (not )
			result = node_new(checker, next->offset, TYPE_BOOLEAN, run_not, &next, 1);
		else
			result = i ? node_new(checker, result->offset, TYPE_BOOLEAN, and? run_and : run_or, pair, 2)
			           : next;
	}
	return good ? node_fold(checker, result) : NULL;
}

static struct node *check_null_test(struct checker *checker, const json_t *body)
{
	struct node *argument = check_node(checker, json_object_get(body, "arg"));
	struct node *node;

	if (!argument)
		return NULL;
	node = node_new(checker, argument->offset, TYPE_BOOLEAN, run_null_test, &argument, 1);
	node->negated = !strcmp(json_string_value(json_object_get(body, "nulltesttype")), "IS_NOT_NULL");
	return node_fold(checker, node);
}

static struct node *check_bool_test(struct checker *checker, const json_t *body)
{
	const char *test = json_string_value(json_object_get(body, "booltesttype"));
	struct node *argument =
	        check_boolean(checker, json_object_get(body, "arg"), "the argument of IS TRUE and IS FALSE");
	struct node *node;

	if (!argument)
		return NULL;
	node = node_new(checker, argument->offset, TYPE_BOOLEAN, run_bool_test, &argument, 1);
	node->negated = strncmp(test, "IS_NOT_", 7) == 0;
	test += node->negated ? 7 : 3;
	node->column = strcmp(test, "TRUE") == 0 ? TEST_TRUE : strcmp(test, "FALSE") == 0 ? TEST_FALSE : TEST_UNKNOWN;
	return node_fold(checker, node);
}

/* Brings nodes [0, count), `stride` apart, to their common type; false after a problem. */
static bool unify(struct checker *checker, struct node **nodes, size_t count, const char *what, enum type *ret_type)
{
	if (!common_type(checker, nodes, count, what, ret_type))
		return false;
	for (size_t i = 0; i < count; i++) {
		nodes[i] = coerce(checker, nodes[i], *ret_type, what);
		if (!nodes[i])
			return false;
	}
	return true;
}

static struct node *check_coalesce(struct checker *checker, const json_t *body)
{
	const json_t *arguments = json_object_get(body, "args");
	size_t count = json_array_size(arguments);
	struct node **nodes = arena_zalloc(&checker->program->arena, (count + 1) * sizeof(*nodes));
	bool good = true;
	enum type type;

	for (size_t i = 0; i < count; i++) {
		nodes[i] = check_node(checker, json_array_get(arguments, i));
		good = good && nodes[i];
	}
	if (!good || !unify(checker, nodes, count, "COALESCE", &type))
		return NULL;
	return node_fold(checker, node_new(checker, json_offset(checker, body), type, run_coalesce, nodes, count));
}

/* CASE x WHEN v: x = v. */
static struct node *check_when(struct checker *checker, struct node *subject, const json_t *json)
{
	struct node *pair[2];
	enum type type;

	if (!subject)
		return check_boolean(checker, json, "the condition of WHEN");
	pair[0] = subject;
	pair[1] = check_node(checker, json);
	if (!pair[1] || !unify(checker, pair, 2, "CASE", &type))
		return NULL;
	return node_new(checker, pair[1]->offset, TYPE_BOOLEAN, comparison_kernel(COMPARE_EQ, type), pair, 2);
}

/* Children: conditions, then results, then the ELSE. */
static struct node *check_case(struct checker *checker, const json_t *body)
{
	const json_t *whens = json_object_get(body, "args"), *subject_json = json_object_get(body, "arg");
	const json_t *otherwise = json_object_get(body, "defresult");
	size_t count = json_array_size(whens), offset = json_offset(checker, body);
	struct node **nodes = arena_zalloc(&checker->program->arena, (2 * count + 1) * sizeof(*nodes));
	struct node *subject = subject_json ? check_node(checker, subject_json) : NULL;
	bool good;
	enum type type;

	if (subject && subject->untyped)
		subject = coerce(checker, subject, TYPE_STRING, "CASE");
	good = !subject_json || subject;
	for (size_t i = 0; i < count; i++) {
		const json_t *when = json_object_get(json_array_get(whens, i), "CaseWhen");

		nodes[i] = good ? check_when(checker, subject, json_object_get(when, "expr")) : NULL;
		nodes[count + i] = check_node(checker, json_object_get(when, "result"));
		good = good && nodes[i] && nodes[count + i];
	}
	if (otherwise) {
		nodes[2 * count] = check_node(checker, otherwise);
	} else {
		nodes[2 * count] = node_constant(checker, offset, (struct value){.type = TYPE_STRING, .null = true});
		nodes[2 * count]->untyped = true;
	}
	if (!good || !nodes[2 * count] || !unify(checker, nodes + count, count + 1, "CASE", &type))
		return NULL;
	return node_fold(checker, node_new(checker, offset, type, run_case, nodes, 2 * count + 1));
}

static const struct {
	const char *name;
	enum type type;
} type_names[] = {
        {"bool", TYPE_BOOLEAN},
        {"boolean", TYPE_BOOLEAN},
        {"int4", TYPE_INT},
        {"int", TYPE_INT},
        {"int8", TYPE_BIGINT},
        {"bigint", TYPE_BIGINT},
        {"float8", TYPE_DOUBLE},
        {"double", TYPE_DOUBLE},
        {"text", TYPE_STRING},
        {"varchar", TYPE_STRING},
        {"string", TYPE_STRING},
        {"timestamptz", TYPE_TIMESTAMP},
        {"timestamp", TYPE_TIMESTAMP},
};

static struct node *check_cast(struct checker *checker, const json_t *body)
{
	const json_t *type_json = json_object_get(body, "typeName");
	const json_t *names = json_object_get(type_json, "names");
	const json_t *last = json_array_get(names, json_array_size(names) - 1);
	const char *name = json_string_value(json_object_get(json_object_get(last, "String"), "sval"));
	size_t offset = json_offset(checker, type_json);
	struct node *argument = check_node(checker, json_object_get(body, "arg"));

	if (!argument)
		return NULL;
	if (json_object_get(type_json, "typmods") || json_object_get(type_json, "arrayBounds"))
		return expr_problem(checker, offset, "write the type alone, such as TEXT",
		                    "a type with a length, a precision or brackets is not supported");
	for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]) && name; i++)
		if (!strcasecmp(type_names[i].name, name))
			return explicit_cast(checker, argument, type_names[i].type, offset);
	return expr_problem(checker, offset, "use BOOLEAN, INT, BIGINT, DOUBLE PRECISION, TEXT or TIMESTAMPTZ",
	                    "there is no type \"%s\" here", name ? name : "");
}

struct node *check_node(struct checker *checker, const json_t *json)
{
	static const struct {
		const char *name;
		struct node *(*check)(struct checker *checker, const json_t *body);
	} kinds[] = {
	        {"A_Const", check_const},      {"ColumnRef", check_column},      {"BoolExpr", check_bool_expr},
	        {"NullTest", check_null_test}, {"BooleanTest", check_bool_test}, {"CoalesceExpr", check_coalesce},
	        {"CaseExpr", check_case},      {"TypeCast", check_cast},         {"A_Expr", check_a_expr},
	        {"FuncCall", check_function},
	};
	const char *name = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)json));
	const json_t *body = name ? json_object_get(json, name) : NULL;
	struct node *node;

	if (!body)
		return expr_problem(checker, 0, "write one SQL expression", "a part of the expression is missing");
	if (checker->depth >= EXPR_DEPTH_MAX)
		return expr_too_deep(checker, json_offset(checker, body));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name))
			continue;
		checker->depth++;
		node = kinds[i].check(checker, body);
		checker->depth--;
		return node;
	}
	if (expr_reserved_word_at(checker, json_offset(checker, body)))
		return NULL;
	return expr_problem(
	        checker, json_offset(checker, body),
	        "use columns, constants, operators, CASE, COALESCE, CAST and the functions of the reference",
	        "%s is not supported here", strcmp(name, "SubLink") == 0 ? "a subquery" : "this part of SQL");
}
