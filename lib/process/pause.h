/* A thread sleeps: the only place that does, so that what waits is found by who calls it. */
#ifndef STREAMJOB_PAUSE_H
#define STREAMJOB_PAUSE_H

#include <stdint.h>

/* At least so long, less where a signal comes; not at all below 1. What has to end early goes by steps, or waits for a
 * latch (latch.h). */
void pause_ms(int64_t ms);

#endif
