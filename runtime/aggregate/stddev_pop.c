/*
 * STDDEV_POP, the standard deviation of all values: sqrt(N * sum of squares - (sum)^2) / N. Both sums are exact, so
 * nothing cancels and a window that is built again has the same bits, whatever the order of its rows; the root is taken
 * of the exact difference (docs/decisions/exact-deviation.md).
 *
 * The square of a double is two doubles, its rounded value and the rest, exactly, where neither leaves the range of
 * doubles: very large and very small values are scaled by a power of two and have a sum of squares of their own.
 */
#include "runtime/aggregate/exact_sum.h"
#include "runtime/aggregate/implementations.h"
#include "runtime/aggregate/state_bytes.h"

#define LARGE_MIN  0x1p500
#define SMALL_MAX  0x1p-485
#define SCALE      600            /* power of two */
#define SPLITTER   134217729.0    /* 2^27 + 1: cuts a double into two of at most 26 bits */
#define SUM_BITS   (-1074)        /* the power of two that limb 0 of a sum stands for */
#define WIDE_BITS  (-1074 - 1200) /* and of a wide number of squares: that of small values */
#define WIDE_LIMBS 144            /* 2^126 squares, of which the largest is below 2^2048 */

enum { MIDDLE, LARGE, SMALL, SCALES };

struct integer_moments {
	__int128 sum;
	unsigned __int128 squares;
	uint64_t squares_high; /* the next 64 bits */
	int64_t rows;
};

struct real_moments {
	struct exact_sum sum, squares[SCALES];
	int64_t rows;
};

struct wide {
	uint32_t limbs[WIDE_LIMBS];
};

/* Adds limbs[0..n) * factor * 2^bits. */
static void wide_add(struct wide *wide, const uint32_t *limbs, size_t n, uint32_t factor, unsigned bits)
{
	unsigned __int128 left = 0;
	size_t at = bits / 32;

	for (size_t i = 0; (i < n || left) && at + i < WIDE_LIMBS; i++) {
		if (i < n)
			left += (unsigned __int128)((uint64_t)limbs[i] * factor) << (bits % 32);
		left += wide->limbs[at + i];
		wide->limbs[at + i] = (uint32_t)left;
		left >>= 32;
	}
}

/* Takes `less` away; false where it is the larger one, which saved bytes can claim. */
static bool wide_subtract(struct wide *wide, const struct wide *less)
{
	int64_t left = 0;

	for (size_t i = 0; i < WIDE_LIMBS; i++) {
		left += (int64_t)wide->limbs[i] - less->limbs[i];
		wide->limbs[i] = (uint32_t)left;
		left >>= 32;
	}
	return left == 0;
}

static bool wide_bit(const struct wide *wide, int bit)
{
	return bit >= 0 && wide->limbs[bit / 32] >> bit % 32 & 1;
}

static uint64_t root(unsigned __int128 square)
{
	uint64_t root = 0;

	for (uint64_t bit = UINT64_C(1) << 63; bit; bit >>= 1)
		if ((unsigned __int128)(root | bit) * (root | bit) <= square)
			root |= bit;
	return root;
}

/* sqrt(wide * 2^bits) / rows; `bits` is even. The top 128 bits are enough for the root's 64. */
static double deviation(const struct wide *wide, int bits, int64_t rows)
{
	unsigned __int128 top = 0, quotient;
	int high = WIDE_LIMBS * 32 - 1, low;

	while (high >= 0 && !wide_bit(wide, high))
		high--;
	if (high < 0)
		return 0;
	low = high - 127 + (high % 2 == 0);
	for (int bit = high; bit >= low; bit--)
		top = top << 1 | wide_bit(wide, bit);
	quotient = ((unsigned __int128)root(top) << 63) / (uint64_t)rows;
	return ldexp((double)quotient, (low + bits) / 2 - 63);
}

/* N * squares - sum^2, of a sum that begins at 2^bits of the wide number. */
static double deviation_of(struct wide *squares, const uint32_t *sum, size_t n, unsigned bits, int wide_bits,
                           int64_t rows)
{
	struct wide square = {{0}};

	for (size_t i = 0; i < n; i++)
		if (sum[i])
			wide_add(&square, sum, n, sum[i], bits + 32 * (unsigned)i);
	return wide_subtract(squares, &square) ? deviation(squares, wide_bits, rows) : 0;
}

/* limbs * rows, from 2^bits on. */
static void add_squares(struct wide *wide, const uint32_t *limbs, size_t n, int64_t rows, unsigned bits)
{
	wide_add(wide, limbs, n, (uint32_t)rows, bits);
	wide_add(wide, limbs, n, (uint32_t)(rows >> 32), bits + 32);
}

static void integer_init(void *state, struct state_place place)
{
	(void)place;
	*(struct integer_moments *)state = (struct integer_moments){0};
}

static inline void add_square(struct integer_moments *moments, unsigned __int128 squares, uint64_t high)
{
	moments->squares_high += high + __builtin_add_overflow(moments->squares, squares, &moments->squares);
}

#define INTEGER_UPDATE(name, member)                                                                                   \
	static int name(const struct aggregate_run *run, void *const *states, const struct column *const *columns,     \
	                const uint32_t *rows, size_t n, size_t *ret_done, struct error *err)                           \
	{                                                                                                              \
		(void)run;                                                                                             \
		(void)err;                                                                                             \
		for (size_t i = 0; i < n; i++) {                                                                       \
			struct integer_moments *moments = states[i];                                                   \
			__int128 value = columns[0]->member[rows[i]];                                                  \
                                                                                                                       \
			moments->sum += value;                                                                         \
			add_square(moments, (unsigned __int128)(value * value), 0);                                    \
			moments->rows++;                                                                               \
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
		struct integer_moments *moments = states[i];
		const struct integer_moments *more = others[i];

		moments->sum += more->sum;
		add_square(moments, more->squares, more->squares_high);
		moments->rows += more->rows;
	}
	return 0;
}

static void words_of(unsigned __int128 value, uint32_t limbs[4])
{
	for (size_t i = 0; i < 4; i++, value >>= 32)
		limbs[i] = (uint32_t)value;
}

static double integer_deviation(const struct integer_moments *moments)
{
	unsigned __int128 magnitude = (unsigned __int128)moments->sum;
	uint32_t sum[4], squares[6];
	struct wide wide = {{0}};

	words_of(moments->sum < 0 ? -magnitude : magnitude, sum);
	words_of(moments->squares, squares);
	squares[4] = (uint32_t)moments->squares_high;
	squares[5] = (uint32_t)(moments->squares_high >> 32);
	add_squares(&wide, squares, 6, moments->rows, 0);
	return deviation_of(&wide, sum, 4, 0, 0, moments->rows);
}

static int integer_finalize(const struct aggregate_run *run, void *const *states, size_t n, struct column *results,
                            struct error *err)
{
	(void)run;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		const struct integer_moments *moments = states[i];
		struct value value = {.type = TYPE_DOUBLE, .null = !moments->rows};

		if (moments->rows)
			value.real = integer_deviation(moments);
		column_set(results, i, value);
	}
	return 0;
}

static int integer_save(const struct aggregate_run *run, const void *state, struct buffer *out, struct error *err)
{
	const struct integer_moments *moments = state;

	(void)run;
	(void)err;
	save_word(out, (uint64_t)moments->sum);
	save_word(out, (uint64_t)(moments->sum >> 64));
	save_word(out, (uint64_t)moments->squares);
	save_word(out, (uint64_t)(moments->squares >> 64));
	save_word(out, moments->squares_high);
	save_word(out, (uint64_t)moments->rows);
	return 0;
}

static int load_rows(struct slice *in, int64_t *ret_rows, struct error *err)
{
	uint64_t rows;

	if (load_word(in, &rows, err) < 0)
		return -1;
	if (rows > INT64_MAX)
		return error_set(err, "a saved deviation is of fewer than no rows");
	*ret_rows = (int64_t)rows;
	return 0;
}

static int integer_load(const struct aggregate_run *run, void *state, struct slice *in, struct error *err)
{
	struct integer_moments *moments = state;
	uint64_t words[5];

	(void)run;
	for (size_t i = 0; i < 5; i++)
		if (load_word(in, &words[i], err) < 0)
			return -1;
	moments->sum = (__int128)((unsigned __int128)words[1] << 64 | words[0]);
	moments->squares = (unsigned __int128)words[3] << 64 | words[2];
	moments->squares_high = words[4];
	return load_rows(in, &moments->rows, err);
}

static void real_init(void *state, struct state_place place)
{
	struct real_moments *moments = state;

	(void)place;
	exact_sum_init(&moments->sum);
	for (size_t s = 0; s < SCALES; s++)
		exact_sum_init(&moments->squares[s]);
	moments->rows = 0;
}

static void real_release(void *state, struct budget *budget)
{
	struct real_moments *moments = state;

	exact_sum_release(&moments->sum, budget);
	for (size_t s = 0; s < SCALES; s++)
		exact_sum_release(&moments->squares[s], budget);
}

/* What value * value is beyond its rounded `square` (Dekker, "A floating-point technique for extending the available
 * precision", 1971). */
static double square_rest(double value, double square)
{
	double large = value * SPLITTER, high = large - (large - value), low = value - high;

	return high * high - square + 2 * high * low + low * low;
}

/* Both or none: what was added is taken away again, for which there is room. */
static int add_two(struct exact_sum *sum, double first, double second, struct budget *budget)
{
	if (exact_sum_add(sum, first, budget) < 0)
		return AGGREGATE_OUT_OF_BUDGET;
	if (exact_sum_add(sum, second, budget) == 0)
		return 0;
	exact_sum_add(sum, -first, budget);
	return AGGREGATE_OUT_OF_BUDGET;
}

static int real_add(struct real_moments *moments, double value, struct budget *budget)
{
	double magnitude = fabs(value);
	size_t scale = magnitude >= LARGE_MIN ? LARGE : magnitude < SMALL_MAX ? SMALL : MIDDLE;
	double scaled = scale == MIDDLE ? value : value * (scale == LARGE ? 0x1p-600 : 0x1p600);
	double square = scaled * scaled;

	if (exact_sum_add(&moments->sum, value, budget) < 0)
		return AGGREGATE_OUT_OF_BUDGET;
	if (isfinite(value) && add_two(&moments->squares[scale], square, square_rest(scaled, square), budget) < 0) {
		exact_sum_add(&moments->sum, -value, budget);
		return AGGREGATE_OUT_OF_BUDGET;
	}
	moments->rows++;
	return 0;
}

static int real_update(const struct aggregate_run *run, void *const *states, const struct column *const *columns,
                       const uint32_t *rows, size_t n, size_t *ret_done, struct error *err)
{
	(void)err;
	for (*ret_done = 0; *ret_done < n; (*ret_done)++)
		if (real_add(states[*ret_done], columns[0]->doubles[rows[*ret_done]], run->budget) < 0)
			return AGGREGATE_OUT_OF_BUDGET;
	return 0;
}

static int real_combine(const struct aggregate_run *run, void *const *states, void *const *others, size_t n,
                        struct error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct real_moments *moments = states[i];
		const struct real_moments *more = others[i];

		if (exact_sum_combine(&moments->sum, &more->sum, run->budget) < 0)
			return AGGREGATE_OUT_OF_BUDGET;
		for (size_t s = 0; s < SCALES; s++)
			if (exact_sum_combine(&moments->squares[s], &more->squares[s], run->budget) < 0)
				return AGGREGATE_OUT_OF_BUDGET;
		moments->rows += more->rows;
	}
	return 0;
}

static double real_deviation(const struct real_moments *moments)
{
	static const int scales[SCALES] = {[LARGE] = 2 * SCALE, [SMALL] = -2 * SCALE};
	uint32_t limbs[SUM_LIMBS], count;
	struct wide wide = {{0}};
	bool negative;

	for (size_t s = 0; s < SCALES; s++) {
		count = exact_sum_limbs(&moments->squares[s], &negative, limbs);
		add_squares(&wide, limbs, count, moments->rows, (unsigned)(SUM_BITS + scales[s] - WIDE_BITS));
	}
	count = exact_sum_limbs(&moments->sum, &negative, limbs);
	return deviation_of(&wide, limbs, count, 2 * SUM_BITS - WIDE_BITS, WIDE_BITS, moments->rows);
}

static int real_finalize(const struct aggregate_run *run, void *const *states, size_t n, struct column *results,
                         struct error *err)
{
	(void)run;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		const struct real_moments *moments = states[i];
		struct value value = {.type = TYPE_DOUBLE, .null = !moments->rows};

		if (moments->rows)
			value.real = moments->sum.special ? NAN : real_deviation(moments);
		column_set(results, i, value);
	}
	return 0;
}

static int real_save(const struct aggregate_run *run, const void *state, struct buffer *out, struct error *err)
{
	const struct real_moments *moments = state;

	(void)run;
	(void)err;
	exact_sum_save(&moments->sum, out);
	for (size_t s = 0; s < SCALES; s++)
		exact_sum_save(&moments->squares[s], out);
	save_word(out, (uint64_t)moments->rows);
	return 0;
}

static int real_load(const struct aggregate_run *run, void *state, struct slice *in, struct error *err)
{
	struct real_moments *moments = state;
	int result = exact_sum_load(&moments->sum, in, run->budget, err);

	for (size_t s = 0; s < SCALES && !result; s++)
		result = exact_sum_load(&moments->squares[s], in, run->budget, err);
	return result ? result : load_rows(in, &moments->rows, err);
}

#define STDDEV_POP(name, moments, update_, family, ...)                                                                \
	static const struct aggregate name = {.state_size = sizeof(struct moments),                                    \
	                                      .init = family##_init,                                                   \
	                                      .update = update_,                                                       \
	                                      .combine = family##_combine,                                             \
	                                      .finalize = family##_finalize,                                           \
	                                      .save = family##_save,                                                   \
	                                      .load = family##_load,                                                   \
	                                      __VA_ARGS__};

STDDEV_POP(stddev_int, integer_moments, int_update, integer)
STDDEV_POP(stddev_bigint, integer_moments, bigint_update, integer)
STDDEV_POP(stddev_double, real_moments, real_update, real, .release = real_release)

const struct aggregate_types stddev_pop_aggregate = {
        .of = {[TYPE_INT] = &stddev_int, [TYPE_BIGINT] = &stddev_bigint, [TYPE_DOUBLE] = &stddev_double}};
