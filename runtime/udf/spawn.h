/* The start of the worker's program. */
#ifndef STREAMJOB_UDF_SPAWN_H
#define STREAMJOB_UDF_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

/* What the process gets of this one's descriptors, beside /dev/null: stdout, stderr, the shared memory. */
#define SPAWN_PLACES 3

/* In a session of its own. 0, or errno. */
int spawn_worker(const char *path, bool native, const int places[SPAWN_PLACES], pid_t *ret_pid);

#endif
