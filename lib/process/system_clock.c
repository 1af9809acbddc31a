#include "lib/process/system_clock.h"

#include <stddef.h>
#include <time.h>

static int64_t read_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t wall_ms(void *context)
{
	(void)context;
	return read_ns(CLOCK_REALTIME) / 1000000;
}

static int64_t monotonic_ms(void *context)
{
	(void)context;
	return read_ns(CLOCK_MONOTONIC) / 1000000;
}

static int64_t boot_ms(void *context)
{
	(void)context;
	return read_ns(CLOCK_BOOTTIME) / 1000000;
}

const struct clock system_clock = {wall_ms, monotonic_ms, NULL, boot_ms};

int64_t system_clock_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}
