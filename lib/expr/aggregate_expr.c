/* Aggregate calls are cut out of the tree: each becomes a column of the output program's batch, after the group keys.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "lib/expr/coerce.h"
#include "lib/expr/aggregate_expr.h"
#include "lib/expr/parse.h"
#include "lib/expr/program.h"
#include "lib/expr/user_tree.h"

#define AGGREGATE_CALLS_MAX 64

/* Past the parenthesis that closes the one at text[i]; quoted text is passed over. */
static size_t past_parenthesis(const char *text, size_t i)
{
	size_t depth = 0;

	for (; text[i]; i++) {
		if (text[i] == '\'' || text[i] == '"') {
			char quote = text[i++];

			while (text[i] && text[i] != quote)
				i++;
			if (!text[i])
				return i;
		} else if (text[i] == '(') {
			depth++;
		} else if (text[i] == ')' && --depth == 0) {
			return i + 1;
		}
	}
	return i;
}

/* The call as the user wrote it, FILTER and all. */
static char *call_text(const struct checker *checker, size_t offset)
{
	const char *text = checker->text;
	size_t end = offset + strcspn(text + offset, "("), next;
	char *copy;

	end = past_parenthesis(text, end);
	next = end + strspn(text + end, " \t\r\n");
	if (strncasecmp(text + next, "filter", 6) == 0)
		end = past_parenthesis(text, next + strcspn(text + next, "("));
	copy = xmalloc(end - offset + 1);
	memcpy(copy, text + offset, end - offset);
	copy[end - offset] = '\0';
	return copy;
}

static void call_release(struct aggregate_call *call)
{
	for (size_t i = 0; i < call->arguments_count && !call->user; i++)
		program_free(call->arguments[i]);
	if (!call->user)
		free(call->arguments);
	program_free(call->filter);
	user_call_free(call->user);
	free(call->text);
}

/* A constant from 0 to 1. */
static bool check_fraction(struct checker *checker, const struct aggregate_entry *entry, const json_t *json,
                           double *ret_fraction)
{
	char what[96];
	struct program *program;
	struct node *root;
	bool good;

	snprintf(what, sizeof(what), "the second argument of %s", entry->id);
	program = program_from_json(checker, json, TYPE_DOUBLE, what);
	root = program ? program->root : NULL;
	good = root && root->constant && !root->value.null && root->value.real >= 0 && root->value.real <= 1;
	if (good)
		*ret_fraction = root->value.real;
	else if (root)
		expr_problem(checker, root->offset, "write a number from 0 to 1, such as 0.95",
		             "%s must be a constant from 0 to 1", what);
	program_free(program);
	return good;
}

static bool refuse_type(struct checker *checker, const struct aggregate_entry *entry, enum type type, size_t offset)
{
	expr_problem(checker, offset,
	             entry->arguments[0] == ARGUMENT_ORDERED ? "use COUNT(*) FILTER (WHERE …)"
	                                                     : "use a number, or CAST",
	             "%s does not take type %s", entry->name, type_name(type));
	return false;
}

static bool check_star(struct checker *checker, const struct aggregate_entry *entry, size_t offset,
                       struct aggregate_call *call)
{
	if (entry->form == FORM_ROWS) {
		call->result_type = aggregate_result_type(entry, TYPE_NULL);
		return true;
	}
	expr_problem(checker, offset, "name the column", "%s(*) has no meaning", entry->name);
	return false;
}

static size_t arguments_count(const struct aggregate_entry *entry)
{
	size_t count = 0;

	while (entry->arguments[count] != ARGUMENT_NONE)
		count++;
	return count;
}

static bool refuse_count(struct checker *checker, const struct aggregate_entry *entry, size_t given, size_t offset)
{
	struct buffer right;

	buffer_init(&right);
	buffer_append_text(&right, "write ");
	aggregate_signature(entry, &right);
	expr_problem(checker, offset, arguments_count(entry) == 1 ? "give it one argument" : right.data,
	             "%s does not take %zu argument%s", entry->name, given, given == 1 ? "" : "s");
	buffer_release(&right);
	return false;
}

/* Argument `i`: a column, or the constant that is the call's parameter. */
static bool check_argument(struct checker *checker, const struct aggregate_entry *entry, size_t i, const json_t *json,
                           size_t offset, struct aggregate_call *call)
{
	enum aggregate_argument wanted = entry->arguments[i];
	struct program *program;

	if (wanted == ARGUMENT_FRACTION)
		return check_fraction(checker, entry, json, &call->parameter);
	program = program_from_json(checker, json,
	                            wanted == ARGUMENT_BOOLEAN  ? TYPE_BOOLEAN
	                            : wanted == ARGUMENT_DOUBLE ? TYPE_DOUBLE
	                                                        : TYPE_NULL,
	                            entry->name);
	if (!program)
		return false;
	call->arguments[call->arguments_count++] = program;
	if (i == 0)
		call->argument_type = program_type(program);
	return aggregate_argument_takes(wanted, program_type(program)) ||
	       refuse_type(checker, entry, program_type(program), offset);
}

static bool check_arguments(struct checker *checker, const struct aggregate_entry *entry, const json_t *body,
                            struct aggregate_call *call)
{
	const json_t *arguments = json_object_get(body, "args");
	size_t offset = json_offset(checker, body), wanted = arguments_count(entry);
	bool good = true;

	if (json_object_get(body, "agg_star"))
		return check_star(checker, entry, offset, call);
	if (json_array_size(arguments) != wanted)
		return refuse_count(checker, entry, json_array_size(arguments), offset);
	call->arguments = xcalloc(wanted, sizeof(struct program *));
	for (size_t i = 0; i < wanted && good; i++)
		good = check_argument(checker, entry, i, json_array_get(arguments, i), offset, call);
	call->result_type = aggregate_result_type(entry, call->argument_type);
	return good;
}

static bool refuse_order(struct checker *checker, const json_t *body)
{
	if (!json_object_get(body, "agg_order") && !json_object_get(body, "agg_within_group"))
		return false;
	expr_problem(checker, json_offset(checker, body), "leave it out",
	             "ORDER BY inside an aggregate is not supported");
	return true;
}

/* The catalog's row for the call's form; another row of the name where there is none for it, and a problem. */
static const struct aggregate_entry *find_entry(struct checker *checker, const char *name, const json_t *body,
                                                bool *ret_good)
{
	enum aggregate_form form = json_object_get(body, "agg_star")       ? FORM_ROWS
	                           : json_object_get(body, "agg_distinct") ? FORM_DISTINCT
	                                                                   : FORM_VALUES;
	const struct aggregate_entry *entry = aggregate_entry_find(name, form);

	*ret_good = !refuse_order(checker, body);
	if (entry)
		return entry;
	if (form == FORM_DISTINCT && *ret_good)
		expr_problem(checker, json_offset(checker, body), "COUNT(DISTINCT x) is supported",
		             "%s(DISTINCT …) is not supported", name);
	*ret_good = false;
	return aggregate_entry_find(name, FORM_VALUES);
}

/* Fills the call; what it holds is released by the caller, also on failure. `name` NULL: of user function `number`. */
static bool check_call(struct checker *outer, const char *name, size_t number, const json_t *body,
                       struct aggregate_call *call)
{
	struct checker checker = *outer;
	const json_t *filter = json_object_get(body, "agg_filter");
	bool good;

	checker.aggregates = NULL; /* none inside another */
	checker.schema = outer->aggregates->row;
	if (name) {
		const struct aggregate_entry *entry = find_entry(&checker, name, body, &good);

		call->kind = aggregate_entry_kind(entry);
		good = check_arguments(&checker, entry, body, call) && good;
	} else {
		call->kind = AGGREGATE_USER;
		call->user = user_call_from_json(&checker, number, body);
		good = call->user != NULL;
		call->arguments = good ? call->user->arguments : NULL;
		call->arguments_count = good ? call->user->arguments_count : 0;
	}
	if (filter) {
		call->filter = program_from_json(&checker, filter, TYPE_BOOLEAN, "FILTER (WHERE …)");
		good = call->filter && good;
	}
	if (good)
		call->text = call_text(&checker, json_offset(&checker, body));
	return good;
}

/* The call becomes one of the expression's; NULL after a problem. */
static struct aggregate_call *add_call(struct checker *checker, const char *name, size_t number, const json_t *body)
{
	struct aggregate_expr *expr = checker->aggregates->expr;
	struct aggregate_call call = {0};

	if (expr->calls_count == AGGREGATE_CALLS_MAX) {
		expr_problem(checker, json_offset(checker, body), "split it",
		             "more than %d aggregate calls in one expression", AGGREGATE_CALLS_MAX);
		return NULL;
	}
	if (!check_call(checker, name, number, body, &call)) {
		call_release(&call);
		return NULL;
	}
	expr->calls = xrealloc(expr->calls, (expr->calls_count + 1) * sizeof(call));
	expr->calls[expr->calls_count] = call;
	return &expr->calls[expr->calls_count++];
}

static struct node *call_column(struct checker *checker, const json_t *body, enum type type)
{
	struct aggregate_scope *scope = checker->aggregates;

	return node_column(checker, json_offset(checker, body),
	                   (int)(scope->keys->count + scope->expr->calls_count - 1), type);
}

struct node *check_aggregate(struct checker *checker, const json_t *body, const char *name)
{
	struct aggregate_call *call;

	if (!checker->aggregates)
		return expr_problem(checker, json_offset(checker, body),
		                    "aggregates stand in spec.aggregates, and not inside one another",
		                    "the aggregate %s may not stand here", name);
	call = add_call(checker, name, 0, body);
	return call ? call_column(checker, body, call->result_type) : NULL;
}

struct node *check_user_aggregate(struct checker *checker, size_t number, const json_t *body)
{
	const struct user_function *function = &checker->functions->items[number];
	struct aggregate_call *call;

	if (!checker->aggregates)
		return expr_problem(checker, json_offset(checker, body), user_function_place(function->kind),
		                    "the aggregate %s may not stand here", function->name);
	if (function->results.count > 1)
		return expr_problem(checker, json_offset(checker, body), "give the aggregate columns instead of a name",
		                    "the result of %s is a row of %zu fields", function->name, function->results.count);
	call = add_call(checker, NULL, number, body);
	if (!call || !function->results.count)
		return NULL; /* or not known yet */
	call->result_type = function->results.columns[0].type;
	return call_column(checker, body, call->result_type);
}

/* With columns: the expression is one call of a function with so many result fields. */
static bool check_columns(struct checker *checker, const json_t *expression, size_t columns_count)
{
	struct aggregate_expr *expr = checker->aggregates->expr;
	const json_t *body = json_object_get(expression, "FuncCall"), *names = json_object_get(body, "funcname");
	const json_t *last = json_array_get(names, json_array_size(names) - 1);
	const char *name = json_string_value(json_object_get(json_object_get(last, "String"), "sval"));
	size_t number = 0;
	const struct user_function *function = name ? user_function_find(checker, name, &number) : NULL;

	if (!function || (function->kind != FUNCTION_AGGREGATE && function->kind != FUNCTION_TABLE_AGGREGATE)) {
		expr_problem(checker, 0, "write one call, such as top2(x), or give a name instead of columns",
		             "with columns this is not the call of an aggregate of spec.functions alone");
		return false;
	}
	if (!add_call(checker, NULL, number, body) || !function->results.count)
		return false;
	if (function->results.count != columns_count) {
		expr_problem(checker, 0, "name each of them", "%s has %zu result fields, but there are %zu columns",
		             function->name, function->results.count, columns_count);
		return false;
	}
	expr->table = function->kind == FUNCTION_TABLE_AGGREGATE;
	expr->columns_count = columns_count;
	expr->column_types = xcalloc(columns_count, sizeof(enum type));
	for (size_t i = 0; i < columns_count; i++)
		expr->column_types[i] = function->results.columns[i].type;
	return true;
}

static bool check_output(struct checker *checker, const json_t *expression)
{
	struct aggregate_expr *expr = checker->aggregates->expr;

	expr->output = program_from_json(checker, expression, TYPE_NULL, "the aggregate");
	if (expr->output && !expr->calls_count)
		expr_problem(checker, 0, "write an aggregate such as COUNT(*); a plain column belongs into groupBy",
		             "there is no aggregate in this expression");
	return expr->output && expr->calls_count;
}

struct aggregate_expr *aggregate_expr_compile(struct slice text, const struct schema *row, const struct schema *keys,
                                              const struct expr_problems *problems)
{
	return aggregate_expr_compile_calling(text, row, keys, 0, NULL, problems);
}

struct aggregate_expr *aggregate_expr_compile_calling(struct slice text, const struct schema *row,
                                                      const struct schema *keys, size_t columns_count,
                                                      const struct user_functions *functions,
                                                      const struct expr_problems *problems)
{
	struct aggregate_expr *expr = xcalloc(1, sizeof(*expr));
	struct aggregate_scope scope = {row, keys, expr};
	struct checker checker = {.schema = keys, .problems = problems, .functions = functions, .aggregates = &scope};
	struct arena arena;
	json_t *root, *expression;
	bool good;

	arena_init(&arena);
	checker.text = arena_string(&arena, text);
	expression = expr_parse(&checker, text, &root);
	good = expression && (columns_count ? check_columns(&checker, expression, columns_count)
	                                    : check_output(&checker, expression));
	json_decref(root);
	arena_release(&arena);
	if (good)
		return expr;
	aggregate_expr_free(expr);
	return NULL;
}

void aggregate_expr_free(struct aggregate_expr *expr)
{
	if (!expr)
		return;
	for (size_t i = 0; i < expr->calls_count; i++)
		call_release(&expr->calls[i]);
	free(expr->calls);
	free(expr->column_types);
	program_free(expr->output);
	free(expr);
}
