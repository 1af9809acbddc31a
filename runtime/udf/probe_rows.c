/* Which row kills: halves, each in a worker of its own. A half that lives is left alone; where both live, none alone
 * does. */
#include "runtime/udf/udf_calls.h"

#include <stdlib.h>

#include "lib/base/memory.h"

/* 1: the rows kill the worker; 0: they do not; -1: there is no worker to be had. */
static int kills(const struct function_spec *spec, const struct udf_environment *environment,
                 const struct udf_arguments *all, size_t from, size_t n, struct udf_failure *ret_failure)
{
	struct udf_arguments part = {all->columns, all->count, all->rows + from, n};
	struct udf_signature signature;
	struct udf_worker *worker = udf_start(spec, environment, &signature, ret_failure);
	struct row_failures *failures;
	struct udf_failure failure;
	struct udf_rows rows;
	struct column *results;
	uint32_t *slots;
	int result;

	if (!worker)
		return -1;
	failures = xcalloc(1, sizeof(*failures));
	slots = xcalloc(n, sizeof(*slots));
	results = xcalloc(signature.results.count, sizeof(*results));
	for (size_t c = 0; c < signature.results.count; c++)
		column_init(&results[c], signature.results.columns[c].type, BATCH_ROWS_MAX);
	if (spec->kind == FUNCTION_SCALAR)
		result = udf_eval(worker, &part, results, failures, &failure);
	else if (spec->kind == FUNCTION_TABLE)
		result = udf_eval_table(worker, &part, &rows, failures, &failure);
	else
		result = udf_accumulate(worker, 0, slots, &part, failures, &failure);
	for (size_t c = 0; c < signature.results.count; c++)
		column_release(&results[c]);
	free(results);
	free(slots);
	free(failures);
	udf_signature_release(&signature);
	udf_stop(worker, NULL);
	return result < 0;
}

int udf_probe_rows(const struct function_spec *spec, const struct udf_environment *environment,
                   const struct udf_arguments *arguments, uint32_t *ret_row, struct udf_failure *ret_failure)
{
	size_t from = 0, n = arguments->n;

	while (n > 1) {
		size_t half = n / 2;
		int first = kills(spec, environment, arguments, from, half, ret_failure), second;

		if (first < 0)
			return -1;
		if (first) {
			n = half;
			continue;
		}
		from += half;
		n -= half;
		second = n > 1 ? kills(spec, environment, arguments, from, n, ret_failure) : 1;
		if (second < 0)
			return -1;
		if (!second)
			n = 0;
	}
	if (n == 1) {
		int last = kills(spec, environment, arguments, from, 1, ret_failure);

		if (last < 0)
			return -1;
		n = (size_t)last;
	}
	*ret_row = n == 1 ? arguments->rows[from] : UDF_NO_ROW;
	return 0;
}
