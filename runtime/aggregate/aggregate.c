#include "runtime/aggregate/aggregate.h"

#include <stdlib.h>

#include "runtime/aggregate/implementations.h"

static const struct aggregate *const aggregates[] = {
        &count_rows_aggregate,
        &count_aggregate,
        &count_distinct_boolean,
        &count_distinct_int,
        &count_distinct_bigint,
        &count_distinct_double,
        &count_distinct_timestamp,
        &count_distinct_string,
        &sum_int,
        &sum_bigint,
        &sum_double,
        &avg_int,
        &avg_bigint,
        &avg_double,
        &min_int,
        &min_bigint,
        &min_double,
        &min_string,
        &min_timestamp,
        &max_int,
        &max_bigint,
        &max_double,
        &max_string,
        &max_timestamp,
        &percentile_int,
        &percentile_bigint,
        &percentile_double,
        &user_aggregate,
};

const struct aggregate *aggregate_find(enum aggregate_kind kind, enum type argument)
{
	for (size_t i = 0; i < sizeof(aggregates) / sizeof(aggregates[0]); i++)
		if (aggregates[i]->kind == kind &&
		    (aggregates[i]->argument == TYPE_NULL || aggregates[i]->argument == argument))
			return aggregates[i];
	abort(); /* the compiler lets no other call pass */
}
