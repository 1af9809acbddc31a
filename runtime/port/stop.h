/* Time, and the order to stop that everything that waits obeys. */
#ifndef STREAMJOB_PORT_STOP_H
#define STREAMJOB_PORT_STOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct clock {
	int64_t (*wall_ms)(void *context);
	int64_t (*monotonic_ms)(void *context);
	void *context;
};

/* Shared by main and everything that waits: nothing waits past the deadline. Monotonic milliseconds; INT64_MAX: none.
 */
struct stop {
	_Atomic bool requested;      /* stop reading, drain */
	_Atomic int64_t deadline_ms; /* give up */
	const struct clock *clock;
};

#endif
