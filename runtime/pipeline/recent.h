/*
 * Counts that only grow, as they went of late: over about the last minute in which somebody asked. One thread asks at a
 * time.
 */
#ifndef STREAMJOB_RECENT_H
#define STREAMJOB_RECENT_H

#include <stddef.h>
#include <stdint.h>

#define RECENT_STEP_MS 10000 /* between two samples that are kept */
#define RECENT_SAMPLES 7     /* so at least the last minute, where it is asked for as often */

struct recent_sample {
	int64_t at_ms; /* monotonic */
	uint64_t rows, bad;
};
struct recent {
	struct recent_sample samples[RECENT_SAMPLES]; /* the oldest first */
	size_t count;
};
struct recent_figures {
	double rows_per_second, bad_share; /* bad_share: 0 to 1 */
};

/* Begins with nothing at that time. */
void recent_init(struct recent *recent, int64_t now_ms);
struct recent_figures recent_look(struct recent *recent, const struct recent_sample *now);

#endif
