#include "runtime/port/wait.h"

#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "lib/process/pause.h"

#define STEP_MS 20

void backoff_init(struct backoff *backoff, const struct clock *clock, uint64_t seed)
{
	*backoff = (struct backoff){.clock = clock, .random = seed ^ (uint64_t)clock_wall_ms(clock)};
}

void backoff_failed(struct backoff *backoff, int64_t at_least_ms)
{
	int64_t bound_ms = BACKOFF_MS_MIN, pause_ms;

	for (unsigned i = 0; i < backoff->failures && bound_ms < BACKOFF_MS_MAX; i++)
		bound_ms *= 2;
	if (bound_ms > BACKOFF_MS_MAX)
		bound_ms = BACKOFF_MS_MAX;
	backoff->failures++;
	pause_ms = 1 + (int64_t)(hash_next(&backoff->random) % (uint64_t)bound_ms);
	backoff->next_ms = clock_monotonic_ms(backoff->clock) + (pause_ms > at_least_ms ? pause_ms : at_least_ms);
}

void backoff_worked(struct backoff *backoff)
{
	backoff->failures = 0;
	backoff->next_ms = 0;
}

bool backoff_wait(const struct backoff *backoff, struct stop *stop, int64_t until_ms)
{
	for (;;) {
		int64_t now_ms = clock_monotonic_ms(backoff->clock);

		if (now_ms >= backoff->next_ms)
			return true;
		if (now_ms >= until_ms || stop_deadline_passed(stop))
			return false;
		pause_ms(STEP_MS);
	}
}

enum sink_outcome wait_until_quiet(const struct sink *sink, struct stop *stop, struct error *err)
{
	bool said = false;

	while (!lease_quiet(sink->lease)) {
		/* Else a process that lost the job would find out only after the wait. */
		if (lease_take(sink->lease, err) == RENEWED_FENCED)
			return SINK_FENCED;
		if (stop_deadline_passed(stop)) {
			error_set(err, "%s: a request of the process before this one may still be on its way",
			          sink->target);
			return SINK_RETRY;
		}
		if (!said)
			log_info("waiting until no request of the process before this one can be on its way",
			         "sink=\"%s\"", sink->target);
		said = true;
		pause_ms(STEP_MS);
	}
	return SINK_ACCEPTED;
}
