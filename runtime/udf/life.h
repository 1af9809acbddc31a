/*
 * A worker from the inside of this room: its process, its memory, its keeper.
 *
 * The keeper is a thread that starts the process (so that it dies with it: PR_SET_PDEATHSIG looks at the thread), reads
 * what it writes, and reaps it. It ends when the process has ended and both its pipes are empty.
 */
#ifndef STREAMJOB_UDF_LIFE_H
#define STREAMJOB_UDF_LIFE_H

#include <pthread.h>
#include <sys/types.h>

#include "runtime/udf/protocol.h"
#include "runtime/udf/udf_calls.h"
#include "runtime/udf/serve.h"
#include "runtime/udf/wire.h"

#define TAIL_BYTES_MAX 2048 /* of stderr, kept for the words of a failure */
#define LINE_BYTES_MAX 4096

struct output { /* one of the two pipes; the keeper's */
	int fd;
	bool is_stderr;
	char line[LINE_BYTES_MAX];
	size_t size;
};

struct keeper {
	pthread_t thread;
	bool joined;
	int write_ends[2];
	struct output outputs[2];
	int64_t second;
	unsigned lines, left_out;
	pthread_mutex_t mutex; /* of all below */
	pthread_cond_t started;
	bool is_started;
	int start_errno;
	pid_t pid;
	int pidfd;
	int wait_status;
	char tail[TAIL_BYTES_MAX]; /* of stderr: the last bytes, a ring */
	size_t tail_written;
};

struct udf_worker {
	const struct function_spec *spec;
	struct udf_environment environment;
	pthread_mutex_t mutex;       /* one call at a time */
	struct udf_control *control; /* the shared memory */
	int memory_fd, request_fd, reply_fd;
	struct keeper keeper;
	uint64_t sequence;
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

/* The memory, the descriptors and the process. On failure nothing is left. */
int life_begin(struct udf_worker *worker, struct error *err);
/* Kills and reaps; the keeper has read the last words. Also after the process has died by itself. */
void life_end(struct udf_worker *worker);
/* Frees all. */
void life_release(struct udf_worker *worker);

void *keeper_run(void *argument);
/* The last bytes of stderr, whole lines where there are several. */
void keeper_tail(struct keeper *keeper, struct buffer *out);

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
/* Ends a worker and says why; is -1. */
int worker_fail(struct udf_worker *worker, enum udf_reason reason, uint32_t row, const char *what,
                struct udf_failure *ret_failure);

#endif
