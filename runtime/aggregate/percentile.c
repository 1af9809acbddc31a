/*
 * PERCENTILE(x, p): DDSketch (Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch with
 * relative-error guarantees", VLDB 2019). A value's bin is floor(BINS_A_DOUBLING * f(value)), where f interpolates log2
 * between powers of two with a cubic whose slope is at least 10/7 of that of the identity in relative terms: the ratio
 * of a bin's edges is at most (1 + 0.01) / (1 - 0.01), so its middle is within 1 % of every value in it.
 *
 * Bins of positive and of negative values are dense arrays that grow with their range; past DDSKETCH_BINS_MAX bins (58
 * doublings) those of the smallest magnitudes fall together. NaN sorts above everything, as in PostgreSQL.
 */
#include <math.h>

#include "runtime/aggregate/implementations.h"
#include "runtime/aggregate/state_bytes.h"

#define DDSKETCH_BINS_MAX 2048
#define BINS_A_DOUBLING   35.0 /* at least 0.7 / ln((1 + e) / (1 - e)) = 34.998… */
#define CUBIC_A           (6.0 / 35.0)
#define CUBIC_B           (-3.0 / 5.0)
#define CUBIC_C           (10.0 / 7.0)
#define BINS_STEP         16 /* arrays grow by at least so many bins */

struct bins {
	uint64_t *counts;
	int32_t first; /* index of counts[0] */
	uint32_t size;
};

struct sketch {
	struct bins positive, negative; /* the latter by magnitude */
	uint64_t zero, minus_infinity, plus_infinity, nan;
};

static void sketch_init(void *state)
{
	*(struct sketch *)state = (struct sketch){0};
}

static void bins_release(struct bins *bins, struct budget *budget)
{
	budget_free(budget, bins->counts, bins->size * sizeof(uint64_t));
	*bins = (struct bins){0};
}

static void sketch_release(void *state, struct budget *budget)
{
	struct sketch *sketch = state;

	bins_release(&sketch->positive, budget);
	bins_release(&sketch->negative, budget);
}

/* Of a finite value above zero; subnormals share the bins of the smallest exponent. */
static inline int32_t bin_of(double value)
{
	uint64_t bits;
	double exponent, s, f;

	memcpy(&bits, &value, sizeof(bits));
	exponent = (double)((int64_t)(bits >> 52) - 1023);
	bits = (bits & 0x000fffffffffffffu) | 0x3ff0000000000000u;
	memcpy(&s, &bits, sizeof(s));
	s -= 1;
	f = exponent + ((CUBIC_A * s + CUBIC_B) * s + CUBIC_C) * s;
	return (int32_t)floor(f * BINS_A_DOUBLING);
}

/* The value with f(value) = bin / BINS_A_DOUBLING: the lower edge. Bisection; f rises with s. */
static double bin_edge(int32_t bin)
{
	double f = bin / BINS_A_DOUBLING, exponent = floor(f), low = 0, high = 1;

	for (int i = 0; i < 60; i++) {
		double s = (low + high) / 2;

		if (((CUBIC_A * s + CUBIC_B) * s + CUBIC_C) * s < f - exponent)
			low = s;
		else
			high = s;
	}
	return ldexp(1 + low, (int)exponent);
}

/* within 1 % of both edges; an edge past the largest double is that. */
static double bin_value(int32_t bin)
{
	double low = bin_edge(bin), high = bin_edge(bin + 1);

	return isinf(high) ? low : low * (2 / (1 + low / high));
}

/* Makes [first, last] the range, with what lies below `first` falling into it. */
static int bins_reshape(struct bins *bins, int32_t first, int32_t last, struct budget *budget)
{
	uint32_t size = (uint32_t)(last - first) + 1;
	uint64_t *counts = budget_alloc(budget, size * sizeof(uint64_t));

	if (!counts)
		return AGGREGATE_OUT_OF_BUDGET;
	memset(counts, 0, size * sizeof(uint64_t));
	for (uint32_t i = 0; i < bins->size; i++) {
		int64_t at = (int64_t)bins->first + i - first;

		if (bins->counts[i]) /* unused room at the top may be past `last` */
			counts[at < 0 ? 0 : at] += bins->counts[i];
	}
	budget_free(budget, bins->counts, bins->size * sizeof(uint64_t));
	*bins = (struct bins){counts, first, size};
	return 0;
}

/* Highest index with a count; bins is not empty. */
static int32_t bins_top(const struct bins *bins)
{
	uint32_t i = bins->size;

	while (i > 1 && !bins->counts[i - 1])
		i--;
	return bins->first + (int32_t)i - 1;
}

/*
 * The range that holds `index` too, with some room, at most DDSKETCH_BINS_MAX wide. The lowest bin that may be is
 * counted from the highest one in use, so that states combine to the same bins in any order.
 */
static int bins_extend(struct bins *bins, int32_t index, struct budget *budget)
{
	int32_t first = index, last = index, top = index, lowest;

	if (bins->size) {
		top = bins_top(bins) > index ? bins_top(bins) : index;
		first = bins->first < index ? bins->first : index - BINS_STEP;
		last = bins->first + (int32_t)bins->size - 1;
	}
	if (last < index)
		last = index + BINS_STEP;
	lowest = top - DDSKETCH_BINS_MAX + 1;
	if (first < lowest)
		first = lowest;
	if (last >= first + DDSKETCH_BINS_MAX)
		last = first + DDSKETCH_BINS_MAX - 1;
	if (last < top)
		last = top;
	if (bins->size && first == bins->first && last == bins->first + (int32_t)bins->size - 1)
		return 0;
	return bins_reshape(bins, first, last, budget);
}

static inline int bins_add(struct bins *bins, int32_t index, uint64_t count, struct budget *budget)
{
	int64_t at = (int64_t)index - bins->first;

	if (at < 0 || at >= bins->size) {
		if (bins_extend(bins, index, budget) < 0)
			return AGGREGATE_OUT_OF_BUDGET;
		at = (int64_t)index - bins->first;
		at = at < 0 ? 0 : at;
	}
	bins->counts[at] += count;
	return 0;
}

static inline int sketch_add(struct sketch *sketch, double value, struct budget *budget)
{
	if (value > 0 && value <= __DBL_MAX__)
		return bins_add(&sketch->positive, bin_of(value), 1, budget);
	if (value < 0 && value >= -__DBL_MAX__)
		return bins_add(&sketch->negative, bin_of(-value), 1, budget);
	if (value == 0)
		sketch->zero++;
	else if (value != value)
		sketch->nan++;
	else if (value > 0)
		sketch->plus_infinity++;
	else
		sketch->minus_infinity++;
	return 0;
}

#define SKETCH_UPDATE(name, member)                                                                                    \
	static int name(void *const *states, const struct column *column, const uint32_t *rows, size_t n,              \
	                struct budget *budget, size_t *ret_done, struct error *err)                                    \
	{                                                                                                              \
		(void)err;                                                                                             \
		for (size_t i = 0; i < n; i++) {                                                                       \
			if (sketch_add(states[i], (double)column->member[rows[i]], budget) < 0) {                      \
				*ret_done = i;                                                                         \
				return AGGREGATE_OUT_OF_BUDGET;                                                        \
			}                                                                                              \
		}                                                                                                      \
		*ret_done = n;                                                                                         \
		return 0;                                                                                              \
	}

SKETCH_UPDATE(int_update, ints)
SKETCH_UPDATE(bigint_update, bigints)
SKETCH_UPDATE(double_update, doubles)

static int bins_combine(struct bins *bins, const struct bins *more, struct budget *budget)
{
	/* From the top, so that the range is right before the low bins come. */
	for (uint32_t i = more->size; i-- > 0;)
		if (more->counts[i] && bins_add(bins, more->first + (int32_t)i, more->counts[i], budget) < 0)
			return AGGREGATE_OUT_OF_BUDGET;
	return 0;
}

static int sketch_combine(void *state, const void *other, struct budget *budget, struct error *err)
{
	struct sketch *sketch = state;
	const struct sketch *more = other;

	(void)err;
	if (bins_combine(&sketch->positive, &more->positive, budget) < 0 ||
	    bins_combine(&sketch->negative, &more->negative, budget) < 0)
		return AGGREGATE_OUT_OF_BUDGET;
	sketch->zero += more->zero;
	sketch->nan += more->nan;
	sketch->plus_infinity += more->plus_infinity;
	sketch->minus_infinity += more->minus_infinity;
	return 0;
}

static uint64_t bins_total(const struct bins *bins)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < bins->size; i++)
		total += bins->counts[i];
	return total;
}

/* The value of rank `rank` (from 0) in the sorted order: negatives by falling magnitude, zero, positives. */
static double sketch_value(const struct sketch *sketch, uint64_t rank)
{
	if (rank < sketch->minus_infinity)
		return -INFINITY;
	rank -= sketch->minus_infinity;
	for (uint32_t i = sketch->negative.size; i-- > 0;) {
		if (rank < sketch->negative.counts[i])
			return -bin_value(sketch->negative.first + (int32_t)i);
		rank -= sketch->negative.counts[i];
	}
	if (rank < sketch->zero)
		return 0;
	rank -= sketch->zero;
	for (uint32_t i = 0; i < sketch->positive.size; i++) {
		if (rank < sketch->positive.counts[i])
			return bin_value(sketch->positive.first + (int32_t)i);
		rank -= sketch->positive.counts[i];
	}
	return rank < sketch->plus_infinity ? INFINITY : NAN;
}

static int sketch_finalize(const void *state, double parameter, struct value *ret_value, struct error *err)
{
	const struct sketch *sketch = state;
	uint64_t rows = bins_total(&sketch->positive) + bins_total(&sketch->negative) + sketch->zero +
	                sketch->minus_infinity + sketch->plus_infinity + sketch->nan;

	(void)err;
	*ret_value = (struct value){.type = TYPE_DOUBLE, .null = !rows};
	if (rows)
		ret_value->real = sketch_value(sketch, (uint64_t)(parameter * (double)(rows - 1)));
	return 0;
}

static void bins_save(const struct bins *bins, struct buffer *out)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < bins->size; i++)
		used += bins->counts[i] != 0;
	save_word(out, used);
	for (uint32_t i = bins->size; i-- > 0;) {
		if (!bins->counts[i])
			continue;
		save_word(out, (uint64_t)((int64_t)bins->first + i));
		save_word(out, bins->counts[i]);
	}
}

static int bins_load(struct bins *bins, struct slice *in, struct budget *budget, struct error *err)
{
	uint64_t used, index, count;
	int64_t above = 40001, top = 0;

	if (load_word(in, &used, err) < 0)
		return -1;
	if (used > DDSKETCH_BINS_MAX)
		return error_set(err, "a saved percentile has %llu bins; at most %d are possible",
		                 (unsigned long long)used, DDSKETCH_BINS_MAX);
	for (uint64_t i = 0; i < used; i++) {
		if (load_word(in, &index, err) < 0 || load_word(in, &count, err) < 0)
			return -1;
		if (!i)
			top = (int64_t)index;
		if ((int64_t)index < -40000 || (int64_t)index >= above || top - (int64_t)index >= DDSKETCH_BINS_MAX ||
		    !count)
			return error_set(err, "a saved percentile has a bin that is empty or not in its place");
		above = (int64_t)index;
		if (bins_add(bins, (int32_t)index, count, budget) < 0)
			return AGGREGATE_OUT_OF_BUDGET;
	}
	return 0;
}

static void sketch_save(const void *state, struct buffer *out)
{
	const struct sketch *sketch = state;

	save_word(out, sketch->zero);
	save_word(out, sketch->nan);
	save_word(out, sketch->plus_infinity);
	save_word(out, sketch->minus_infinity);
	bins_save(&sketch->positive, out);
	bins_save(&sketch->negative, out);
}

static int sketch_load(void *state, struct slice *in, struct budget *budget, struct error *err)
{
	struct sketch *sketch = state;
	int result;

	if (load_word(in, &sketch->zero, err) < 0 || load_word(in, &sketch->nan, err) < 0 ||
	    load_word(in, &sketch->plus_infinity, err) < 0 || load_word(in, &sketch->minus_infinity, err) < 0)
		return -1;
	result = bins_load(&sketch->positive, in, budget, err);
	return result < 0 ? result : bins_load(&sketch->negative, in, budget, err);
}

#define PERCENTILE(name, type_, update_)                                                                               \
	const struct aggregate name = {                                                                                \
	        .kind = AGGREGATE_PERCENTILE,                                                                          \
	        .argument = type_,                                                                                     \
	        .state_size = sizeof(struct sketch),                                                                   \
	        .init = sketch_init,                                                                                   \
	        .update = update_,                                                                                     \
	        .combine = sketch_combine,                                                                             \
	        .finalize = sketch_finalize,                                                                           \
	        .save = sketch_save,                                                                                   \
	        .load = sketch_load,                                                                                   \
	        .release = sketch_release,                                                                             \
	};

PERCENTILE(percentile_int, TYPE_INT, int_update)
PERCENTILE(percentile_bigint, TYPE_BIGINT, bigint_update)
PERCENTILE(percentile_double, TYPE_DOUBLE, double_update)
