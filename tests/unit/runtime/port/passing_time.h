/*
 * A clock for what waits: time passes by sleeps, which take none of the test's, and by looks at the clock, as many
 * milliseconds each as the test says. Replaces nanosleep in the whole test.
 */
#ifndef STREAMJOB_TESTS_PASSING_TIME_H
#define STREAMJOB_TESTS_PASSING_TIME_H

#include "lib/base/clock.h"

extern int64_t passing_ms, passing_ms_a_look;
extern const struct clock passing_clock;

#endif
