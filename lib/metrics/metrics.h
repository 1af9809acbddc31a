/*
 * Counters, gauges and histograms, and the Prometheus text format 0.0.4.
 *
 * A registry is a fixed list of families made at start; updates are one relaxed atomic each, from any thread.
 * Rendering walks the families in the order they were made.
 */
#ifndef STREAMJOB_METRICS_H
#define STREAMJOB_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "lib/base/buffer.h"

#define METRICS_MAX        512 /* series in a registry */
#define METRIC_BUCKETS_MAX 24

enum metric_kind { METRIC_KIND_COUNTER, METRIC_KIND_GAUGE, METRIC_KIND_HISTOGRAM };

struct metric; /* one series */
struct metrics;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);

/* Finds or makes the series `name{labels}`; labels as rendered text without braces ("sink=\"kafka\""), "" for none
 * (build them with metrics_label). help and kind are the family's: the same for all of its series. Locks. */
struct metric *metrics_series(struct metrics *metrics, const char *name, enum metric_kind kind, const char *help,
			      const char *labels);
struct metric *metrics_histogram(struct metrics *metrics, const char *name, const char *help, const char *labels,
				 const double *bounds, size_t bounds_count);

void metric_add(struct metric *metric, double amount);     /* counter */
void metric_set(struct metric *metric, double value);      /* gauge */
void metric_observe(struct metric *metric, double value);  /* histogram */
double metric_value(const struct metric *metric);

void metrics_render(struct metrics *metrics, struct buffer *out);

/* The text format's parts, for whoever writes families of its own (the Pushgateway sink). */
void metrics_family(struct buffer *out, const char *name, const char *type, const char *help);
/* Appends name="value", escaped; a comma first unless `first`. */
void metrics_label(struct buffer *out, bool first, const char *name, struct slice value);
/* " value\n": NaN, +Inf, -Inf, else the shortest exact decimal. */
void metrics_number(struct buffer *out, double value);

#endif
