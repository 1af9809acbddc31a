/*
 * A source's partitions in the status: each, and their lag together. Inside runtime/pipeline only.
 */
#ifndef STREAMJOB_STATUS_PARTITIONS_H
#define STREAMJOB_STATUS_PARTITIONS_H

#include <jansson.h>

#include "runtime/pipeline/status.h"

/* The part of a lag that is in windows which are open or not accepted yet. */
int64_t status_in_windows(const struct partition_status *partition);
json_t *status_partitions_json(const struct partition_status *partitions, size_t count);
/* Of all partitions whose lag is known; null where none is. */
json_t *status_lag_json(const struct partition_status *partitions, size_t count);

#endif
