/*
 * What reconciling costs, under the names that controller-runtime uses. Atomics; any thread.
 */
#ifndef STREAMJOB_COUNTERS_H
#define STREAMJOB_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "lib/base/buffer.h"

enum reconcile_result { RECONCILE_SUCCESS, RECONCILE_REQUEUE_AFTER, RECONCILE_REQUEUE, RECONCILE_ERROR, RESULT_COUNT };

#define BUCKETS 20

struct counters {
	_Atomic uint64_t results[RESULT_COUNT], buckets[BUCKETS + 1], sum_us;
	_Atomic int active;
};

void counters_count(struct counters *counters, enum reconcile_result result, int64_t elapsed_us);
void counters_metrics(const struct counters *counters, unsigned workers, struct buffer *out);

#endif
