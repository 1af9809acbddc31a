/*
 * How the calls of the user's functions stand in a job file, which is looked at before their code is loaded: a function
 * of whole rows is told the names of their fields, and an aggregate whether it gets each value once.
 */
#ifndef STREAMJOB_USER_FORM_H
#define STREAMJOB_USER_FORM_H

#include "lib/base/arena.h"
#include "lib/expr/expr.h"

struct user_form {
	bool called, distinct;
	bool row;                 /* f(*) or f(ROW(a, b)): the arguments are the fields of one */
	bool mixed;               /* calls of one function differ in this */
	const char *const *names; /* of the arguments, "" where one is not a column alone */
	size_t names_count;
};

/* Adds what the calls in the text say to forms[function]; a text that is no expression is left out. */
void user_forms_of(struct slice text, const struct schema *schema, const struct user_functions *functions,
                   struct user_form *forms, struct arena *arena);

#endif
