/*
 * The other process: streamjob-worker. It takes requests from the shared memory one after the other, hands them to the
 * user's function, and answers. It trusts the runtime, and puts itself in a sandbox before the user's code is loaded.
 *
 * One thread, but for those that the user's code starts.
 */
#ifndef STREAMJOB_WORKER_H
#define STREAMJOB_WORKER_H

#include <stdatomic.h>

#include "lib/expr/expr.h"
#include "runtime/udf/protocol.h"
#include "runtime/udf/wire.h"

struct worker {
	struct udf_control *control;
	struct wire_in in;
	struct wire_out out;
	uint32_t n;             /* rows of the request */
	struct buffer failures; /* of the request's rows: number and reason each */
	uint32_t failures_count;
	uint32_t failures_bytes;
	struct grown_column *results; /* columns of the declared results */
	size_t results_count;
	struct buffer parents; /* uint32_t each: rows that were yielded */
	int64_t memory_bytes;
	bool out_of_memory; /* a row ended in MemoryError */
};

/* What a language does. start and call return an enum udf_reply; with REPLY_ERROR the reason is in worker->out. */
struct language {
	int (*start)(struct worker *worker);
	int (*call)(struct worker *worker, enum udf_op op);
	/* Around the wait for a request, so that the function's own threads may run. */
	void (*wait_begins)(void);
	void (*wait_ends)(void);
};
extern const struct language python_language;

static inline void worker_at(struct worker *worker, enum udf_method method, uint32_t row)
{
	atomic_store_explicit(&worker->control->method, method, memory_order_relaxed);
	atomic_store_explicit(&worker->control->row, row, memory_order_relaxed);
}

static inline void worker_at_row(struct worker *worker, uint32_t row)
{
	atomic_store_explicit(&worker->control->row, row, memory_order_relaxed);
}

void worker_row_failed(struct worker *worker, uint32_t row, struct slice reason);
int worker_error(struct worker *worker, struct slice reason);

/* What dies with the runtime, opens no more than it may, and can gain no rights. Before anything of the user's. */
int sandbox_begin(long parent);
/* The memory limit, counted from what is in use now, and no more processes. Before the user's code. */
int sandbox_close(int64_t memory_bytes);
/* After MemoryError: is there room again? */
bool sandbox_has_room(int64_t memory_bytes);
/* Only threads from here on: no fork, no exec, no tracing, no signals to others. */
int sandbox_filter(void);

#endif
