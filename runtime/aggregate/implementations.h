/*
 * Every aggregate there is, one line each; aggregate.c lists them in its table. Inside runtime/aggregate only.
 */
#ifndef STREAMJOB_AGGREGATE_IMPLEMENTATIONS_H
#define STREAMJOB_AGGREGATE_IMPLEMENTATIONS_H

#include "runtime/aggregate/aggregate.h"

extern const struct aggregate count_rows_aggregate, count_aggregate;
extern const struct aggregate count_distinct_boolean, count_distinct_int, count_distinct_bigint, count_distinct_double,
        count_distinct_timestamp, count_distinct_string;
extern const struct aggregate sum_int, sum_bigint, sum_double, avg_int, avg_bigint, avg_double;
extern const struct aggregate min_int, min_bigint, min_double, min_string, min_timestamp;
extern const struct aggregate max_int, max_bigint, max_double, max_string, max_timestamp;
extern const struct aggregate percentile_int, percentile_bigint, percentile_double;
extern const struct aggregate user_aggregate;

#endif
