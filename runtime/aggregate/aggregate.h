/*
 * Aggregates: what happens to the rows of one group.
 *
 * An aggregate is one file, which ends in a `const struct aggregate_types SYMBOL_aggregate`, and one line in
 * lib/expr/aggregates.def. Its state is plain
 * memory that the caller owns; what a state holds beyond it comes from the budget and is given back by `release`.
 * Two states of the same aggregate combine to what one state would be had it seen both inputs: lanes, pods and
 * restarts all rest on that.
 *
 * Pure: no clock, no I/O, no globals. Threads: a state belongs to one lane at a time.
 */
#ifndef STREAMJOB_AGGREGATE_H
#define STREAMJOB_AGGREGATE_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/expr/aggregate_expr.h"

/* What update and combine return beside 0. */
enum { AGGREGATE_FAILED = -1, AGGREGATE_OUT_OF_BUDGET = -2 };

struct aggregate {
	size_t state_size; /* bytes, a multiple of 8; memory is aligned to 16 */
	void (*init)(void *state);
	/*
	 * Adds rows[i] of `column` to states[i], i < n. NULLs were taken out by the caller. COUNT(*) gets column NULL.
	 * When the budget is out it stops at a row with every state whole: rows before it are added, *ret_done says how
	 * many.
	 */
	int (*update)(void *const *states, const struct column *column, const uint32_t *rows, size_t n,
	              struct budget *budget, size_t *ret_done, struct error *err);
	int (*combine)(void *state, const void *other, struct budget *budget, struct error *err);
	/* Strings of the value belong to the state. `parameter` is the call's (PERCENTILE's p). -1: overflow, said in
	 * err. */
	int (*finalize)(const void *state, double parameter, struct value *ret_value, struct error *err);
	/* A state as bytes that every machine can load; load refuses what save did not write. */
	void (*save)(const void *state, struct buffer *out);
	int (*load)(void *state, struct slice *in, struct budget *budget, struct error *err);
	void (*release)(void *state, struct budget *budget); /* NULL where there is nothing to free */
};

/* An aggregate by the type of its first argument, TYPE_NULL: that of name(*). NULL: the catalog does not let it pass.
 */
struct aggregate_types {
	const struct aggregate *of[TYPE_COUNT];
};

/* The state of AGGREGATE_USER: the accumulators are in the function's worker. */
struct user_state {
	uint64_t touched; /* 1: there is one */
};

/* The implementation for a compiled call; never NULL for a call that the compiler let pass. */
const struct aggregate *aggregate_find(enum aggregate_kind kind, enum type argument);

#endif
