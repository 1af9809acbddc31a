/* A program from text, or from a part of a parse tree. */
#include <jansson.h>

#include "lib/expr/coerce.h"
#include "lib/expr/parse.h"
#include "lib/expr/program.h"

struct program *program_from_json(struct checker *checker, const struct json_t *json, enum type wanted,
                                  const char *what)
{
	struct program *program = program_new();
	struct checker inner = *checker;
	struct node *root;

	inner.program = program;
	program->functions = checker->functions;
	root = check_node(&inner, json);
	if (root && (wanted != TYPE_NULL || root->untyped))
		root = coerce(&inner, root, wanted == TYPE_NULL ? TYPE_STRING : wanted, what);
	if (!root) {
		program_free(program);
		return NULL;
	}
	program_finish(program, root);
	return program;
}

struct program *program_compile(struct slice text, const struct schema *schema, const struct user_functions *functions,
                                const struct expr_problems *problems)
{
	struct arena arena;
	struct checker checker = {.schema = schema, .functions = functions, .problems = problems};
	struct program *program = NULL;
	json_t *root, *expression;

	arena_init(&arena);
	checker.text = arena_string(&arena, text);
	expression = expr_parse(&checker, text, &root);
	if (expression)
		program = program_from_json(&checker, expression, TYPE_NULL, "the expression");
	json_decref(root);
	arena_release(&arena);
	return program;
}
