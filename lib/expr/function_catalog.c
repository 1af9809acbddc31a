#include "lib/expr/function_row.h"

#include <string.h>
#include <strings.h>

#include "lib/expr/aggregate_catalog.h"
#include "lib/expr/kernels.h"

static const struct function functions[] = {
        {"lower", 1, 1, {TYPE_STRING}, TYPE_STRING, run_lower, NULL, "in small letters", NULL, false},
        {"upper", 1, 1, {TYPE_STRING}, TYPE_STRING, run_upper, NULL, "in capital letters", NULL, false},
        {"length", 1, 1, {TYPE_STRING}, TYPE_INT, run_length, NULL, "how many characters", NULL, false},
        {"char_length", 1, 1, {TYPE_STRING}, TYPE_INT, run_length, NULL, "as LENGTH", NULL, true},
        {"character_length", 1, 1, {TYPE_STRING}, TYPE_INT, run_length, NULL, "as LENGTH", NULL, true},
        {"substring",
         2,
         3,
         {TYPE_STRING, TYPE_INT, TYPE_INT},
         TYPE_STRING,
         run_substring,
         NULL,
         "from a character on, counted from 1, so many or to the end",
         NULL,
         false},
        {"substr",
         2,
         3,
         {TYPE_STRING, TYPE_INT, TYPE_INT},
         TYPE_STRING,
         run_substring,
         NULL,
         "as SUBSTRING",
         NULL,
         true},
        {"abs", 1, 1, {TYPE_NULL}, TYPE_NULL, NULL, absolute_kernel, "without its sign", NULL, false},
        {"floor", 1, 1, {TYPE_DOUBLE}, TYPE_DOUBLE, run_floor, NULL, "down to a whole number", NULL, false},
        {"ceil", 1, 1, {TYPE_DOUBLE}, TYPE_DOUBLE, run_ceil, NULL, "up to a whole number", NULL, false},
        {"ceiling", 1, 1, {TYPE_DOUBLE}, TYPE_DOUBLE, run_ceil, NULL, "as CEIL", NULL, true},
        {"round", 1, 1, {TYPE_DOUBLE}, TYPE_DOUBLE, run_round, NULL, "to the nearest whole number", NULL, false},
        {"coalesce", 0, 0, {TYPE_NULL}, TYPE_NULL, NULL, NULL, "the first that is not NULL", "any, …", false},
        {"nullif", 0, 0, {TYPE_NULL}, TYPE_NULL, NULL, NULL, "NULL where both are equal", "any, any", false},
};

#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

const struct function *function_row(size_t i)
{
	return i < FUNCTIONS ? &functions[i] : NULL;
}

const struct function *function_find(const char *name)
{
	for (size_t i = 0; i < FUNCTIONS; i++)
		if (!functions[i].words && strcmp(functions[i].name, name) == 0)
			return &functions[i];
	return NULL;
}

const char *function_name(const struct function *function)
{
	return function->name;
}

const char *function_meaning(const struct function *function)
{
	return function->meaning;
}

enum type function_result(const struct function *function)
{
	return function->result;
}

bool expr_has_function(const char *name)
{
	for (size_t i = 0; i < FUNCTIONS; i++)
		if (strcasecmp(functions[i].name, name) == 0)
			return true;
	return aggregate_name(name);
}

void function_signature(const struct function *function, struct buffer *out)
{
	append_name(function->name, out);
	buffer_printf(out, "(%s", function->words ? function->words : "");
	for (size_t i = 0; i < function->most; i++)
		buffer_printf(out, "%s%s%s%s", i >= function->least ? "[" : "", i ? ", " : "",
		              function->arguments[i] == TYPE_NULL ? "number" : type_name(function->arguments[i]),
		              i >= function->least ? "]" : "");
	buffer_append_char(out, ')');
}

void function_names(struct buffer *out)
{
	const char *between = "";

	for (size_t i = 0; i < FUNCTIONS; i++) {
		if (functions[i].alias)
			continue;
		buffer_append_text(out, between);
		append_name(functions[i].name, out);
		between = ", ";
	}
}
