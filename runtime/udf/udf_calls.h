/*
 * The calls of a worker; see udf.h for what can go wrong. Each returns 0, or -1 with ret_failure set and the other
 * outputs unset.
 *
 * `arguments` are columns read at rows[0..n), n <= BATCH_ROWS_MAX; the worker gets copies. `failures`: rows on which
 * the function raised, as `file:line`, the exception and the values of the row; the reasons live until the worker's
 * next call. Strings of results and reasons live until then too.
 *
 * Accumulators are slots of a table: a slot begins to exist when it is first named in udf_accumulate or udf_merge.
 */
#ifndef STREAMJOB_UDF_CALLS_H
#define STREAMJOB_UDF_CALLS_H

#include "lib/base/buffer.h"
#include "lib/expr/expr.h"
#include "runtime/udf/udf.h"

struct udf_arguments {
	const struct column *const *columns;
	size_t count;
	const uint32_t *rows; /* ascending */
	size_t n;
};

/* Scalar: the value for each row at its own row number in `results`, a column with room for it. */
int udf_eval(struct udf_worker *worker, const struct udf_arguments *arguments, struct column *results,
             struct row_failures *failures, struct udf_failure *ret_failure);

/* Rows that a table function or an emit yielded: columns of the signature's results, the worker's until its next call.
 */
struct udf_rows {
	size_t count;
	const struct column *columns;
	const uint32_t *parents; /* ascending: the row number (eval), or the index in `slots` (emit), it came from */
};
/* Table function: all rows of all calls, bounded by UDF_REPLY_BYTES_MAX (more is a failure). */
int udf_eval_table(struct udf_worker *worker, const struct udf_arguments *arguments, struct udf_rows *ret_rows,
                   struct row_failures *failures, struct udf_failure *ret_failure);

/* Aggregates: row i of `rows` goes to slots[i]. A vectorized function may be called later, with more rows at once; its
 * exceptions then come with the slot's value. */
int udf_accumulate(struct udf_worker *worker, unsigned table, const uint32_t *slots,
                   const struct udf_arguments *arguments, struct row_failures *failures,
                   struct udf_failure *ret_failure);

/* The value of slots[i], i < n <= BATCH_ROWS_MAX, at place i of results[0..signature's columns). A failure's row is i.
 */
int udf_values(struct udf_worker *worker, unsigned table, const uint32_t *slots, size_t n, struct column *results,
               struct row_failures *failures, struct udf_failure *ret_failure);
/* Table aggregates: what emit_value yields for slots[i], i < n <= BATCH_ROWS_MAX. */
int udf_emit(struct udf_worker *worker, unsigned table, const uint32_t *slots, size_t n, struct udf_rows *ret_rows,
             struct row_failures *failures, struct udf_failure *ret_failure);

/* Appends the accumulators of slots[0..n), n <= BATCH_ROWS_MAX, as bytes that udf_merge of the same function takes. */
int udf_save(struct udf_worker *worker, unsigned table, const uint32_t *slots, size_t n, struct buffer *out,
             struct row_failures *failures, struct udf_failure *ret_failure);
/* Loads the accumulators that one udf_save wrote, and merges the i-th into slots[i] (which it becomes where the slot is
 * new). */
int udf_merge(struct udf_worker *worker, unsigned table, const uint32_t *slots, size_t n, struct slice saved,
              struct row_failures *failures, struct udf_failure *ret_failure);
/* Forgets all accumulators of the table. */
int udf_clear(struct udf_worker *worker, unsigned table, struct udf_failure *ret_failure);

/*
 * Which of the rows kills a fresh worker: found by halves in scratch workers, each under the function's deadlines. The
 * row's own number, or UDF_NO_ROW where none alone does. -1: a scratch worker cannot even start.
 */
int udf_probe_rows(const struct function_spec *spec, const struct udf_environment *environment,
                   const struct udf_arguments *arguments, uint32_t *ret_row, struct udf_failure *ret_failure);

/* A metric of the function's own, from FunctionContext's metric group, as of its last call. */
enum udf_metric_kind { UDF_COUNTER, UDF_GAUGE };
#define UDF_METRIC_LABELS_MAX 4
struct udf_label {
	char name[32], value[64];
};
struct udf_metric {
	enum udf_metric_kind kind;
	char name[64]; /* as the names of its labels: [a-zA-Z_][a-zA-Z0-9_]* */
	double value;
	size_t labels_count;
	struct udf_label labels[UDF_METRIC_LABELS_MAX];
};
#define UDF_METRICS_MAX 128
/*
 * At most `max`; how many. Never waits for a call that is under way, nor for a worker that goes on writing them: then
 * none. Labels are in the order of their names, which differ.
 */
size_t udf_metrics(struct udf_worker *worker, struct udf_metric *ret_metrics, size_t max);

#endif
