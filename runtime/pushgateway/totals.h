/*
 * The totals of `type: counter` metrics: one number for each series that any window had. Inside runtime/pushgateway
 * only.
 *
 * A window's increments are staged by the snapshot; totals_apply adds them once the window counts. What the gateway
 * holds at sequence n has window n in it already.
 */
#ifndef STREAMJOB_PUSHGATEWAY_TOTALS_H
#define STREAMJOB_PUSHGATEWAY_TOTALS_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/jobspec/jobspec.h"

#define TOTALS_SERIES_MAX 1000000

struct total {
	uint64_t hash;
	char *labels; /* rendered, without braces; NULL: an empty slot */
	size_t size;
	double value;
};

struct totals { /* of one metric */
	struct total *slots;
	size_t capacity, count; /* capacity is a power of two, or 0 */
};

void totals_release(struct totals *totals);
/* Adds to a series, making it when new; -1 past TOTALS_SERIES_MAX. */
int totals_add(struct totals *totals, struct slice labels, double amount, struct error *err);

/*
 * Reads the answer of GET /api/v1/metrics: of the group with exactly this job and grouping key, the sequence (0 where
 * there is none) and the values of the counters of `spec`, into totals[metric]. -1: not such an answer.
 */
int totals_restore(const struct pushgateway_sink *spec, struct slice answer, struct totals *totals,
                   uint64_t *ret_sequence, struct error *err);

#endif
