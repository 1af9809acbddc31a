/*
 * The keeper of a worker's process: a thread that starts it (so that it dies with the runtime: PR_SET_PDEATHSIG looks
 * at the thread), reads what it writes, and reaps it. It ends when the process has ended and both its pipes are empty.
 *
 * Nobody waits for it without a bound. A process that does not die though it was killed (it is in the kernel, as on a
 * file system that does not answer), or a log that takes no line, would hold up the lane: then the keeper is left
 * behind, goes on alone, says nothing more, and frees itself. At most KEEPERS_LEFT_MAX are; then no worker is started.
 */
#ifndef STREAMJOB_UDF_KEEPER_H
#define STREAMJOB_UDF_KEEPER_H

#include <limits.h>
#include <sys/types.h>

#include "lib/base/error.h"
#include "runtime/udf/output.h"
#include "runtime/udf/udf.h"

#define KEEPER_SPAWN_MS  10000 /* until there is a process */
#define KEEPER_REAP_MS   2000  /* until one that was killed is gone and its last words are read */
#define KEEPERS_LEFT_MAX 32
#define KEEPER_LOOK_MS   200 /* how often the process's memory is counted */
#define UDF_THREADS_MAX  512

struct keeper {
	_Atomic unsigned owners; /* the worker's, and the thread */
	pthread_t thread;
	char *function, path[PATH_MAX]; /* the function's name; of streamjob-worker */
	bool native;
	char **variables; /* of the process */
	_Atomic bool has_scratch;
	char scratch[PATH_MAX], tmpdir[PATH_MAX]; /* its folder, "": none; the variable that names it */
	unsigned lane;
	void (*say)(void *context, const char *function, bool is_stderr, struct slice line);
	void *context;
	int memory_fd, write_ends[2]; /* until the process has them */
	struct output output;
	_Atomic bool left;               /* behind */
	_Atomic uint32_t started, ended; /* futex words, from 0 to 1 */
	int start_errno, pidfd;          /* from `started` on */
	pid_t pid;
	int wait_status; /* from `ended` on, and why the keeper ended it; "": it did not */
	char why[320];
	int64_t memory_bytes;       /* the function's */
	const char *cgroup;         /* udf_environment's */
	_Atomic int64_t held_bytes; /* by its process, when it was last looked at */
	struct keeper *next;        /* of those that have a process: keeper_memory.c */
	pthread_mutex_t mutex;
	bool reaped, over; /* behind the mutex: `pid` is its own no more; the thread ends */
};

/* Starts the program at `path` with the shared memory, whose descriptor it gets a copy of. NULL: err says why. */
struct keeper *keeper_start(const struct function_spec *spec, const struct udf_environment *environment,
                            const char *path, int memory_fd, struct error *err);
/* Does its process hold more memory than it may, or more threads? keeper->why says so then. The thread's alone. */
bool keeper_is_over(struct keeper *keeper);
/* While it has a process: of all that do the one that holds most is ended where the container's memory ends. */
void keeper_join(struct keeper *keeper);
void keeper_part(struct keeper *keeper);
/* SIGKILL, unless it is gone. */
void keeper_kill(struct keeper *keeper);
/* The process's end, waited for at most KEEPER_REAP_MS. False: it is left behind. Either way the keeper is still to be
 * given back. */
bool keeper_wait(struct keeper *keeper);
/* Gives it back, after keeper_wait. */
void keeper_free(struct keeper *keeper);

#endif
