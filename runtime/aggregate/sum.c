/*
 * SUM and AVG of integers, which add up in 128 bits: a sum overflows only where its result does, and then says so,
 * never a wrap. Those of doubles are in sum_double.c.
 */
#include <inttypes.h>
#include <math.h>

#include "runtime/aggregate/implementations.h"
#include "runtime/aggregate/state_bytes.h"

struct integer_sum {
	__int128 total;
	int64_t rows; /* SUM and AVG of nothing are NULL */
};

static void integer_init(void *state, struct state_place place)
{
	(void)place;
	*(struct integer_sum *)state = (struct integer_sum){0};
}

#define INTEGER_UPDATE(name, member)                                                                                   \
	static int name(const struct aggregate_run *run, void *const *states, const struct column *const *columns,     \
	                const uint32_t *rows, size_t n, size_t *ret_done, struct error *err)                           \
	{                                                                                                              \
		(void)run;                                                                                             \
		(void)err;                                                                                             \
		for (size_t i = 0; i < n; i++) {                                                                       \
			struct integer_sum *sum = states[i];                                                           \
                                                                                                                       \
			sum->total += columns[0]->member[rows[i]];                                                     \
			sum->rows++;                                                                                   \
		}                                                                                                      \
		*ret_done = n;                                                                                         \
		return 0;                                                                                              \
	}

INTEGER_UPDATE(int_update, ints)
INTEGER_UPDATE(bigint_update, bigints)

static int integer_combine(const struct aggregate_run *run, void *const *states, void *const *others, size_t n,
                           struct error *err)
{
	(void)run;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct integer_sum *sum = states[i];
		const struct integer_sum *more = others[i];

		sum->total += more->total;
		sum->rows += more->rows;
	}
	return 0;
}

static int integer_sum_finalize(const struct aggregate_run *run, void *const *states, size_t n, struct column *results,
                                struct error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		const struct integer_sum *sum = states[i];
		bool fits = sum->total <= INT64_MAX && sum->total >= INT64_MIN;

		if (!fits)
			row_failures_add(run->failures, (uint32_t)i,
			                 "the sum is out of range for BIGINT; SUM(CAST(x AS DOUBLE PRECISION)) has a "
			                 "wider range",
			                 ROW_FAILURE_OF_EXPRESSION);
		column_set(results, i,
		           (struct value){
		                   .type = TYPE_BIGINT, .null = !sum->rows || !fits, .bigint = (int64_t)sum->total});
	}
	return 0;
}

/* total / rows, rounded once: at least 64 bits of the quotient, the lowest of which is also set where anything is left.
 */
static double average(__int128 total, int64_t rows)
{
	unsigned __int128 magnitude = (unsigned __int128)total, quotient;
	uint64_t high;
	int shift;

	if (!total)
		return 0;
	magnitude = total < 0 ? -magnitude : magnitude;
	high = (uint64_t)(magnitude >> 64);
	shift = high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)magnitude);
	magnitude <<= shift;
	quotient = magnitude / (uint64_t)rows | (magnitude % (uint64_t)rows != 0);
	return ldexp(total < 0 ? -(double)quotient : (double)quotient, -shift);
}

static int integer_avg_finalize(const struct aggregate_run *run, void *const *states, size_t n, struct column *results,
                                struct error *err)
{
	(void)run;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		const struct integer_sum *sum = states[i];
		struct value value = {.type = TYPE_DOUBLE, .null = !sum->rows};

		if (sum->rows)
			value.real = average(sum->total, sum->rows);
		column_set(results, i, value);
	}
	return 0;
}

static int integer_save(const struct aggregate_run *run, const void *state, struct buffer *out, struct error *err)
{
	const struct integer_sum *sum = state;

	(void)run;
	(void)err;
	save_word(out, (uint64_t)sum->total);
	save_word(out, (uint64_t)(sum->total >> 64));
	save_word(out, (uint64_t)sum->rows);
	return 0;
}

static int integer_load(const struct aggregate_run *run, void *state, struct slice *in, struct error *err)
{
	struct integer_sum *sum = state;
	uint64_t low, high, rows;

	(void)run;
	if (load_word(in, &low, err) < 0 || load_word(in, &high, err) < 0 || load_word(in, &rows, err) < 0)
		return -1;
	if (rows > INT64_MAX)
		return error_set(err, "a saved sum is of fewer than no rows");
	sum->total = (__int128)((unsigned __int128)high << 64 | low);
	sum->rows = (int64_t)rows;
	return 0;
}

#define SUM_OR_AVG(name, update_, finalize_)                                                                           \
	static const struct aggregate name = {                                                                         \
	        .state_size = sizeof(struct integer_sum),                                                              \
	        .init = integer_init,                                                                                  \
	        .update = update_,                                                                                     \
	        .combine = integer_combine,                                                                            \
	        .finalize = finalize_,                                                                                 \
	        .save = integer_save,                                                                                  \
	        .load = integer_load,                                                                                  \
	};

SUM_OR_AVG(sum_int, int_update, integer_sum_finalize)
SUM_OR_AVG(sum_bigint, bigint_update, integer_sum_finalize)
SUM_OR_AVG(avg_int, int_update, integer_avg_finalize)
SUM_OR_AVG(avg_bigint, bigint_update, integer_avg_finalize)

const struct aggregate_types sum_aggregate = {
        .of = {[TYPE_INT] = &sum_int, [TYPE_BIGINT] = &sum_bigint, [TYPE_DOUBLE] = &sum_double}};

const struct aggregate_types avg_aggregate = {
        .of = {[TYPE_INT] = &avg_int, [TYPE_BIGINT] = &avg_bigint, [TYPE_DOUBLE] = &avg_double}};
