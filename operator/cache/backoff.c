#include "operator/cache/backoff.h"

#include "lib/base/hash.h"

static uint64_t draw(struct backoff *backoff, int64_t below)
{
	uint64_t drawn = hash_next(&backoff->random);

	return below > 0 ? drawn % (uint64_t)below : 0;
}

int64_t backoff_next(struct backoff *backoff, int64_t now_ms, int64_t least_ms)
{
	int64_t wait;

	if (!backoff->next_ms || now_ms - backoff->failed_ms >= backoff->reset_ms)
		backoff->next_ms = backoff->ms_min;
	wait = backoff->next_ms + (int64_t)draw(backoff, backoff->next_ms + 1);
	if (wait > backoff->ms_max)
		wait = backoff->ms_max - (int64_t)draw(backoff, backoff->ms_max / 5 + 1);
	backoff->next_ms = backoff->next_ms * 2 < backoff->ms_max ? backoff->next_ms * 2 : backoff->ms_max;
	if (wait < least_ms)
		wait = least_ms + (int64_t)draw(backoff, backoff->ms_min + 1);
	/* Health begins when the wait is over. */
	backoff->failed_ms = now_ms + wait;
	return wait;
}

int64_t backoff_less_fifth(struct backoff *backoff, int64_t ms)
{
	return ms - (int64_t)draw(backoff, ms / 5 + 1);
}
