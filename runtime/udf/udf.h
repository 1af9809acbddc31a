/*
 * User functions, seen by the runtime: a worker is a user's function that runs in a process of its own (or, for native
 * code by opt-in, in this one). Its calls, with columns in and out, are in udf_calls.h.
 *
 * No call waits longer than its deadline: the function's timeout, startTimeout for udf_start, UDF_CLOSE_MS for
 * udf_stop. What goes wrong with a worker as a whole (time-out, crash, memory, protocol, start) is a udf_failure: the
 * process has been killed and reaped by then, its accumulators are gone, and every further call fails with the same
 * words; the owner stops it and starts another. An exception is a row's failure and leaves the worker alive.
 *
 * Threads: any, one call at a time in each worker (a mutex inside). docs/worker.md says how it works.
 */
#ifndef STREAMJOB_UDF_H
#define STREAMJOB_UDF_H

#include "lib/base/arena.h"
#include "lib/spec/field/function_spec.h"

#define UDF_TABLES        4 /* of accumulators in a worker */
#define UDF_CLOSE_MS      2000
#define UDF_ARGUMENTS_MAX 32
#define UDF_RESULTS_MAX   32
#define UDF_SLOTS_MAX     (1u << 24) /* accumulators in a table; slots are dense from 0 */
#define UDF_TEXT_MAX      4096

enum udf_reason { UDF_TIMEOUT, UDF_CRASH, UDF_MEMORY, UDF_PROTOCOL, UDF_START };
#define UDF_REASONS 5

#define UDF_NO_ROW UINT32_MAX
struct udf_failure {
	enum udf_reason reason;
	const char *function, *method; /* the spec's name; "accumulate" */
	uint32_t row;                  /* of the batch, where the worker was; UDF_NO_ROW: unknown */
	char text[UDF_TEXT_MAX];       /* a sentence that names all these, then traceback and the tail of stderr */
};
/* "timeout", "crash", "memory", "protocol", "start": for labels of metrics and the status. */
const char *udf_reason_name(enum udf_reason reason);

/* What a function has done, over all its workers' lives. Zeroed and kept by the owner. */
struct udf_counts {
	_Atomic uint64_t starts, calls, rows, nanoseconds, row_failures;
	_Atomic uint64_t failures[UDF_REASONS];
};

/* What workers are started with; outlives them. All NULL and 0 will do. */
struct udf_environment {
	const char *worker_path; /* streamjob-worker; NULL: beside this program, or in ../libexec/streamjob */
	const char
	        *python_path; /* folder of the package streamjob; NULL: ../lib/streamjob/python, or the source tree's */
	const char *functions_folder; /* of mounted ConfigMaps; NULL: /etc/streamjob/functions */
	const char *kept;    /* folders that no function reaches, each but the last with an LF; NULL: the usual alone */
	const char *outputs; /* files that none reaches, likewise, which may not be there yet; NULL: none */
	const char *cgroup;  /* a folder in place of this process's own cgroup; NULL: its own */
	const char *job;     /* its name, for the function's context */
	unsigned lane;
	struct udf_counts *counts; /* NULL: nobody counts */
	/* A line that the function wrote, without LF; on a thread of the worker's. NULL: it becomes a log line. At most
	 * UDF_LINES_MAX a second come here; how many were left out is said in a line. It may still run after the
	 * worker's end, where it did not come back in time. */
	void (*say)(void *context, const char *function, bool is_stderr, struct slice line);
	void *context;
};
#define UDF_LINES_MAX 100

/* What the loaded function is: checked against the spec's kind and `returns` by the time it is seen here. */
struct udf_signature {
	enum function_kind kind;
	bool vectorized;
	bool mergeable;                      /* aggregates: merge() is there */
	size_t arguments_min, arguments_max; /* without the accumulator */
	size_t argument_types_count;         /* 0: any types */
	enum type argument_types[UDF_ARGUMENTS_MAX];
	struct schema results; /* one column for scalar functions and plain aggregates; names may be "" */
	struct arena arena;
};
void udf_signature_release(struct udf_signature *signature);
/* Do both take and yield the same? Names do not count. */
bool udf_signature_equal(const struct udf_signature *a, const struct udf_signature *b);

struct udf_worker;

/* Starts, imports, checks and opens. NULL: ret_failure says why. ret_signature may be NULL. `spec` outlives the worker.
 */
struct udf_worker *udf_start(const struct function_spec *spec, const struct udf_environment *environment,
                             struct udf_signature *ret_signature, struct udf_failure *ret_failure);
/* close() under its deadline, then the end of the process. NULL is fine. Returns -1 where close() failed: ret_failure
 * (may be NULL) says how. */
int udf_stop(struct udf_worker *worker, struct udf_failure *ret_failure);

/* How long to wait before the next start after `failures` in a row: 100 ms doubling to 30 s, the upper half by chance.
 */
int64_t udf_backoff_ms(unsigned failures, uint64_t chance);

#endif
