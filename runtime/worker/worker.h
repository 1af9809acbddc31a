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
/* The memory limit, counted from what is in use now, and no more processes. Before the user's code. */
int sandbox_close(int64_t memory_bytes);
/* Only threads from here on: no fork, no exec, no tracing, no signals to others. */
int sandbox_filter(void);

#endif
