/* What replies hold, moved out of them: failures, values, rows. All copies; what is wrong sets worker->in.bad. */
#ifndef STREAMJOB_UDF_RESULTS_H
#define STREAMJOB_UDF_RESULTS_H

#include "runtime/udf/life.h"

/* Request index i is row rows[i]. */
void take_failures(struct udf_worker *worker, const uint32_t *rows, size_t n, struct row_failures *failures);
void add_failure(struct row_failures *failures, uint32_t row, const char *reason);
/* Each result's column of n values, put at rows[i] of results[0..results_count). */
void take_values(struct udf_worker *worker, const uint32_t *rows, size_t n, struct column *results);

struct row_collector { /* of all replies of one call; in the worker's arena */
	size_t count, capacity;
	struct column columns[UDF_RESULTS_MAX];
	uint32_t *parents;
};
void take_rows(struct udf_worker *worker, const uint32_t *rows, size_t n, struct row_collector *collector);
struct udf_rows collected(struct udf_worker *worker, const struct row_collector *collector);

#endif
