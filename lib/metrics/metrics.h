/*
 * The Prometheus text format 0.0.4: what /metrics serves and the Pushgateway takes.
 *
 * A family is one HELP and TYPE, then its samples, contiguous: metrics_family, then for each sample its name, labels
 * between braces, and metrics_number. Pure; nothing depends on a locale.
 */
#ifndef STREAMJOB_METRICS_H
#define STREAMJOB_METRICS_H

#include "lib/base/buffer.h"

/* `type`: counter, gauge, histogram, summary or untyped; `help` may be NULL. */
void metrics_family(struct buffer *out, const char *name, const char *type, const char *help);
/* Appends name="value", escaped; a comma first unless `first`. */
void metrics_label(struct buffer *out, bool first, const char *name, struct slice value);
/* " value\n": NaN, +Inf, -Inf, else a decimal that reads back as the same double. */
void metrics_number(struct buffer *out, double value);

#endif
