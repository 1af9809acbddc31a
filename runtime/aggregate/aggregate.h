/*
 * Aggregates: what happens to the rows of one group.
 *
 * An aggregate is one file, which ends in a `const struct aggregate_types SYMBOL_aggregate`, and one line in
 * lib/expr/aggregates.def; a user's function is one too, whose states are in its worker
 * (runtime/pipeline/user_aggregate.h). A state is plain memory that the caller owns; what it holds beyond that comes
 * from the budget and is given back by `release`. Two states of the same aggregate combine to what one state would be
 * had it seen both inputs: lanes, pods and restarts all rest on that.
 *
 * Pure: no clock, no I/O, no globals. Threads: a state belongs to one at a time.
 */
#ifndef STREAMJOB_AGGREGATE_H
#define STREAMJOB_AGGREGATE_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/expr/aggregate_expr.h"

/* Beside 0. INTERRUPTED: what the aggregate rests on has failed, and the job goes back to what is committed. */
enum { AGGREGATE_FAILED = -1, AGGREGATE_OUT_OF_BUDGET = -2, AGGREGATE_INTERRUPTED = -3 };

/* Where a state is: for those that keep what they have elsewhere. Number of the table, and of the group in it. */
struct state_place {
	uint32_t table, group;
};

/* What a thread lends to the functions of one call. */
struct aggregate_run {
	const struct aggregate_call *call;
	struct budget *budget;         /* update, combine, load */
	struct row_failures *failures; /* update: rows that it refuses; finalize, emit: states[i] whose value is NULL */
	struct arena *strings;         /* of those reasons and values that are not in a state */
	void *context;                 /* of an aggregate that needs one; NULL for those of this room */
};

/* What a table aggregate yields: rows, and for each the number i of its states[i], ascending. */
struct aggregate_rows {
	struct batch batch;
	uint32_t *parents;
};

struct aggregate {
	size_t state_size; /* bytes, a multiple of 8; memory is aligned to 16 */
	bool takes_null;   /* rows with a NULL among the arguments too; the caller takes them out for the others */
	bool refuses;      /* update may refuse rows: it is called before those that do not, which never see them */
	void (*init)(void *state, struct state_place place);
	/*
	 * Adds rows[i] of the arguments' columns to states[i], i < n; name(*) gets none. When the budget is out it
	 * stops at a row with every state whole: rows before it are added, *ret_done says how many.
	 */
	int (*update)(const struct aggregate_run *run, void *const *states, const struct column *const *columns,
	              const uint32_t *rows, size_t n, size_t *ret_done, struct error *err);
	/* others[i] into states[i]. */
	int (*combine)(const struct aggregate_run *run, void *const *states, void *const *others, size_t n,
	               struct error *err);
	/* The value of states[i] at row i of results[0], or of as many columns as the result has fields; strings live
	 * as long as the state. A value that cannot be had is NULL, and in the failures. */
	int (*finalize)(const struct aggregate_run *run, void *const *states, size_t n, struct column *results,
	                struct error *err);
	/* Of a table aggregate, instead. The rows are the caller's: aggregate_rows_release. */
	int (*emit)(const struct aggregate_run *run, void *const *states, size_t n, struct aggregate_rows *ret_rows,
	            struct error *err);
	/* A state as bytes that every machine can load; load, into a new one, refuses what save did not write. */
	int (*save)(const struct aggregate_run *run, const void *state, struct buffer *out, struct error *err);
	int (*load)(const struct aggregate_run *run, void *state, struct slice *in, struct error *err);
	void (*release)(void *state, struct budget *budget); /* NULL where there is nothing to free */
	/* No state of the table is needed any more. NULL where release is enough. */
	int (*forget)(const struct aggregate_run *run, uint32_t table, struct error *err);
};

/* An aggregate by the type of its first argument, TYPE_NULL: that of name(*). NULL: the catalog does not let it pass.
 */
struct aggregate_types {
	const struct aggregate *of[TYPE_COUNT];
};

/* One call of a query, and what does it. `context` is of the thread that uses it. */
struct aggregation {
	const struct aggregate_call *call;
	const struct aggregate *aggregate;
	void *context;
};

/* What does a call of the catalog; never NULL for one that the compiler let pass. */
const struct aggregate *aggregate_find(enum aggregate_kind kind, enum type argument);
void aggregate_rows_release(struct aggregate_rows *rows);

#endif
