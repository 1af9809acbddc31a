/*
 * What sinks wait for: the pause after a failed attempt, and the requests of the process before this one. Each wait
 * ends with the stop's deadline. One thread.
 */
#ifndef STREAMJOB_PORT_WAIT_H
#define STREAMJOB_PORT_WAIT_H

#include "runtime/port/sink.h"

#define BACKOFF_MS_MIN 100  /* the bound of the first pause; each failure doubles it … */
#define BACKOFF_MS_MAX 5000 /* … up to this */

/* Pauses between attempts: anywhere between nothing and the bound (full jitter), over all rounds of retries. */
struct backoff {
	const struct clock *clock;
	uint64_t random;
	unsigned failures;
	int64_t next_ms; /* monotonic: no attempt before it */
};

void backoff_init(struct backoff *backoff, const struct clock *clock, uint64_t seed);
/* The last attempt failed; no other one before `at_least_ms` (what the peer asked for, or 0) have passed. */
void backoff_failed(struct backoff *backoff, int64_t at_least_ms);
void backoff_worked(struct backoff *backoff);
/* Waits until an attempt is due; false where `until_ms` (monotonic) or the stop's deadline comes first. */
bool backoff_wait(const struct backoff *backoff, struct stop *stop, int64_t until_ms);

/*
 * Before a window that no process before this one can have begun: waits until what that one sent cannot come any more.
 * SINK_RETRY: the stop's deadline came first; SINK_FENCED: another process has the job.
 */
enum sink_outcome wait_until_quiet(const struct sink *sink, struct stop *stop, struct error *err);

#endif
