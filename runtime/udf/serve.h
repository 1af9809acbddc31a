/*
 * The other end of the calls: a request is read, carried out, answered. This is what the process streamjob-worker does,
 * and what this process does for a native function that is run in it.
 */
#ifndef STREAMJOB_UDF_SERVE_H
#define STREAMJOB_UDF_SERVE_H

#include <stdatomic.h>

#include "lib/expr/expr.h"
#include "runtime/udf/protocol.h"
#include "runtime/udf/wire.h"

/* What a worker shuts itself off from; of its first request. */
struct sandbox {
	bool network, required; /* sockets beyond AF_UNIX; no start without Landlock */
	struct slice kept;      /* folders that it does not reach, each but the last with an LF */
	struct slice outputs;   /* files that it does not reach, likewise */
	struct slice scratch;   /* a folder that is its own; empty: none */
	struct slice open;      /* a path that it reads in any case; empty: none */
};

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
	bool out_of_memory; /* a row found no memory: the rows after it are not called */
	void *state;        /* of a native function */
	/* worker.h; NULL: no sandbox, in the runtime's own process */
	int (*sandbox_close)(const struct sandbox *wanted);
	int (*sandbox_limit)(int64_t memory_bytes);
};

/* What a language does. start and call return an enum udf_reply; with REPLY_ERROR the reason is in worker->out. */
struct language {
	int (*start)(struct worker *worker);
	int (*call)(struct worker *worker, enum udf_op op);
	void (*end)(struct worker *worker); /* gives back all that start took; NULL: the process ends anyway */
	/* Around the wait for a request, so that the function's own threads may run. */
	void (*wait_begins)(void);
	void (*wait_ends)(void);
};
extern const struct language native_language;

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

/* The head of the first request: memory_bytes, and what the sandbox is to be. */
void worker_take_head(struct worker *worker, struct sandbox *ret_sandbox);
/* 0, or the reply: the sandbox cannot be had. */
int worker_close_sandbox(struct worker *worker, const struct sandbox *wanted);
int worker_limit_memory(struct worker *worker);

void serve_init(struct worker *worker, struct udf_control *control);
void serve_release(struct worker *worker, const struct language *language);
/* The request in the shared memory is carried out, its reply is there; the wake is the caller's. */
void serve_request(struct worker *worker, const struct language *language, uint32_t number);

#endif
