/*
 * The other process: streamjob-worker. It takes requests from the shared memory one after the other, hands them to the
 * user's function, and answers. It trusts the runtime, and puts itself in a sandbox before the user's code is loaded.
 *
 * One thread, but for those that the user's code starts.
 */
#ifndef STREAMJOB_WORKER_H
#define STREAMJOB_WORKER_H

#include "runtime/udf/serve.h"

extern const struct language python_language;

/* What dies with the runtime, opens no more than it may, and can gain no rights. Before anything of the user's. */
int sandbox_begin(long parent);

/* No more processes, no reach of others, no memory that is not counted. Before any byte of the user's code, or of a
 * package's, runs: also those that an interpreter runs when it starts. */
int sandbox_close(const struct sandbox *wanted);
/* The memory limit, counted from what is in use now, and no other limits after it. */
int sandbox_limit(int64_t memory_bytes);

/* Parts of it. -1: not to be had. */
int reach_limit(const struct sandbox *wanted);
int system_calls_deny(bool network);
int system_calls_keep_limits(void);

#endif
