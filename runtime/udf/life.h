/* A worker from the inside of this room: its process, its memory, its calls. */
#ifndef STREAMJOB_UDF_LIFE_H
#define STREAMJOB_UDF_LIFE_H

#include <pthread.h>

#include "runtime/udf/keeper.h"
#include "runtime/udf/protocol.h"
#include "runtime/udf/udf_calls.h"
#include "runtime/udf/serve.h"
#include "runtime/udf/wire.h"

struct udf_worker {
	const struct function_spec *spec;
	struct udf_environment environment;
	const char *watched;         /* "of function NAME", for the watchdog */
	pthread_mutex_t mutex;       /* one call at a time */
	struct udf_control *control; /* the shared memory */
	struct keeper *keeper;       /* NULL: no process, or none any more */
	uint32_t number;             /* of the request */
	bool vectorized, dead, started;
	struct udf_failure failure; /* once dead */
	size_t results_count;
	enum type results[UDF_RESULTS_MAX];
	char *reply; /* the copy of the last reply */
	size_t reply_capacity;
	size_t answered_bytes;   /* by the replies of this call */
	struct wire_in in;       /* of it */
	struct arena arena;      /* of the results and reasons of the last call */
	struct wire_out request; /* being written */
	struct worker *inside;   /* a native function in this process: no keeper, no process */
};

const char *udf_method_name(enum udf_method method);
/* Paths of the worker program and of the Python packages; `out` gets NUL-terminated text. -1: not found, said in err.
 */
int find_worker(const struct udf_environment *environment, char *out, size_t size, struct error *err);
int find_packages(const struct udf_environment *environment, char *out, size_t size, struct error *err);

/* The memory and the process. life_release is due in any case. */
int life_begin(struct udf_worker *worker, struct error *err);
/* The process is killed and its keeper given back, also after it has died by itself. Its wait status, or -1 where it is
 * not known; the last words of its stderr go to `ret_tail`. Waits a bounded time: see keeper.h. */
int life_end(struct udf_worker *worker, struct buffer *ret_tail);
/* The same, and why the keeper ended it: an empty buffer where it did not. */
int life_look_back(struct udf_worker *worker, struct buffer *ret_tail, struct buffer *ret_why);
/* Frees all. */
void life_release(struct udf_worker *worker);

/* What the last call gave is gone: its strings, its reasons, and how much it was. */
void call_forget(struct udf_worker *worker);
/* A new request; the caller writes worker->request. */
void call_begin(struct udf_worker *worker);
/* Sends it and waits; worker->in is the reply, in private memory. Row i of the request has the number rows[i], i < n.
 * CALL_TOO_LARGE: the answer for so many slots has no room; the worker is well, ask for fewer. */
#define CALL_TOO_LARGE 1
int call_finish(struct udf_worker *worker, enum udf_op op, int64_t timeout_ms, const uint32_t *rows, size_t n,
                struct udf_failure *ret_failure);
/* The reply says what no reply can say: the function wrote over the memory. Kills; is -1. */
int call_garbled(struct udf_worker *worker, struct udf_failure *ret_failure);
/* Ends a worker and says why; is -1. worker_failed: the process was ended before, with these last words. */
int worker_failed(struct udf_worker *worker, enum udf_reason reason, uint32_t row, const char *what,
                  const struct buffer *tail, struct udf_failure *ret_failure);
int worker_fail(struct udf_worker *worker, enum udf_reason reason, uint32_t row, const char *what,
                struct udf_failure *ret_failure);

#endif
