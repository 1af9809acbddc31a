/*
 * What the check asks of who loads a job: the functions' code, and what was found of the same spec before.
 */
#ifndef STREAMJOB_CHECK_CALLERS_H
#define STREAMJOB_CHECK_CALLERS_H

#include "lib/base/error.h"
#include "lib/expr/user_function.h"
#include "lib/spec/field/jobspec.h"
#include "lib/spec/field/problems.h"

/* What loading a function's code tells of it; -1: what is wrong with it. Results live as long as the context. */
struct function_loader {
	int (*load)(void *context, const struct function_spec *spec, struct user_function *ret_function,
	            struct error *err);
	void *context;
};

/*
 * What the expressions of a spec were found to be, kept by who loads the same specs again and again. A key is the
 * SHA-256 of the canonical spec in hexadecimal, or of the spec as it was given where its shape is bad.
 */
struct checked_specs {
	/* Adds the problems that the expressions of that spec had; false: it is not known. */
	bool (*recall)(void *context, const char *key, struct problems *problems);
	/* They were compiled, and have the problems from `first` on. */
	void (*keep)(void *context, const char *key, const struct problems *problems, size_t first);
	void *context;
};

#endif
