/* Calls of functions, by the catalogs. */
#include <jansson.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "lib/expr/aggregate_catalog.h"
#include "lib/expr/coerce.h"
#include "lib/expr/function_row.h"
#include "lib/expr/parse.h"
#include "lib/expr/user_tree.h"

/* Some words are functions to the parser without parentheses: SYSTEM_USER since PostgreSQL 16. */
static bool is_called(const struct checker *checker, size_t offset, const char *name)
{
	const char *after = checker->text + offset + strlen(name);

	return after[strspn(after, " \t\r\n")] == '(';
}

/* The nearest name of any function or aggregate, or NULL. */
static const char *nearest_name(const struct checker *checker, const char *name)
{
	size_t users = checker->functions ? checker->functions->count : 0, count = 0;
	const char **names, *nearest;

	while (function_row(count))
		count++;
	names = xcalloc(count + AGGREGATE_KINDS + users, sizeof(*names));
	for (size_t i = 0; i < count; i++)
		names[i] = function_name(function_row(i));
	for (enum aggregate_kind kind = 0; kind < AGGREGATE_KINDS; kind++)
		names[count++] = aggregate_entry(kind)->name;
	for (size_t i = 0; i < users; i++)
		if (checker->functions->items[i].name)
			names[count++] = checker->functions->items[i].name;
	nearest = text_nearest(slice_of(name), names, count);
	free(names);
	return nearest;
}

static struct node *unknown_function(struct checker *checker, size_t offset, const char *name)
{
	const char *nearest;
	struct buffer right;

	if (!is_called(checker, offset, name) && expr_reserved_word_at(checker, offset))
		return NULL;
	nearest = nearest_name(checker, name);
	buffer_init(&right);
	if (nearest) {
		buffer_printf(&right, "did you mean %s?", nearest);
	} else {
		buffer_append_text(&right, "functions are ");
		function_names(&right);
		buffer_append_text(&right, " and those of spec.functions");
	}
	expr_problem(checker, offset, right.data, "there is no function %s", name);
	buffer_release(&right);
	return NULL;
}

static struct node *check_argument(struct checker *checker, const struct function *function, struct node *argument,
                                   size_t index)
{
	enum type wanted = function->arguments[index];

	if (index == 1 && argument->untyped && !argument->value.null && !strcmp(function->name, "substring"))
		return expr_problem(checker, argument->offset, "write the number of the first character, from 1",
		                    "substring by a pattern is not supported");
	if (wanted != TYPE_NULL)
		return coerce(checker, argument, wanted, function->name);
	if (argument->untyped)
		return coerce(checker, argument, TYPE_DOUBLE, function->name);
	if (!type_is_number(argument->type))
		return expr_problem(checker, argument->offset, "use a number", "%s does not take type %s",
		                    function->name, type_name(argument->type));
	return argument;
}

static struct node *check_call(struct checker *checker, const struct function *function, const json_t *body)
{
	const json_t *arguments = json_object_get(body, "args");
	size_t count = json_array_size(arguments), offset = json_offset(checker, body);
	struct node *nodes[FUNCTION_ARGUMENTS_MAX];
	enum type type = function->result;
	bool good = true;

	if (count < function->least || count > function->most)
		return expr_problem(checker, offset,
		                    function->most == 1 ? "give it one argument" : "give it two or three arguments",
		                    "%s does not take %zu argument%s", function->name, count, count == 1 ? "" : "s");
	for (size_t i = 0; i < count; i++) {
		nodes[i] = check_node(checker, json_array_get(arguments, i));
		nodes[i] = nodes[i] ? check_argument(checker, function, nodes[i], i) : NULL;
		good = good && nodes[i];
	}
	if (!good || !count)
		return NULL;
	if (type == TYPE_NULL)
		type = nodes[0]->type;
	return node_fold(checker,
	                 node_new(checker, offset, type,
	                          function->choose ? function->choose(nodes[0]->type) : function->run, nodes, count));
}

struct node *check_function(struct checker *checker, const json_t *body)
{
	static const char *const only_aggregates[] = {"agg_filter", "agg_star", "agg_distinct", "agg_order",
	                                              "agg_within_group"};
	const json_t *names = json_object_get(body, "funcname");
	const json_t *last = json_array_get(names, json_array_size(names) - 1);
	const char *name = json_string_value(json_object_get(json_object_get(last, "String"), "sval"));
	size_t offset = json_offset(checker, body);
	const struct function *function;
	const struct user_function *user;
	size_t number;

	if (json_object_get(body, "over") || json_object_get(body, "func_variadic"))
		return expr_problem(checker, offset, "aggregate over the job's window",
		                    "OVER and VARIADIC are not supported");
	if (aggregate_name(name))
		return check_aggregate(checker, body, name);
	function = function_find(name);
	user = function ? NULL : user_function_find(checker, name, &number);
	if (user && user->kind == FUNCTION_SCALAR)
		return check_user_function(checker, number, body);
	if (user && user->kind == FUNCTION_AGGREGATE)
		return check_user_aggregate(checker, number, body);
	if (user)
		return expr_problem(checker, offset, user_function_place(user->kind), "%s may not stand here", name);
	if (!function)
		return unknown_function(checker, offset, name);
	for (size_t i = 0; i < sizeof(only_aggregates) / sizeof(only_aggregates[0]); i++)
		if (json_object_get(body, only_aggregates[i]))
			return expr_problem(checker, offset, "use them with an aggregate such as COUNT",
			                    "FILTER, DISTINCT, ORDER BY and * do not go with %s", name);
	return check_call(checker, function, body);
}
