/*
 * What repeats in a log: the first is said at once, then at most one line in REPEAT_MS, with how many there were since
 * the last. No lock: one owner at a time.
 */
#ifndef STREAMJOB_REPEAT_H
#define STREAMJOB_REPEAT_H

#include <stdint.h>

#define REPEAT_MS 60000

struct repeat { /* begins as zeros */
	uint64_t count, said;
	int64_t said_ms; /* monotonic */
};

/* `more` have come. How many are to be said now, those that were not said before among them; 0: not yet. */
static inline uint64_t repeat_due(struct repeat *repeat, uint64_t more, int64_t now_ms)
{
	uint64_t unsaid;

	repeat->count += more;
	unsaid = repeat->count - repeat->said;
	if (repeat->said && now_ms - repeat->said_ms < REPEAT_MS)
		return 0;
	repeat->said = repeat->count;
	repeat->said_ms = now_ms;
	return unsaid;
}

#endif
