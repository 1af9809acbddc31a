#include "tests/unit/runtime/port/passing_time.h"

int64_t passing_ms = 1000, passing_ms_a_look;

static int64_t look(void *context)
{
	(void)context;
	passing_ms += passing_ms_a_look;
	return passing_ms;
}

const struct clock passing_clock = {look, look, NULL, NULL};

int passing_sleep(const struct timespec *duration)
{
	passing_ms += duration->tv_sec * 1000 + duration->tv_nsec / 1000000;
	return 0;
}
