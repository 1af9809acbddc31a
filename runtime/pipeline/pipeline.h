/*
 * The pipeline: lanes, firing and delivery of one job, from start to drain.
 */
#ifndef STREAMJOB_PIPELINE_H
#define STREAMJOB_PIPELINE_H

#include "lib/spec/field/jobspec.h"
#include "runtime/pipeline/functions.h"
#include "runtime/pipeline/status.h"
#include "runtime/port/port.h"

struct pipeline_options {
	const struct jobspec *job;
	struct source *source;
	struct sink **sinks;
	size_t sinks_count;
	struct dead_letter *letters; /* NULL: none */
	struct functions *functions; /* loaded; NULL: the job has none */
	unsigned lanes;              /* wanted; the source may have fewer partitions; 1 with a clock column */
	const char *clock_column;    /* NULL: the wall clock */
	int64_t until_idle_ms;       /* end after this long without a record; 0: never */
	bool pending_only;           /* PIPELINE_AGAIN once the pending window is delivered, or where there is none */
	const struct clock *clock;
	struct stop *stop;
	struct status *status;
};

enum { PIPELINE_AGAIN = 1 };

/*
 * Runs until the input ends, stop is requested (drains: open windows fire, sinks accept, offsets move) or the job
 * fails. 0, or -1 with err; or PIPELINE_AGAIN: the source has interrupted the job (another process has it, or its
 * partitions changed), and the caller runs it again with new parts. Closes and frees source, sinks and dead letter in
 * any case. Blocks; starts threads of its own.
 */
int pipeline_run(const struct pipeline_options *options, struct error *err);

#endif
