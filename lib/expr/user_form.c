#include "lib/expr/parse.h"
#include "lib/expr/user_form.h"

#include <jansson.h>
#include <string.h>

#include "lib/expr/user_tree.h"

static void ignore(void *context, size_t offset, const char *wrong, const char *right)
{
	(void)context;
	(void)offset;
	(void)wrong;
	(void)right;
}

/* The name of a column that stands alone, or "". */
static const char *column_name(const json_t *expression)
{
	const json_t *fields = json_object_get(json_object_get(expression, "ColumnRef"), "fields");
	const json_t *string = json_object_get(json_array_get(fields, 0), "String");
	const char *name = json_string_value(json_object_get(string, "sval"));

	return name && json_array_size(fields) == 1 ? name : "";
}

static bool same_names(const struct user_form *a, const struct user_form *b)
{
	bool same = a->names_count == b->names_count;

	for (size_t i = 0; same && i < a->names_count; i++)
		same = strcmp(a->names[i], b->names[i]) == 0;
	return same;
}

/* The names do not matter where the function gets no row: whether it does, its code may say. */
static void add_form(struct user_form *form, const struct user_form *call)
{
	bool mixed = form->called && (form->distinct != call->distinct || form->row != call->row);

	if (!form->called) {
		*form = *call;
	} else if (!same_names(form, call)) {
		mixed = mixed || form->row;
		form->names = NULL;
		form->names_count = 0;
	}
	form->mixed = form->mixed || mixed;
}

static void look_at_call(struct checker *checker, const json_t *body, struct user_form *forms, struct arena *arena)
{
	const json_t *funcname = json_object_get(body, "funcname");
	const json_t *last = json_array_get(funcname, json_array_size(funcname) - 1);
	const char *name = json_string_value(json_object_get(json_object_get(last, "String"), "sval")), **names;
	struct user_form call = {.called = true, .distinct = json_object_get(body, "agg_distinct") != NULL};
	size_t number, count;
	json_t *arguments;

	if (!name || !user_function_find(checker, name, &number))
		return;
	arguments = user_call_arguments(checker, body, &call.row);
	count = json_array_size(arguments);
	names = arena_zalloc(arena, (count + 1) * sizeof(*names));
	for (size_t i = 0; i < count; i++)
		names[i] = arena_string(arena, slice_of(column_name(json_array_get(arguments, i))));
	call.names = names;
	call.names_count = count;
	json_decref(arguments);
	add_form(&forms[number], &call);
}

static void look_at(struct checker *checker, json_t *json, struct user_form *forms, struct arena *arena)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_array(json)) {
		json_array_foreach(json, i, value) look_at(checker, value, forms, arena);
		return;
	}
	json_object_foreach(json, key, value)
	{
		if (!strcmp(key, "FuncCall"))
			look_at_call(checker, value, forms, arena);
		look_at(checker, value, forms, arena);
	}
}

void user_forms_of(struct slice text, const struct schema *schema, const struct user_functions *functions,
                   struct user_form *forms, struct arena *arena)
{
	struct expr_problems none = {ignore, NULL};
	struct checker checker = {.schema = schema, .functions = functions, .problems = &none};
	json_t *root = NULL;

	checker.text = arena_string(arena, text);
	if (expr_parse(&checker, text, &root))
		look_at(&checker, root, forms, arena);
	json_decref(root);
}
