/*
 * Aggregate expressions: "COUNT(*) FILTER (WHERE event = 'click')", "SUM(a) / COUNT(*)", "PERCENTILE(ms, 0.95)".
 *
 * The text is split into aggregate calls, each with programs over the rows, and one output program over the group:
 * its batch has the group keys' columns first, then one column a call with the call's result.
 */
#ifndef STREAMJOB_AGGREGATE_EXPR_H
#define STREAMJOB_AGGREGATE_EXPR_H

#include "lib/expr/aggregate_catalog.h"
#include "lib/expr/user_call.h"

struct aggregate_call {
	enum aggregate_kind kind;
	enum type argument_type; /* of the first; TYPE_NULL for COUNT(*) and AGGREGATE_USER */
	enum type result_type;
	double parameter;           /* PERCENTILE's fraction, 0 to 1 */
	struct program **arguments; /* those that are columns: none for COUNT(*) */
	size_t arguments_count;
	struct program *filter; /* NULL where there is no FILTER */
	struct user_call *user; /* of AGGREGATE_USER, which has the arguments */
	char *text;             /* as PostgreSQL would print it: for explain and messages */
};

struct aggregate_expr {
	struct aggregate_call *calls;
	size_t calls_count;
	struct program *output; /* over keys ++ calls; NULL with columns */
	/* With columns there is one call, and its result has several fields. */
	enum type *column_types;
	size_t columns_count;
	bool table; /* of a table aggregate: 0 to n rows a group */
};

/* NULL after at least one problem was added. A column outside of a call must be a group key. */
struct aggregate_expr *aggregate_expr_compile(struct slice text, const struct schema *row, const struct schema *keys,
                                              const struct expr_problems *problems);
/* The same, where the user's functions may be called. columns_count is not 0: one call that yields so many fields. NULL
 * without a problem: the type of a function's result is not known yet. */
struct aggregate_expr *aggregate_expr_compile_calling(struct slice text, const struct schema *row,
                                                      const struct schema *keys, size_t columns_count,
                                                      const struct user_functions *functions,
                                                      const struct expr_problems *problems);
void aggregate_expr_free(struct aggregate_expr *expr);

#endif
