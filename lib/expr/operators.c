/* A_Expr: everything that PostgreSQL's grammar writes as an operator. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/expr/coerce.h"
#include "lib/expr/kernels.h"

static const char *operator_name(const json_t *body)
{
	const json_t *names = json_object_get(body, "name");
	const json_t *last = json_array_get(names, json_array_size(names) - 1);
	const char *name = json_string_value(json_object_get(json_object_get(last, "String"), "sval"));

	return name ? name : "";
}

static bool find_comparison(const char *name, enum comparison *ret_comparison)
{
	static const char *const names[] = {"=", "<>", "<", "<=", ">", ">="};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0) {
			*ret_comparison = (enum comparison)i;
			return true;
		}
	}
	return false;
}

/* Takes nodes that may be NULL. */
static struct node *compare(struct checker *checker, enum comparison comparison, struct node *left, struct node *right,
                            size_t offset)
{
	struct node *pair[2] = {left, right};
	enum type type;

	if (!left || !right || !common_type(checker, pair, 2, "a comparison", &type))
		return NULL;
	for (size_t i = 0; i < 2; i++) {
		pair[i] = coerce(checker, pair[i], type, "a comparison");
		if (!pair[i])
			return NULL;
	}
	return node_fold(checker,
	                 node_new(checker, offset, TYPE_BOOLEAN, comparison_kernel(comparison, type), pair, 2));
}

static struct node *join(struct checker *checker, kernel *run, struct node *left, struct node *right, size_t offset)
{
	struct node *pair[2] = {left, right};

	if (!left || !right)
		return NULL;
	return node_fold(checker, node_new(checker, offset, TYPE_BOOLEAN, run, pair, 2));
}

static struct node *negate(struct checker *checker, struct node *node)
{
	return node ? node_fold(checker, node_new(checker, node->offset, TYPE_BOOLEAN, run_not, &node, 1)) : NULL;
}

static struct node *concatenate(struct checker *checker, struct node *left, struct node *right, size_t offset)
{
	struct node *pair[2] = {left, right};

	if (left->type != TYPE_STRING && right->type != TYPE_STRING)
		return expr_problem(checker, offset, "cast one side to TEXT", "|| joins texts, not %s and %s",
		                    type_name(left->type), type_name(right->type));
	for (size_t i = 0; i < 2; i++) {
		pair[i] = pair[i]->type == TYPE_STRING ? coerce(checker, pair[i], TYPE_STRING, "||")
		                                       : explicit_cast(checker, pair[i], TYPE_STRING, pair[i]->offset);
		if (!pair[i])
			return NULL;
	}
	return node_fold(checker, node_new(checker, offset, TYPE_STRING, run_concat, pair, 2));
}

static struct node *arithmetic(struct checker *checker, const char *name, struct node *left, struct node *right,
                               size_t offset)
{
	struct node *pair[2] = {left, right};
	kernel *run = NULL;
	enum type type;

	if (left->untyped && right->untyped)
		return expr_problem(checker, offset, "cast one side to a number", "%s of two literals without a type",
		                    name);
	if (!common_type(checker, pair, 2, name, &type))
		return NULL;
	if (strlen(name) == 1 && type_is_number(type))
		run = arithmetic_kernel(name[0], type);
	if (!run)
		return expr_problem(checker, offset, "use numbers, or CAST", "there is no operator %s %s %s",
		                    type_name(left->type), name, type_name(right->type));
	for (size_t i = 0; i < 2; i++) {
		pair[i] = coerce(checker, pair[i], type, name);
		if (!pair[i])
			return NULL;
	}
	return node_fold(checker, node_new(checker, offset, type, run, pair, 2));
}

static struct node *unary(struct checker *checker, const char *name, struct node *argument, size_t offset)
{
	if (argument->untyped && name[0] == '-')
		return expr_problem(checker, offset, "write a number, or CAST", "- of a literal without a type");
	if (argument->untyped)
		argument = coerce(checker, argument, TYPE_DOUBLE, name);
	if (!argument)
		return NULL;
	if (!type_is_number(argument->type) || (strcmp(name, "-") && strcmp(name, "+")))
		return expr_problem(checker, offset, "use a number", "there is no operator %s for %s", name,
		                    type_name(argument->type));
	if (name[0] == '+')
		return argument;
	return node_fold(checker,
	                 node_new(checker, offset, argument->type, negate_kernel(argument->type), &argument, 1));
}

static struct node *check_operator(struct checker *checker, const json_t *body, const char *name)
{
	const json_t *left_json = json_object_get(body, "lexpr");
	struct node *left = left_json ? check_node(checker, left_json) : NULL;
	struct node *right = check_node(checker, json_object_get(body, "rexpr"));
	size_t offset = json_offset(checker, body);
	enum comparison comparison;

	if (!right || (left_json && !left))
		return NULL;
	if (!left_json)
		return unary(checker, name, right, offset);
	if (find_comparison(name, &comparison))
		return compare(checker, comparison, left, right, offset);
	if (strcmp(name, "||") == 0)
		return concatenate(checker, left, right, offset);
	if (strlen(name) == 1 && strchr("+-*/%", name[0]))
		return arithmetic(checker, name, left, right, offset);
	return expr_problem(checker, offset, "use + - * / % || = <> < <= > >=", "there is no operator %s", name);
}

static struct node *check_distinct(struct checker *checker, const json_t *body, bool negated)
{
	struct node *left = check_node(checker, json_object_get(body, "lexpr"));
	struct node *right = check_node(checker, json_object_get(body, "rexpr"));
	struct node *node = compare(checker, COMPARE_DISTINCT, left, right, json_offset(checker, body));

	return negated ? negate(checker, node) : node;
}

/* x IN (constants of one type): one kernel; else x = a OR x = b … */
static struct node *check_in(struct checker *checker, const json_t *body)
{
	const json_t *items = json_object_get(json_object_get(json_object_get(body, "rexpr"), "List"), "items");
	size_t count = json_array_size(items), offset = json_offset(checker, body);
	struct node **nodes = arena_zalloc(&checker->program->arena, (count + 2) * sizeof(*nodes));
	bool negated = strcmp(operator_name(body), "<>") == 0, constant = true, good;
	struct node *result;
	enum type type;

	nodes[0] = check_node(checker, json_object_get(body, "lexpr"));
	good = nodes[0] && count;
	if (!count)
		expr_problem(checker, offset, "give the values: IN ('a', 'b')", "IN needs a list of values");
	for (size_t i = 1; i <= count; i++) {
		nodes[i] = check_node(checker, json_array_get(items, i - 1));
		good = good && nodes[i];
	}
	if (!good || !common_type(checker, nodes, count + 1, "IN", &type))
		return NULL;
	for (size_t i = 0; i <= count; i++) {
		nodes[i] = coerce(checker, nodes[i], type, "IN");
		if (!nodes[i])
			return NULL;
		constant = constant && (i == 0 || nodes[i]->constant);
	}
	if (constant) {
		result = node_fold(checker, node_new(checker, offset, TYPE_BOOLEAN, run_in_list, nodes, count + 1));
	} else {
		result = compare(checker, COMPARE_EQ, nodes[0], nodes[1], offset);
		for (size_t i = 2; i <= count; i++)
			result = join(checker, run_or, result, compare(checker, COMPARE_EQ, nodes[0], nodes[i], offset),
			              offset);
	}
	return negated ? negate(checker, result) : result;
}

static struct node *between(struct checker *checker, struct node *value, struct node *low, struct node *high,
                            size_t offset)
{
	return join(checker, run_and, compare(checker, COMPARE_GE, value, low, offset),
	            compare(checker, COMPARE_LE, value, high, offset), offset);
}

static struct node *check_between(struct checker *checker, const json_t *body, bool negated, bool symmetric)
{
	const json_t *bounds = json_object_get(json_object_get(json_object_get(body, "rexpr"), "List"), "items");
	struct node *value = check_node(checker, json_object_get(body, "lexpr"));
	struct node *low = check_node(checker, json_array_get(bounds, 0));
	struct node *high = check_node(checker, json_array_get(bounds, 1));
	size_t offset = json_offset(checker, body);
	struct node *node = between(checker, value, low, high, offset);

	if (node && symmetric)
		node = join(checker, run_or, node, between(checker, value, high, low, offset), offset);
	return negated ? negate(checker, node) : node;
}

/* The third child is the escape character, where one was given. */
static struct node *check_like(struct checker *checker, const json_t *body, kernel *run)
{
	const json_t *pattern = json_object_get(body, "rexpr");
	const json_t *escape_call = json_object_get(pattern, "FuncCall");
	const json_t *escape_arguments = json_object_get(escape_call, "args");
	bool escaped = json_array_size(escape_arguments) == 2;
	struct node *nodes[3] = {check_node(checker, json_object_get(body, "lexpr"))};
	size_t count = escaped ? 3 : 2, offset = json_offset(checker, body);
	struct node *node;

	nodes[1] = check_node(checker, escaped ? json_array_get(escape_arguments, 0) : pattern);
	if (escaped)
		nodes[2] = check_node(checker, json_array_get(escape_arguments, 1));
	for (size_t i = 0; i < count; i++) {
		nodes[i] = nodes[i] ? coerce(checker, nodes[i], TYPE_STRING, "LIKE") : NULL;
		if (!nodes[i])
			return NULL;
	}
	if (escaped && (!nodes[2]->constant || nodes[2]->value.null || nodes[2]->value.string.size > 1))
		return expr_problem(checker, nodes[2]->offset, "write ESCAPE '#', or ESCAPE '' for none",
		                    "the escape must be one ASCII character");
	node = node_new(checker, offset, TYPE_BOOLEAN, run, nodes, count);
	node = node_fold(checker, node);
	return operator_name(body)[0] == '!' ? negate(checker, node) : node;
}

/*
 * NULLIF(a, b): CASE WHEN a = b THEN NULL ELSE a END. PostgreSQL compares INT with BIGINT as they are, so that a keeps
 * its type; beside a DOUBLE it becomes one.
 */
static struct node *check_nullif(struct checker *checker, const json_t *body)
{
	size_t offset = json_offset(checker, body);
	struct node *value = check_node(checker, json_object_get(body, "lexpr"));
	struct node *other = check_node(checker, json_object_get(body, "rexpr"));
	struct node *equal = compare(checker, COMPARE_EQ, value, other, offset);
	struct node *nodes[3] = {value, other};
	enum type type;

	if (!equal || !common_type(checker, nodes, 2, "NULLIF", &type))
		return NULL;
	if (value->untyped || type == TYPE_DOUBLE)
		value = coerce(checker, value, type, "NULLIF");
	if (!value)
		return NULL;
	nodes[0] = equal;
	nodes[1] = node_constant(checker, offset, (struct value){.type = value->type, .null = true});
	nodes[2] = value;
	return node_fold(checker, node_new(checker, offset, value->type, run_case, nodes, 3));
}

struct node *check_a_expr(struct checker *checker, const json_t *body)
{
	const char *kind = json_string_value(json_object_get(body, "kind"));

	if (!strcmp(kind, "AEXPR_OP"))
		return check_operator(checker, body, operator_name(body));
	if (!strcmp(kind, "AEXPR_DISTINCT") || !strcmp(kind, "AEXPR_NOT_DISTINCT"))
		return check_distinct(checker, body, kind[6] == 'N');
	if (!strcmp(kind, "AEXPR_IN"))
		return check_in(checker, body);
	if (!strcmp(kind, "AEXPR_LIKE") || !strcmp(kind, "AEXPR_ILIKE"))
		return check_like(checker, body, kind[6] == 'I' ? run_ilike : run_like);
	if (!strcmp(kind, "AEXPR_NULLIF"))
		return check_nullif(checker, body);
	if (!strcmp(kind, "AEXPR_BETWEEN") || !strcmp(kind, "AEXPR_NOT_BETWEEN"))
		return check_between(checker, body, kind[6] == 'N', false);
	if (!strcmp(kind, "AEXPR_BETWEEN_SYM") || !strcmp(kind, "AEXPR_NOT_BETWEEN_SYM"))
		return check_between(checker, body, kind[6] == 'N', true);
	return expr_problem(checker, json_offset(checker, body), "use = <> < <= > >= IN BETWEEN LIKE",
	                    "this operator is not supported");
}
