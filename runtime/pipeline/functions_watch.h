/* Calls that do not come back. */
#ifndef STREAMJOB_FUNCTIONS_WATCH_H
#define STREAMJOB_FUNCTIONS_WATCH_H

#include "runtime/pipeline/functions.h"

/* The longest of a function's calls that its deadline and a grace do not end: its thread is stuck in it. Takes no lock.
 */
struct stuck {
	bool any;
	unsigned lane;
	const char *method;
	int64_t for_ms;
};
struct stuck functions_stuck(const struct functions *functions, size_t function);
/* 0, or -1 and which call of which function is stuck. */
int functions_moving(const struct functions *functions, struct error *err);

#endif
