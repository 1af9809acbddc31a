/*
 * Calls of the user's functions outside of scalar expressions: a table function in `lateral`, an aggregate in
 * `aggregates`.
 */
#ifndef STREAMJOB_USER_CALL_H
#define STREAMJOB_USER_CALL_H

#include "lib/expr/expr.h"

#define USER_ARGUMENTS_MAX 32

struct user_call {
	size_t function; /* its number in the user_functions */
	struct program **arguments;
	size_t arguments_count;
};

/*
 * The text must be one call of a function of that kind and nothing else. NULL after a problem. Results are not looked
 * at: they may not be known yet.
 */
struct user_call *user_call_compile(struct slice text, const struct schema *schema,
                                    const struct user_functions *functions, enum function_kind kind,
                                    const struct expr_problems *problems);
void user_call_free(struct user_call *call);
/* Sets read[i] for each column i of the schema that the arguments read. */
void user_call_reads(const struct user_call *call, bool *read);

#endif
