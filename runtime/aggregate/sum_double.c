/*
 * SUM and AVG of doubles, exact and rounded once: a window that is built again, from the same rows in another order,
 * has the same bits. They overflow where the sum does, as PostgreSQL's; an infinity that was among the values is a sum.
 */
#include "runtime/aggregate/exact_sum.h"
#include "runtime/aggregate/implementations.h"
#include "runtime/aggregate/state_bytes.h"

struct double_sum {
	struct exact_sum sum;
	int64_t rows; /* SUM and AVG of nothing are NULL */
};

static void double_init(void *state, struct state_place place)
{
	struct double_sum *sum = state;

	(void)place;
	exact_sum_init(&sum->sum);
	sum->rows = 0;
}

static void double_release(void *state, struct budget *budget)
{
	exact_sum_release(&((struct double_sum *)state)->sum, budget);
}

static int double_update(const struct aggregate_run *run, void *const *states, const struct column *const *columns,
                         const uint32_t *rows, size_t n, size_t *ret_done, struct error *err)
{
	(void)err;
	for (*ret_done = 0; *ret_done < n; (*ret_done)++) {
		struct double_sum *sum = states[*ret_done];

		if (exact_sum_add(&sum->sum, columns[0]->doubles[rows[*ret_done]], run->budget) < 0)
			return AGGREGATE_OUT_OF_BUDGET;
		sum->rows++;
	}
	return 0;
}

static int double_combine(const struct aggregate_run *run, void *const *states, void *const *others, size_t n,
                          struct error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct double_sum *sum = states[i];
		const struct double_sum *more = others[i];

		if (exact_sum_combine(&sum->sum, &more->sum, run->budget) < 0)
			return AGGREGATE_OUT_OF_BUDGET;
		sum->rows += more->rows;
	}
	return 0;
}

static void finalize(const struct aggregate_run *run, const struct double_sum *sum, bool mean, size_t i,
                     struct column *result)
{
	double total = exact_sum_value(&sum->sum);
	bool overflow = isinf(total) && !sum->sum.special;

	if (overflow)
		row_failures_add(run->failures, (uint32_t)i, "the sum is out of range for DOUBLE: overflow",
		                 ROW_FAILURE_OF_EXPRESSION);
	column_set(result, i,
	           (struct value){.type = TYPE_DOUBLE,
	                          .null = !sum->rows || overflow,
	                          .real = mean && sum->rows && isfinite(total) ? exact_sum_mean(&sum->sum, sum->rows)
	                                                                       : total});
}

static int sum_finalize(const struct aggregate_run *run, void *const *states, size_t n, struct column *results,
                        struct error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++)
		finalize(run, states[i], false, i, results);
	return 0;
}

static int avg_finalize(const struct aggregate_run *run, void *const *states, size_t n, struct column *results,
                        struct error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++)
		finalize(run, states[i], true, i, results);
	return 0;
}

static int double_save(const struct aggregate_run *run, const void *state, struct buffer *out, struct error *err)
{
	const struct double_sum *sum = state;

	(void)run;
	(void)err;
	exact_sum_save(&sum->sum, out);
	save_word(out, (uint64_t)sum->rows);
	return 0;
}

static int double_load(const struct aggregate_run *run, void *state, struct slice *in, struct error *err)
{
	struct double_sum *sum = state;
	uint64_t rows;
	int result = exact_sum_load(&sum->sum, in, run->budget, err);

	if (result < 0)
		return result;
	if (load_word(in, &rows, err) < 0)
		return -1;
	if (rows > INT64_MAX)
		return error_set(err, "a saved sum is of fewer than no rows");
	sum->rows = (int64_t)rows;
	return 0;
}

#define SUM_OR_AVG(name, finalize_)                                                                                    \
	const struct aggregate name = {                                                                                \
	        .state_size = sizeof(struct double_sum),                                                               \
	        .init = double_init,                                                                                   \
	        .update = double_update,                                                                               \
	        .combine = double_combine,                                                                             \
	        .finalize = finalize_,                                                                                 \
	        .save = double_save,                                                                                   \
	        .load = double_load,                                                                                   \
	        .release = double_release,                                                                             \
	};

SUM_OR_AVG(sum_double, sum_finalize)
SUM_OR_AVG(avg_double, avg_finalize)
