/*
 * The stop that nothing holds up: a moment after the deadline of an ordered stop the process ends, whatever its threads
 * do. A lane that is inside a function's call that no deadline ends is named.
 *
 * One for the process. Threads: main's.
 */
#ifndef STREAMJOB_CLI_LAST_STOP_H
#define STREAMJOB_CLI_LAST_STOP_H

#include "runtime/pipeline/functions.h"

#define LAST_STOP_MS 1000 /* after the deadline, for what ends by itself when it has passed */

/* When the stop is ordered; once. `functions` may be NULL. */
void last_stop_begin(int64_t deadline_ms, const struct functions *functions);
/* The job has ended: `functions` go, and the process is to end with this code. */
void last_stop_ended(int code);

#endif
