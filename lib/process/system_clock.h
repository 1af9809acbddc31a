/* The process's clocks: the real ones, for whoever is given clocks. */
#ifndef STREAMJOB_SYSTEM_CLOCK_H
#define STREAMJOB_SYSTEM_CLOCK_H

#include "lib/base/clock.h"

extern const struct clock system_clock;

/* Monotonic, for what lasts less than milliseconds. */
int64_t system_clock_ns(void);

#endif
