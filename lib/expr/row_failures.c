/* Rows on which an expression fails. */
#include "lib/expr/tree.h"

void row_failures_add(struct row_failures *failures, uint32_t row, const char *reason, uint32_t function)
{
	for (size_t i = 0; i < failures->count; i++)
		if (failures->rows[i] == row)
			return;
	failures->rows[failures->count] = row;
	failures->functions[failures->count] = function;
	failures->reasons[failures->count++] = reason;
}

void row_fail(struct run *run, struct column *result, uint32_t row, const char *reason)
{
	result->valid[row] = 0;
	row_failures_add(run->failures, row, reason, ROW_FAILURE_OF_EXPRESSION);
}
