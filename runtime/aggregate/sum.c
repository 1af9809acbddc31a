/*
 * SUM and AVG. Integers add up in 128 bits: a sum overflows only where its result does, and then says so, never a wrap.
 * Doubles add up with Neumaier's compensation (Neumaier 1974, an improved Kahan-Babuška summation), so that the order
 * and the grouping of the additions change the last bit at most.
 */
#include <inttypes.h>
#include <math.h>

#include "runtime/aggregate/implementations.h"
#include "runtime/aggregate/state_bytes.h"

struct integer_sum {
	__int128 total;
	int64_t rows; /* SUM and AVG of nothing are NULL */
};

struct double_sum {
	double total, compensation;
	int64_t rows;
	int64_t padding;
};

static void integer_init(void *state)
{
	*(struct integer_sum *)state = (struct integer_sum){0};
}

#define INTEGER_UPDATE(name, member)                                                                                   \
	static int name(void *const *states, const struct column *column, const uint32_t *rows, size_t n,              \
	                struct budget *budget, size_t *ret_done, struct error *err)                                    \
	{                                                                                                              \
		(void)budget;                                                                                          \
		(void)err;                                                                                             \
		for (size_t i = 0; i < n; i++) {                                                                       \
			struct integer_sum *sum = states[i];                                                           \
                                                                                                                       \
			sum->total += column->member[rows[i]];                                                         \
			sum->rows++;                                                                                   \
		}                                                                                                      \
		*ret_done = n;                                                                                         \
		return 0;                                                                                              \
	}

INTEGER_UPDATE(int_update, ints)
INTEGER_UPDATE(bigint_update, bigints)

static int integer_combine(void *state, const void *other, struct budget *budget, struct error *err)
{
	struct integer_sum *sum = state;
	const struct integer_sum *more = other;

	(void)budget;
	(void)err;
	sum->total += more->total;
	sum->rows += more->rows;
	return 0;
}

static int integer_sum_finalize(const void *state, double parameter, struct value *ret_value, struct error *err)
{
	const struct integer_sum *sum = state;

	(void)parameter;
	if (sum->total > INT64_MAX || sum->total < INT64_MIN)
		return error_set(
		        err, "the sum is out of range for BIGINT; SUM(CAST(x AS DOUBLE PRECISION)) has a wider range");
	*ret_value = (struct value){.type = TYPE_BIGINT, .null = !sum->rows, .bigint = (int64_t)sum->total};
	return 0;
}

static int integer_avg_finalize(const void *state, double parameter, struct value *ret_value, struct error *err)
{
	const struct integer_sum *sum = state;

	(void)parameter;
	(void)err;
	*ret_value = (struct value){.type = TYPE_DOUBLE, .null = !sum->rows};
	if (sum->rows)
		ret_value->real = (double)((long double)sum->total / (long double)sum->rows);
	return 0;
}

static void integer_save(const void *state, struct buffer *out)
{
	const struct integer_sum *sum = state;

	save_word(out, (uint64_t)sum->total);
	save_word(out, (uint64_t)(sum->total >> 64));
	save_word(out, (uint64_t)sum->rows);
}

static int integer_load(void *state, struct slice *in, struct budget *budget, struct error *err)
{
	struct integer_sum *sum = state;
	uint64_t low, high, rows;

	(void)budget;
	if (load_word(in, &low, err) < 0 || load_word(in, &high, err) < 0 || load_word(in, &rows, err) < 0)
		return -1;
	if (rows > INT64_MAX)
		return error_set(err, "a saved sum is of fewer than no rows");
	sum->total = (__int128)((unsigned __int128)high << 64 | low);
	sum->rows = (int64_t)rows;
	return 0;
}

static void double_init(void *state)
{
	*(struct double_sum *)state = (struct double_sum){0};
}

static inline void double_add(struct double_sum *sum, double value)
{
	double total = sum->total + value;

	if (fabs(sum->total) >= fabs(value))
		sum->compensation += (sum->total - total) + value;
	else
		sum->compensation += (value - total) + sum->total;
	sum->total = total;
}

static int double_update(void *const *states, const struct column *column, const uint32_t *rows, size_t n,
                         struct budget *budget, size_t *ret_done, struct error *err)
{
	(void)budget;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct double_sum *sum = states[i];

		double_add(sum, column->doubles[rows[i]]);
		sum->rows++;
	}
	*ret_done = n;
	return 0;
}

static int double_combine(void *state, const void *other, struct budget *budget, struct error *err)
{
	struct double_sum *sum = state;
	const struct double_sum *more = other;

	(void)budget;
	(void)err;
	double_add(sum, more->total);
	sum->compensation += more->compensation;
	sum->rows += more->rows;
	return 0;
}

/* An infinity or NaN in the total leaves no meaning to the compensation. */
static double double_total(const struct double_sum *sum)
{
	return isfinite(sum->total) ? sum->total + sum->compensation : sum->total;
}

static int double_sum_finalize(const void *state, double parameter, struct value *ret_value, struct error *err)
{
	const struct double_sum *sum = state;

	(void)parameter;
	(void)err;
	*ret_value = (struct value){.type = TYPE_DOUBLE, .null = !sum->rows, .real = double_total(sum)};
	return 0;
}

static int double_avg_finalize(const void *state, double parameter, struct value *ret_value, struct error *err)
{
	const struct double_sum *sum = state;

	(void)parameter;
	(void)err;
	*ret_value = (struct value){.type = TYPE_DOUBLE, .null = !sum->rows};
	if (sum->rows)
		ret_value->real = double_total(sum) / (double)sum->rows;
	return 0;
}

static void double_save(const void *state, struct buffer *out)
{
	const struct double_sum *sum = state;

	save_double(out, sum->total);
	save_double(out, sum->compensation);
	save_word(out, (uint64_t)sum->rows);
}

static int double_load(void *state, struct slice *in, struct budget *budget, struct error *err)
{
	struct double_sum *sum = state, loaded = {0};
	uint64_t rows;

	(void)budget;
	if (load_double(in, &loaded.total, err) < 0 || load_double(in, &loaded.compensation, err) < 0 ||
	    load_word(in, &rows, err) < 0)
		return -1;
	if (rows > INT64_MAX)
		return error_set(err, "a saved sum is of fewer than no rows");
	loaded.rows = (int64_t)rows;
	*sum = loaded;
	return 0;
}

#define SUM_OR_AVG(name, kind_, type_, family, state_, update_, finalize_)                                             \
	const struct aggregate name = {                                                                                \
	        .kind = kind_,                                                                                         \
	        .argument = type_,                                                                                     \
	        .state_size = sizeof(struct state_),                                                                   \
	        .init = family##_init,                                                                                 \
	        .update = update_,                                                                                     \
	        .combine = family##_combine,                                                                           \
	        .finalize = finalize_,                                                                                 \
	        .save = family##_save,                                                                                 \
	        .load = family##_load,                                                                                 \
	};

SUM_OR_AVG(sum_int, AGGREGATE_SUM, TYPE_INT, integer, integer_sum, int_update, integer_sum_finalize)
SUM_OR_AVG(sum_bigint, AGGREGATE_SUM, TYPE_BIGINT, integer, integer_sum, bigint_update, integer_sum_finalize)
SUM_OR_AVG(sum_double, AGGREGATE_SUM, TYPE_DOUBLE, double, double_sum, double_update, double_sum_finalize)
SUM_OR_AVG(avg_int, AGGREGATE_AVG, TYPE_INT, integer, integer_sum, int_update, integer_avg_finalize)
SUM_OR_AVG(avg_bigint, AGGREGATE_AVG, TYPE_BIGINT, integer, integer_sum, bigint_update, integer_avg_finalize)
SUM_OR_AVG(avg_double, AGGREGATE_AVG, TYPE_DOUBLE, double, double_sum, double_update, double_avg_finalize)
