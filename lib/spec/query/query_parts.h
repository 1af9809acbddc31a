/*
 * What the compilation of a job shares: query.c (the whole), query_rows.c (rows), query_expr.c (one expression). Inside
 * lib/spec/query only.
 */
#ifndef STREAMJOB_QUERY_PARTS_H
#define STREAMJOB_QUERY_PARTS_H

#include "lib/spec/query/query.h"

/* Where the problems of one expression go. */
struct at {
	struct problems *problems;
	char path[128];
};

/* struct expr_problems' add; `context` is a struct at. */
void query_problem(void *context, size_t offset, const char *wrong, const char *right);
/* Of the field as a whole. */
void query_problem_at(struct at *at, const char *wrong, const char *right);

/*
 * A column whose own type or expression has a problem has TYPE_NULL. What mentions it is not compiled: it would be
 * called wrong for no fault of its own.
 */
bool query_can_compile(const char *text, const struct schema *schema);
struct program *query_boolean(const char *text, const struct schema *schema, const struct user_functions *functions,
                              struct at *at);

/* The declared columns and the source's own, with room for the rest; the array is the query's. */
struct schema_column *query_row_columns(const struct jobspec *job, struct query *query);
/* Filter and select, then lateral; their columns are added. False where something did not compile. */
bool query_rows(const struct jobspec *job, struct query *query, struct schema_column *columns,
                struct problems *problems);
bool query_lateral(const struct jobspec *job, struct query *query, struct schema_column *columns,
                   struct problems *problems);

#endif
