/*
 * The aggregates of aggregates.def, and the parts of them that have a file of their own. Inside runtime/aggregate only.
 */
#ifndef STREAMJOB_AGGREGATE_IMPLEMENTATIONS_H
#define STREAMJOB_AGGREGATE_IMPLEMENTATIONS_H

#include "runtime/aggregate/aggregate.h"

#define AGGREGATE(id, symbol, ...) extern const struct aggregate_types symbol##_aggregate;
#include "lib/expr/aggregates.def"
#undef AGGREGATE

extern const struct aggregate count_distinct_string;
extern const struct aggregate sum_double, avg_double;
extern const struct aggregate min_string, max_string;

#endif
