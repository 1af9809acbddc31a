/*
 * The Prometheus Pushgateway: one PUT a window with the full snapshot. The only room of the runtime that knows libcurl.
 *
 * Job, schema and secrets directory outlive the sink. Contract: struct sink of runtime/port/port.h.
 */
#ifndef STREAMJOB_PUSHGATEWAY_H
#define STREAMJOB_PUSHGATEWAY_H

#include "lib/jobspec/jobspec.h"
#include "runtime/port/port.h"

/* Sink `index` of the job. `result`: the columns that windows will have. */
struct sink *pushgateway_sink_new(const struct jobspec *job, size_t index, const struct schema *result,
                                  const char *secrets_dir, const struct clock *clock);

#endif
