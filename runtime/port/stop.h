/* The order to stop that everything that waits obeys. */
#ifndef STREAMJOB_PORT_STOP_H
#define STREAMJOB_PORT_STOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/clock.h"

/* Shared by main and everything that waits: nothing waits past the deadline. Monotonic milliseconds; INT64_MAX: none.
 */
struct stop {
	_Atomic bool requested;      /* stop reading, drain */
	_Atomic int64_t deadline_ms; /* give up */
	const struct clock *clock;
};

static inline bool stop_deadline_passed(const struct stop *stop)
{
	return clock_monotonic_ms(stop->clock) >= atomic_load(&stop->deadline_ms);
}

#endif
