/*
 * A latch is shut until somebody opens it, and then open for good: what ends a thread's pauses early.
 *
 * Threads: any, but for latch_init and latch_release.
 */
#ifndef STREAMJOB_LATCH_H
#define STREAMJOB_LATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct latch {
	pthread_mutex_t lock;
	pthread_cond_t opened;
	bool is_open;
};

void latch_init(struct latch *latch);
void latch_release(struct latch *latch);

void latch_open(struct latch *latch);
bool latch_is_open(struct latch *latch);

/* Until it is open, at most `ms` (0 or more). Says whether it is. */
bool latch_wait(struct latch *latch, int64_t ms);

#endif
