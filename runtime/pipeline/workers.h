/*
 * What the pipeline needs of runtime/udf, as a table: a test scripts it. Contracts: runtime/udf/udf.h, udf_calls.h.
 */
#ifndef STREAMJOB_WORKERS_H
#define STREAMJOB_WORKERS_H

#include "runtime/udf/udf.h"
#include "runtime/udf/udf_calls.h"

struct worker_ops {
	struct udf_worker *(*start)(const struct function_spec *spec, const struct udf_environment *environment,
	                            struct udf_signature *ret_signature, struct udf_failure *ret_failure);
	int (*stop)(struct udf_worker *worker, struct udf_failure *ret_failure);
	int (*eval)(struct udf_worker *worker, const struct udf_arguments *arguments, struct column *results,
	            struct row_failures *failures, struct udf_failure *ret_failure);
	int (*eval_table)(struct udf_worker *worker, const struct udf_arguments *arguments, struct udf_rows *ret_rows,
	                  struct row_failures *failures, struct udf_failure *ret_failure);
	int (*accumulate)(struct udf_worker *worker, unsigned table, const uint32_t *slots,
	                  const struct udf_arguments *arguments, struct row_failures *failures,
	                  struct udf_failure *ret_failure);
	int (*values)(struct udf_worker *worker, unsigned table, const uint32_t *slots, size_t n,
	              struct column *results, struct row_failures *failures, struct udf_failure *ret_failure);
	int (*emit)(struct udf_worker *worker, unsigned table, const uint32_t *slots, size_t n,
	            struct udf_rows *ret_rows, struct row_failures *failures, struct udf_failure *ret_failure);
	int (*save)(struct udf_worker *worker, unsigned table, const uint32_t *slots, size_t n, struct buffer *out,
	            struct row_failures *failures, struct udf_failure *ret_failure);
	int (*merge)(struct udf_worker *worker, unsigned table, const uint32_t *slots, size_t n, struct slice saved,
	             struct row_failures *failures, struct udf_failure *ret_failure);
	int (*clear)(struct udf_worker *worker, unsigned table, struct udf_failure *ret_failure);
	int (*probe)(const struct function_spec *spec, const struct udf_environment *environment,
	             const struct udf_arguments *arguments, uint32_t *ret_row, struct udf_failure *ret_failure);
	size_t (*metrics)(struct udf_worker *worker, struct udf_metric *ret_metrics, size_t max);
};

extern const struct worker_ops udf_worker_ops;

#endif
