/*
 * The user's own functions as an expression sees them: names, kinds, what they take and yield, and the one thing that
 * runs them. The room is pure: whoever compiles a program that calls them passes the runner.
 */
#ifndef STREAMJOB_USER_FUNCTION_H
#define STREAMJOB_USER_FUNCTION_H

#include "lib/data/batch.h"

enum function_kind { FUNCTION_SCALAR, FUNCTION_TABLE, FUNCTION_AGGREGATE, FUNCTION_TABLE_AGGREGATE };

struct row_failures;

/* One function. What is not known yet, because nothing has loaded its code, is let pass. */
struct user_function {
	const char *name; /* matched without regard to case, as SQL's names are */
	enum function_kind kind;
	bool known; /* arity and results are the code's own words */
	size_t arguments_min, arguments_max;
	const enum type *argument_types; /* the first so many of the arguments; the others are of any type */
	size_t argument_types_count;
	struct schema results; /* count 0: not known */
};

/*
 * Scalar function number `function` for rows[0..n): results at the rows' own numbers in `result`, strings alive until
 * `strings` is reset. Rows that fail are added to `failures`, unless the function's policy makes NULL of them.
 */
typedef void user_scalar(void *context, size_t function, const struct column *const *arguments, size_t arguments_count,
                         const uint32_t *rows, size_t n, struct column *result, struct arena *strings,
                         struct row_failures *failures);

struct user_functions {
	const struct user_function *items;
	size_t count;
	user_scalar *run; /* NULL: the program is only looked at */
	void *context;    /* of run */
};

/* "scalar", "tableAggregate". */
const char *function_kind_name(enum function_kind kind);

#endif
