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

static void double_init(void *state)
{
	struct double_sum *sum = state;

	exact_sum_init(&sum->sum);
	sum->rows = 0;
}

static void double_release(void *state, struct budget *budget)
{
	exact_sum_release(&((struct double_sum *)state)->sum, budget);
}

static int double_update(void *const *states, const struct column *column, const uint32_t *rows, size_t n,
                         struct budget *budget, size_t *ret_done, struct error *err)
{
	(void)err;
	for (*ret_done = 0; *ret_done < n; (*ret_done)++) {
		struct double_sum *sum = states[*ret_done];

		if (exact_sum_add(&sum->sum, column->doubles[rows[*ret_done]], budget) < 0)
			return AGGREGATE_OUT_OF_BUDGET;
		sum->rows++;
	}
	return 0;
}

static int double_combine(void *state, const void *other, struct budget *budget, struct error *err)
{
	struct double_sum *sum = state;
	const struct double_sum *more = other;

	(void)err;
	if (exact_sum_combine(&sum->sum, &more->sum, budget) < 0)
		return AGGREGATE_OUT_OF_BUDGET;
	sum->rows += more->rows;
	return 0;
}

static int finalize(const struct double_sum *sum, double divisor, struct value *ret_value, struct error *err)
{
	double total = exact_sum_value(&sum->sum);

	if (isinf(total) && !sum->sum.special)
		return error_set(err, "the sum is out of range for DOUBLE: overflow");
	*ret_value = (struct value){.type = TYPE_DOUBLE, .null = !sum->rows};
	if (sum->rows)
		ret_value->real = total / divisor;
	return 0;
}

static int sum_finalize(const void *state, double parameter, struct value *ret_value, struct error *err)
{
	(void)parameter;
	return finalize(state, 1, ret_value, err);
}

static int avg_finalize(const void *state, double parameter, struct value *ret_value, struct error *err)
{
	const struct double_sum *sum = state;

	(void)parameter;
	return finalize(sum, (double)sum->rows, ret_value, err);
}

static void double_save(const void *state, struct buffer *out)
{
	const struct double_sum *sum = state;

	exact_sum_save(&sum->sum, out);
	save_word(out, (uint64_t)sum->rows);
}

static int double_load(void *state, struct slice *in, struct budget *budget, struct error *err)
{
	struct double_sum *sum = state;
	uint64_t rows;
	int result = exact_sum_load(&sum->sum, in, budget, err);

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
