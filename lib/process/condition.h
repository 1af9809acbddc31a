/*
 * Condition variables whose timed waits go by the monotonic clock, whatever the wall clock does.
 */
#ifndef STREAMJOB_CONDITION_H
#define STREAMJOB_CONDITION_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

void condition_init(pthread_cond_t *condition);

/* `ms` (0 or more) from now, for pthread_cond_timedwait. */
struct timespec condition_deadline(int64_t ms);

#endif
