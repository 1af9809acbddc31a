/*
 * How long to wait after a failure: doubled each time up to a bound, with jitter, anew after a while of health. Pure;
 * inside operator/cache only.
 */
#ifndef STREAMJOB_BACKOFF_H
#define STREAMJOB_BACKOFF_H

#include <stdint.h>

struct backoff {
	int64_t ms_min, ms_max, reset_ms;
	int64_t next_ms, failed_ms; /* 0 and unset before the first failure */
	uint64_t random;
};

/* From now: at least the doubled bound, at most twice it, never less than `least_ms`. */
int64_t backoff_next(struct backoff *backoff, int64_t now_ms, int64_t least_ms);
/* `ms` less up to a fifth of it. */
int64_t backoff_less_fifth(struct backoff *backoff, int64_t ms);

#endif
