/*
 * A clock for what waits: time passes by sleeps, which take none of the test's, and by looks at the clock, as many
 * milliseconds each as the test says.
 */
#ifndef STREAMJOB_TESTS_PASSING_TIME_H
#define STREAMJOB_TESTS_PASSING_TIME_H

#include <time.h>

#include "lib/base/clock.h"

extern int64_t passing_ms, passing_ms_a_look;
extern const struct clock passing_clock;

int passing_sleep(const struct timespec *duration);

/* In the test's own file, as an archive's would be every test's: all that it runs sleeps so. */
#define SLEEPS_PASS()                                                                                                  \
	int nanosleep(const struct timespec *duration, struct timespec *rest)                                          \
	{                                                                                                              \
		(void)rest;                                                                                            \
		return passing_sleep(duration);                                                                        \
	}                                                                                                              \
	extern const struct clock passing_clock

#endif
