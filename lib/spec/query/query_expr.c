/* One expression of a job: compiled, and where its problems go. */
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "lib/spec/query/query_parts.h"

void query_problem(void *context, size_t offset, const char *wrong, const char *right)
{
	struct at *at = context;

	problems_add_at(at->problems, at->path, offset, wrong, right);
}

void query_problem_at(struct at *at, const char *wrong, const char *right)
{
	problems_add_at(at->problems, at->path, PROBLEM_NO_OFFSET, wrong, right);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool mentions(const char *text, const char *name)
{
	size_t size = strlen(name);

	for (const char *p = text; *p; p++)
		if (!strncasecmp(p, name, size) && (p == text || !is_word(p[-1])) && !is_word(p[size]))
			return true;
	return false;
}

bool query_can_compile(const char *text, const struct schema *schema)
{
	if (!text)
		return false;
	for (size_t i = 0; i < schema->count; i++)
		if (schema->columns[i].type == TYPE_NULL && mentions(text, schema->columns[i].name))
			return false;
	return true;
}

struct program *query_boolean(const char *text, const struct schema *schema, const struct user_functions *functions,
                              struct at *at)
{
	struct expr_problems problems = {query_problem, at};
	struct program *program =
	        query_can_compile(text, schema) ? program_compile(slice_of(text), schema, functions, &problems) : NULL;

	if (program && program_type(program) != TYPE_BOOLEAN) {
		char wrong[128];

		snprintf(wrong, sizeof(wrong), "is a %s, not a BOOLEAN", type_name(program_type(program)));
		query_problem_at(at, wrong, "write a condition, like n > 0");
		program_free(program);
		return NULL;
	}
	return program;
}
