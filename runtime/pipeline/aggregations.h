/*
 * The aggregate calls of a query with what does each of them, for one thread: those of the catalog, and the user's own.
 */
#ifndef STREAMJOB_AGGREGATIONS_H
#define STREAMJOB_AGGREGATIONS_H

#include "lib/spec/query/query.h"
#include "runtime/pipeline/user_aggregate.h"

struct aggregations {
	struct aggregation *items; /* in the order of the query */
	size_t count;
	struct user_context *users; /* of each */
};

/* `calls` is the thread's; both outlive the aggregations. */
void aggregations_init(struct aggregations *aggregations, const struct query *query, struct calls *calls);
void aggregations_release(struct aggregations *aggregations);

#endif
