/*
 * Aggregate expressions: "COUNT(*) FILTER (WHERE event = 'click')", "SUM(a) / COUNT(*)", "PERCENTILE(ms, 0.95)".
 *
 * The text is split into aggregate calls, each with programs over the rows, and one output program over the group:
 * its batch has the group keys' columns first, then one column a call with the call's result.
 */
#ifndef STREAMJOB_AGGREGATE_EXPR_H
#define STREAMJOB_AGGREGATE_EXPR_H

#include "lib/expr/expr.h"

/* COUNT_ROWS is COUNT(*). The signatures live in aggregate_catalog.c: one row each. */
enum aggregate_kind {
	AGGREGATE_COUNT_ROWS,
	AGGREGATE_COUNT,
	AGGREGATE_COUNT_DISTINCT,
	AGGREGATE_SUM,
	AGGREGATE_AVG,
	AGGREGATE_MIN,
	AGGREGATE_MAX,
	AGGREGATE_PERCENTILE,
};

struct aggregate_call {
	enum aggregate_kind kind;
	enum type argument_type; /* TYPE_NULL for COUNT(*) */
	enum type result_type;
	double parameter;         /* PERCENTILE's p, 0 to 1 */
	struct program *argument; /* NULL for COUNT(*) */
	struct program *filter;   /* NULL where there is no FILTER */
	char *text;               /* as PostgreSQL would print it: for explain and messages */
};

struct aggregate_expr {
	struct aggregate_call *calls;
	size_t calls_count;
	struct program *output; /* over keys ++ calls */
};

/* NULL after at least one problem was added. A column outside of a call must be a group key. */
struct aggregate_expr *aggregate_expr_compile(struct slice text, const struct schema *row, const struct schema *keys,
                                              const struct expr_problems *problems);
void aggregate_expr_free(struct aggregate_expr *expr);

/*
 * Result types: COUNT* BIGINT; SUM INT, BIGINT -> BIGINT, DOUBLE -> DOUBLE; AVG -> DOUBLE; MIN, MAX as the argument
 * (not BOOLEAN); PERCENTILE of a number -> DOUBLE. "SUM".
 */
const char *aggregate_kind_name(enum aggregate_kind kind);

#endif
