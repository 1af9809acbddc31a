/*
 * Time, given by main: wall time for what people and servers read, monotonic time for every interval.
 */
#ifndef STREAMJOB_CLOCK_H
#define STREAMJOB_CLOCK_H

#include <stdint.h>

struct clock {
	int64_t (*wall_ms)(void *context);
	int64_t (*monotonic_ms)(void *context);
	void *context;
};

#endif
