/* The user's functions in the typed tree, and their calls with programs for the arguments. */
#include "lib/expr/coerce.h"
#include "lib/expr/user_call.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/expr/parse.h"
#include "lib/expr/program.h"
#include "lib/expr/user_tree.h"

const char *function_kind_name(enum function_kind kind)
{
	static const char *const names[] = {
	        [FUNCTION_SCALAR] = "scalar",
	        [FUNCTION_TABLE] = "table",
	        [FUNCTION_AGGREGATE] = "aggregate",
	        [FUNCTION_TABLE_AGGREGATE] = "tableAggregate",
	};

	return names[kind];
}

const struct user_function *user_function_find(const struct checker *checker, const char *name, size_t *ret_number)
{
	const struct user_functions *functions = checker->functions;

	for (size_t i = 0; functions && i < functions->count; i++) {
		if (!functions->items[i].name || strcasecmp(functions->items[i].name, name) != 0)
			continue;
		*ret_number = i;
		return &functions->items[i];
	}
	return NULL;
}

const char *user_function_place(enum function_kind kind)
{
	static const char *const places[] = {
	        [FUNCTION_SCALAR] =
	                "a scalar function stands in any expression, but not alone in lateral or with columns",
	        [FUNCTION_TABLE] = "a table function stands in lateral",
	        [FUNCTION_AGGREGATE] = "an aggregate function stands in aggregates, and not inside another",
	        [FUNCTION_TABLE_AGGREGATE] = "a table aggregate stands alone in aggregates, with columns",
	};

	return places[kind];
}

static bool check_arity(struct checker *checker, const struct user_function *function, size_t count, size_t offset)
{
	char right[96];

	if (count > USER_ARGUMENTS_MAX) {
		expr_problem(checker, offset, "give it fewer", "%s has more than %d arguments", function->name,
		             USER_ARGUMENTS_MAX);
		return false;
	}
	if (!function->known || (count >= function->arguments_min && count <= function->arguments_max))
		return true;
	if (function->arguments_min == function->arguments_max)
		snprintf(right, sizeof(right), "give it %zu", function->arguments_min);
	else if (function->arguments_max > USER_ARGUMENTS_MAX)
		snprintf(right, sizeof(right), "give it at least %zu", function->arguments_min);
	else
		snprintf(right, sizeof(right), "give it %zu to %zu", function->arguments_min, function->arguments_max);
	expr_problem(checker, offset, right, "%s does not take %zu argument%s", function->name, count,
	             count == 1 ? "" : "s");
	return false;
}

/* What a source knows of a record is no part of the row. */
static json_t *all_columns(const struct checker *checker, const json_t *body)
{
	json_t *columns = json_array();

	for (size_t i = 0; checker->schema && i < checker->schema->count; i++)
		if (!is_source_column(checker->schema->columns[i].name))
			json_array_append_new(columns, json_pack("{s:{s:[{s:{s:s}}],s:O*}}", "ColumnRef", "fields",
			                                         "String", "sval", checker->schema->columns[i].name,
			                                         "location", json_object_get(body, "location")));
	return columns;
}

json_t *user_call_arguments(const struct checker *checker, const json_t *body, bool *ret_row)
{
	json_t *arguments = json_object_get(body, "args"), *row;

	row = json_array_size(arguments) == 1 ? json_object_get(json_array_get(arguments, 0), "RowExpr") : NULL;
	*ret_row = row || json_object_get(body, "agg_star");
	if (json_object_get(body, "agg_star"))
		return all_columns(checker, body);
	if (row)
		arguments = json_object_get(row, "args");
	return arguments ? json_incref(arguments) : json_array();
}

/* FILTER and DISTINCT go with an aggregate; ORDER BY with none of the user's. */
static bool check_modifiers(struct checker *checker, const struct user_function *function, const json_t *body)
{
	static const char *const refused[] = {"agg_order", "agg_within_group"};
	bool aggregate = function->kind == FUNCTION_AGGREGATE || function->kind == FUNCTION_TABLE_AGGREGATE;
	bool good = aggregate || (!json_object_get(body, "agg_filter") && !json_object_get(body, "agg_distinct"));

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		good = good && !json_object_get(body, refused[i]);
	if (!good)
		expr_problem(checker, json_offset(checker, body),
		             aggregate ? "FILTER (WHERE ...) and DISTINCT are all that goes with it"
		                       : "use them with an aggregate such as COUNT",
		             "%s do not go with %s",
		             aggregate ? "ORDER BY and WITHIN GROUP" : "FILTER, DISTINCT and ORDER BY", function->name);
	return good;
}

/* What argument `i` must become; TYPE_NULL: it stays what it is. */
static enum type argument_type(const struct user_function *function, size_t i)
{
	return function->known && i < function->argument_types_count ? function->argument_types[i] : TYPE_NULL;
}

struct user_call *user_call_from_json(struct checker *checker, size_t number, const json_t *body)
{
	const struct user_function *function = &checker->functions->items[number];
	bool row, good = check_modifiers(checker, function, body);
	json_t *arguments = user_call_arguments(checker, body, &row);
	size_t count = json_array_size(arguments);
	struct user_call *call;

	if (!check_arity(checker, function, count, json_offset(checker, body)) || !good) {
		json_decref(arguments);
		return NULL;
	}
	call = xcalloc(1, sizeof(*call));
	call->function = number;
	call->arguments = xcalloc(count + 1, sizeof(struct program *));
	call->arguments_count = count;
	for (size_t i = 0; i < count; i++) {
		call->arguments[i] = program_from_json(checker, json_array_get(arguments, i),
		                                       argument_type(function, i), function->name);
		good = good && call->arguments[i];
	}
	json_decref(arguments);
	if (good)
		return call;
	user_call_free(call);
	return NULL;
}

static const struct column *run_user(struct node *node, struct run *run, const uint32_t *rows, size_t n)
{
	const struct user_functions *functions = run->functions;
	const struct column *arguments[USER_ARGUMENTS_MAX];

	for (size_t i = 0; i < node->count; i++)
		arguments[i] = node->children[i]->run(node->children[i], run, rows, n);
	if (n)
		functions->run(functions->context, (size_t)node->column, arguments, node->count, rows, n, &node->result,
		               run->arena, run->failures);
	return &node->result;
}

struct node *check_user_function(struct checker *checker, size_t number, const json_t *body)
{
	const struct user_function *function = &checker->functions->items[number];
	bool row, good = check_modifiers(checker, function, body);
	json_t *arguments = user_call_arguments(checker, body, &row);
	size_t count = json_array_size(arguments), offset = json_offset(checker, body);
	struct node *nodes[USER_ARGUMENTS_MAX], *node;

	if (!check_arity(checker, function, count, offset)) {
		json_decref(arguments);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		nodes[i] = check_node(checker, json_array_get(arguments, i));
		if (nodes[i] && (nodes[i]->untyped || argument_type(function, i) != TYPE_NULL))
			nodes[i] = coerce(checker, nodes[i],
			                  argument_type(function, i) == TYPE_NULL ? TYPE_STRING
			                                                          : argument_type(function, i),
			                  function->name);
		good = good && nodes[i];
	}
	json_decref(arguments);
	/* Without the type of its result the rest cannot be judged: no program, and no problem either. */
	if (!good || !function->results.count)
		return NULL;
	node = node_new(checker, offset, function->results.columns[0].type, run_user, nodes, count);
	node->column = (int)number;
	return node;
}

/* The one call that the text is; NULL after a problem. */
static struct user_call *compile(struct checker *checker, const json_t *expression, enum function_kind kind)
{
	const json_t *body = json_object_get(expression, "FuncCall");
	const json_t *names = json_object_get(body, "funcname");
	const json_t *last = json_array_get(names, json_array_size(names) - 1);
	const char *name = json_string_value(json_object_get(json_object_get(last, "String"), "sval"));
	const struct user_function *function;
	size_t number = 0, offset = body ? json_offset(checker, body) : 0;

	function = name ? user_function_find(checker, name, &number) : NULL;
	if (function && function->kind == kind)
		return user_call_from_json(checker, number, body);
	if (function)
		expr_problem(checker, offset, user_function_place(function->kind), "%s may not stand here", name);
	else
		expr_problem(checker, offset, "write a call such as f(x)",
		             "this is not the call of a %s function of spec.functions", function_kind_name(kind));
	return NULL;
}

struct user_call *user_call_compile(struct slice text, const struct schema *schema,
                                    const struct user_functions *functions, enum function_kind kind,
                                    const struct expr_problems *problems)
{
	struct checker checker = {.schema = schema, .functions = functions, .problems = problems};
	struct user_call *call = NULL;
	json_t *root, *expression;
	struct arena arena;

	arena_init(&arena);
	checker.text = arena_string(&arena, text);
	expression = expr_parse(&checker, text, &root);
	if (expression)
		call = compile(&checker, expression, kind);
	json_decref(root);
	arena_release(&arena);
	return call;
}

void user_call_free(struct user_call *call)
{
	if (!call)
		return;
	for (size_t i = 0; i < call->arguments_count; i++)
		program_free(call->arguments[i]);
	free(call->arguments);
	free(call);
}

void user_call_reads(const struct user_call *call, bool *read)
{
	for (size_t i = 0; i < call->arguments_count; i++)
		program_reads(call->arguments[i], read);
}
