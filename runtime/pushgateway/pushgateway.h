/*
 * The Prometheus Pushgateway: one PUT a window with the full snapshot. The only room of the runtime that knows libcurl.
 *
 * Job, schema and secrets directory outlive the sink. Contract: struct sink of runtime/port/port.h.
 */
#ifndef STREAMJOB_PUSHGATEWAY_H
#define STREAMJOB_PUSHGATEWAY_H

#include "lib/spec/field/jobspec.h"
#include "runtime/port/port.h"

/* Sink `index` of the job. `result`: the columns that windows will have. */
struct sink *pushgateway_sink_new(const struct jobspec *job, size_t index, const struct schema *result,
                                  const char *secrets_dir, const struct clock *clock);

/* A group that a job file before this one pushed, and that no sink names now. */
struct former_group {
	const struct pushgateway_sink *spec;
	char place[LIFE_BYTES_MAX]; /* how the lives of that job file begin; a group of another one is not touched */
};
/* The sink deletes them once its own group has a window. Before open; the specs outlive the sink. */
void pushgateway_sink_replaces(struct sink *sink, const struct former_group *groups, size_t count);

#endif
