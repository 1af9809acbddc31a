/*
 * The right to ask a sink that cannot refuse a stale owner of the job (a Pushgateway, a file on a shared volume).
 *
 * Each fenced commit of the source renews it: the broker has said that no newer process has taken the job over. A
 * request may begin while the lease is held; a process that was stopped for longer finds that it is not, and has to
 * commit again before it asks. Times are of CLOCK_BOOTTIME, which goes on while the machine sleeps, in milliseconds.
 */
#ifndef STREAMJOB_PORT_LEASE_H
#define STREAMJOB_PORT_LEASE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"

enum renewed { RENEWED_NOT = -1, RENEWED, RENEWED_FENCED };

struct lease {
	const struct clock *clock;
	_Atomic int64_t until_ms; /* counted from before the commit was sent */
	/* A request of the process before this one may still be on its way until then: no new sequence before it, and
	 * what was given before it is given once more after it. 0: that process had ended in order. */
	_Atomic int64_t quiet_ms;
	/* Commits the place once more and waits for it, for no longer than the stop's deadline. Any thread.
	 * RENEWED_FENCED: another process has the job. */
	enum renewed (*renew)(void *context, struct error *err);
	void *context;
};

/* NULL: a source without an owner (a file, standard input): always held, always quiet. */
static inline bool lease_held(const struct lease *lease)
{
	return !lease || clock_boot_ms(lease->clock) < atomic_load(&lease->until_ms);
}

static inline bool lease_quiet(const struct lease *lease)
{
	return !lease || clock_boot_ms(lease->clock) >= atomic_load(&lease->quiet_ms);
}

/* Before each request: holds the lease, or renews it first. */
static inline enum renewed lease_take(const struct lease *lease, struct error *err)
{
	return lease_held(lease) ? RENEWED : lease->renew(lease->context, err);
}

#endif
