/*
 * Tumbling windows: [start, end), aligned to the Unix epoch plus an offset, never to the task's start.
 * rem = (time - offset) mod size, taken towards zero; a negative one goes one window down (FLINK-26334).
 */
#ifndef STREAMJOB_TUMBLING_H
#define STREAMJOB_TUMBLING_H

#include <stdint.h>

struct window {
	int64_t start_ms, end_ms;
};

static inline struct window tumbling_window(int64_t time_ms, int64_t size_ms, int64_t offset_ms)
{
	int64_t rem = (time_ms - offset_ms) % size_ms;
	int64_t start_ms = time_ms - (rem < 0 ? rem + size_ms : rem);

	return (struct window){start_ms, start_ms + size_ms};
}

#endif
