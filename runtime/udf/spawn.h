/* The start of the worker's program. */
#ifndef STREAMJOB_UDF_SPAWN_H
#define STREAMJOB_UDF_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/spec/field/function_spec.h"

/* What the process gets of this one's descriptors, beside /dev/null: stdout, stderr, the shared memory. */
#define SPAWN_PLACES 3

/* This process's variables that every function is given, and those that `names` has; before them `first` ("A=b"; NULL:
 * none), which lives as long as the array. The caller frees the array, not the texts, and calls it before other threads
 * may change the environment's values. */
char **spawn_environment(const struct names *names, char *first);

/* The version of the kernel's Landlock, from 1; 0: it has none, or does not enable it. */
long spawn_landlock_version(void);

/* In a session of its own. 0, or errno. */
int spawn_worker(const char *path, bool native, char *const *variables, const int places[SPAWN_PLACES], pid_t *ret_pid);

#endif
