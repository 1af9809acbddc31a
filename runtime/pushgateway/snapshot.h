/*
 * A window as the text format 0.0.4: what one PUT carries. Inside runtime/pushgateway only.
 */
#ifndef STREAMJOB_PUSHGATEWAY_SNAPSHOT_H
#define STREAMJOB_PUSHGATEWAY_SNAPSHOT_H

#include "runtime/port/result.h"
#include "runtime/pushgateway/totals.h"

/* Where a metric's value and labels stand in the result; made once. */
struct metric_columns {
	size_t value;
	size_t *labels;
};

struct metric_columns *metric_columns_new(const struct pushgateway_sink *spec, const struct schema *result);
void metric_columns_free(struct metric_columns *columns, const struct pushgateway_sink *spec);

/* Adds the window's increments to the counters' totals; negative or NaN increments are left out and counted. */
int snapshot_count(const struct pushgateway_sink *spec, const struct metric_columns *columns,
                   const struct window_result *result, struct totals *totals, size_t *ret_refused, struct error *err);
/* All families: gauges of this window, counters by their totals, the window's own start, end and sequence. */
void snapshot_render(const struct pushgateway_sink *spec, const struct metric_columns *columns,
                     const struct window_result *result, const struct totals *totals, struct buffer *out);

#endif
