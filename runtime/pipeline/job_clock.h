/*
 * The job's clock: the time that says to which window a row belongs that is taken now, and when a window is over.
 *
 * It follows the machine's clock forward at once. When that is set back, or stands still, it goes on by the time that
 * passes: no window is opened twice, and none is held open. While it is ahead it goes slower than time passes, by one
 * part in JOB_CLOCK_SLEW of what the machine's clock went on, until both agree again.
 *
 * Threads: any.
 */
#ifndef STREAMJOB_JOB_CLOCK_H
#define STREAMJOB_JOB_CLOCK_H

#include <pthread.h>
#include <stdbool.h>

#include "lib/base/clock.h"

#define JOB_CLOCK_SLEW 32

struct job_clock {
	const struct clock *clock;
	pthread_mutex_t mutex;
	bool running;                          /* somebody has asked what time it is */
	int64_t wall_ms, monotonic_ms, job_ms; /* at one instant: where it goes on from */
	int64_t last_ms;                       /* what was answered last */
};

void job_clock_init(struct job_clock *job_clock, const struct clock *clock);
void job_clock_release(struct job_clock *job_clock);

/* Never less than before. */
int64_t job_clock_ms(struct job_clock *job_clock);
/* By how much it is ahead of the machine's clock; 0 where nobody goes by it. */
int64_t job_clock_ahead_ms(struct job_clock *job_clock);

#endif
