/* What all lanes of a job share. See lane.h. */
#ifndef STREAMJOB_LANE_SETUP_H
#define STREAMJOB_LANE_SETUP_H

#include "runtime/pipeline/functions.h"
#include "runtime/pipeline/status.h"

/* It outlives them. */
struct lane_setup {
	const struct jobspec *job;
	const char *clock_column; /* NULL: the wall clock */
	int64_t until_idle_ms;    /* 0: never */
	const struct clock *clock;
	struct stop *stop;
	struct source *source;
	struct dead_letter *letters; /* NULL: none */
	struct functions *functions; /* NULL: none */
	struct handover *handover;
	struct status *status;
	_Atomic int64_t last_row_ms; /* monotonic: the last row, or acceptance of a window; for until_idle_ms */
};

#endif
