/*
 * Time, given by main: wall time for what people and servers read, monotonic time for every interval, boot time for
 * what must go on while the machine sleeps.
 */
#ifndef STREAMJOB_CLOCK_H
#define STREAMJOB_CLOCK_H

#include <stdint.h>

struct clock {
	int64_t (*wall_ms)(void *context);
	int64_t (*monotonic_ms)(void *context);
	void *context;
	int64_t (*boot_ms)(void *context); /* NULL: monotonic_ms */
};

static inline int64_t clock_wall_ms(const struct clock *clock)
{
	return clock->wall_ms(clock->context);
}

static inline int64_t clock_monotonic_ms(const struct clock *clock)
{
	return clock->monotonic_ms(clock->context);
}

static inline int64_t clock_boot_ms(const struct clock *clock)
{
	return (clock->boot_ms ? clock->boot_ms : clock->monotonic_ms)(clock->context);
}

#endif
