/*
 * The user's functions as aggregates (runtime/aggregate/aggregate.h): their accumulators are in the function's worker,
 * and a state says where. Group number n of a table has, for the k calls of one function in a query, the slots n * k to
 * n * k + k - 1 of that table in the worker of the table's lane.
 */
#ifndef STREAMJOB_USER_AGGREGATE_H
#define STREAMJOB_USER_AGGREGATE_H

#include "runtime/aggregate/aggregate.h"
#include "runtime/pipeline/calls.h"

/* The context of one call of a user's aggregate, for one thread. */
struct user_context {
	struct calls *calls; /* the thread's */
	size_t function;
	uint32_t stride, index; /* how many calls of the function there are, and which this is */
};

/* Of a value or row for each group, and of 0 to n rows. */
extern const struct aggregate user_aggregate, user_table_aggregate;

#endif
