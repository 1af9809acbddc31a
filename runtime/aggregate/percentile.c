/*
 * PERCENTILE(x, p): DDSketch (Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch with
 * relative-error guarantees", VLDB 2019). A value's bin is floor(BINS_A_DOUBLING * f(value)), where f interpolates log2
 * between powers of two with a cubic whose slope is at least 10/7 of that of the identity in relative terms: the ratio
 * of a bin's edges is at most (1 + 0.01) / (1 - 0.01), so its middle is within 1 % of every value in it.
 *
 * No bin is ever folded into another one (docs/decisions/percentile-bins.md). The bins of positive values and those of
 * negative ones lie in pages of PAGE_BINS, made when the first value comes, behind a directory that goes from the
 * lowest page in use to the highest: every double has its bin, and the pages count against the budget. NaN sorts above
 * everything, as in PostgreSQL.
 */
#include <math.h>

#include "runtime/aggregate/implementations.h"
#include "runtime/aggregate/state_bytes.h"

#define BINS_A_DOUBLING 35.0 /* at least 0.7 / ln((1 + e) / (1 - e)) = 34.998… */
#define CUBIC_A         (6.0 / 35.0)
#define CUBIC_B         (-3.0 / 5.0)
#define CUBIC_C         (10.0 / 7.0)
#define BIN_MIN         (-1074 * 35) /* of the smallest subnormal */
#define BIN_MAX         (1024 * 35)  /* where the largest doubles are rounded to */
#define PAGE_BINS       32           /* a power of two */
#define PAGE_BYTES      (PAGE_BINS * sizeof(uint64_t))
#define PAGES_STEP      2 /* the directory grows by so many more than it must */

struct bins {
	uint64_t **pages; /* NULL: a page without values */
	int32_t first;    /* number of pages[0]: that of a bin is bin / PAGE_BINS, rounded down */
	uint32_t size;
};

struct sketch {
	struct bins positive, negative; /* the latter by magnitude */
	uint64_t zero, minus_infinity, plus_infinity, nan;
};

static void sketch_init(void *state, struct state_place place)
{
	(void)place;
	*(struct sketch *)state = (struct sketch){0};
}

static void bins_release(struct bins *bins, struct budget *budget)
{
	for (uint32_t i = 0; i < bins->size; i++)
		budget_free(budget, bins->pages[i], PAGE_BYTES);
	budget_free(budget, bins->pages, bins->size * sizeof(uint64_t *));
	*bins = (struct bins){0};
}

static void sketch_release(void *state, struct budget *budget)
{
	struct sketch *sketch = state;

	bins_release(&sketch->positive, budget);
	bins_release(&sketch->negative, budget);
}

/* Of a finite value above zero. */
static inline int32_t bin_of(double value)
{
	uint64_t bits;
	double exponent, s, f;

	memcpy(&bits, &value, sizeof(bits));
	exponent = (double)((int64_t)(bits >> 52) - 1023);
	if (__builtin_expect(!(bits >> 52), 0)) { /* subnormal */
		value *= 0x1p52;
		memcpy(&bits, &value, sizeof(bits));
		exponent = (double)((int64_t)(bits >> 52) - 1023 - 52);
	}
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

	if (isinf(low))
		return __DBL_MAX__;
	return isinf(high) ? low : low * (2 / (1 + low / high));
}

/* The directory goes from `first` to before `end` too. */
static int directory_extend(struct bins *bins, int32_t page, struct budget *budget)
{
	int32_t first = page, end = page + 1;
	uint64_t **pages;

	if (bins->size) {
		first = page < bins->first ? page - PAGES_STEP : bins->first;
		end = bins->first + (int32_t)bins->size;
		end = page >= end ? page + 1 + PAGES_STEP : end;
	}
	pages = budget_alloc(budget, (size_t)(end - first) * sizeof(uint64_t *));
	if (!pages)
		return AGGREGATE_OUT_OF_BUDGET;
	memset(pages, 0, (size_t)(end - first) * sizeof(uint64_t *));
	if (bins->size)
		memcpy(pages + (bins->first - first), bins->pages, bins->size * sizeof(uint64_t *));
	budget_free(budget, bins->pages, bins->size * sizeof(uint64_t *));
	*bins = (struct bins){pages, first, (uint32_t)(end - first)};
	return 0;
}

static int page_make(struct bins *bins, int32_t page, struct budget *budget)
{
	uint32_t at = (uint32_t)(page - bins->first);
	uint64_t *counts;

	if (at >= bins->size && directory_extend(bins, page, budget) < 0)
		return AGGREGATE_OUT_OF_BUDGET;
	counts = budget_alloc(budget, PAGE_BYTES);
	if (!counts)
		return AGGREGATE_OUT_OF_BUDGET;
	memset(counts, 0, PAGE_BYTES);
	bins->pages[page - bins->first] = counts;
	return 0;
}

static inline int bins_add(struct bins *bins, int32_t bin, uint64_t count, struct budget *budget)
{
	int32_t page = bin >> __builtin_ctz(PAGE_BINS);
	uint32_t at = (uint32_t)(page - bins->first);

	if (at >= bins->size || !bins->pages[at]) {
		if (page_make(bins, page, budget) < 0)
			return AGGREGATE_OUT_OF_BUDGET;
		at = (uint32_t)(page - bins->first);
	}
	bins->pages[at][bin & (PAGE_BINS - 1)] += count;
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
	static int name(const struct aggregate_run *run, void *const *states, const struct column *const *columns,     \
	                const uint32_t *rows, size_t n, size_t *ret_done, struct error *err)                           \
	{                                                                                                              \
		(void)err;                                                                                             \
		for (size_t i = 0; i < n; i++) {                                                                       \
			if (sketch_add(states[i], (double)columns[0]->member[rows[i]], run->budget) < 0) {             \
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
	for (uint32_t at = 0; at < more->size; at++) {
		int32_t bin = (more->first + (int32_t)at) * PAGE_BINS;

		for (uint32_t i = 0; more->pages[at] && i < PAGE_BINS; i++)
			if (more->pages[at][i] && bins_add(bins, bin + (int32_t)i, more->pages[at][i], budget) < 0)
				return AGGREGATE_OUT_OF_BUDGET;
	}
	return 0;
}

static int add_all(struct sketch *sketch, const struct sketch *more, struct budget *budget)
{
	if (bins_combine(&sketch->positive, &more->positive, budget) < 0 ||
	    bins_combine(&sketch->negative, &more->negative, budget) < 0)
		return AGGREGATE_OUT_OF_BUDGET;
	sketch->zero += more->zero;
	sketch->nan += more->nan;
	sketch->plus_infinity += more->plus_infinity;
	sketch->minus_infinity += more->minus_infinity;
	return 0;
}

static int sketch_combine(const struct aggregate_run *run, void *const *states, void *const *others, size_t n,
                          struct error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++)
		if (add_all(states[i], others[i], run->budget) < 0)
			return AGGREGATE_OUT_OF_BUDGET;
	return 0;
}

static uint64_t page_total(const uint64_t *counts)
{
	uint64_t total = 0;

	for (uint32_t i = 0; counts && i < PAGE_BINS; i++)
		total += counts[i];
	return total;
}

static uint64_t bins_total(const struct bins *bins)
{
	uint64_t total = 0;

	for (uint32_t at = 0; at < bins->size; at++)
		total += page_total(bins->pages[at]);
	return total;
}

/* The bin of the value of rank `rank` (from 0) by magnitude; there are more values than that. */
static int32_t bin_of_rank(const struct bins *bins, uint64_t rank)
{
	uint32_t at = 0, i = 0;

	for (uint64_t total; (total = page_total(bins->pages[at])) <= rank; at++)
		rank -= total;
	for (; bins->pages[at][i] <= rank; i++)
		rank -= bins->pages[at][i];
	return (bins->first + (int32_t)at) * PAGE_BINS + (int32_t)i;
}

/* The value of rank `rank` (from 0) in the sorted order: negatives by falling magnitude, zero, positives. */
static double sketch_value(const struct sketch *sketch, uint64_t rank)
{
	uint64_t negative = bins_total(&sketch->negative), positive = bins_total(&sketch->positive);

	if (rank < sketch->minus_infinity)
		return -INFINITY;
	rank -= sketch->minus_infinity;
	if (rank < negative)
		return -bin_value(bin_of_rank(&sketch->negative, negative - 1 - rank));
	rank -= negative;
	if (rank < sketch->zero)
		return 0;
	rank -= sketch->zero;
	if (rank < positive)
		return bin_value(bin_of_rank(&sketch->positive, rank));
	rank -= positive;
	return rank < sketch->plus_infinity ? INFINITY : NAN;
}

static struct value percentile(const struct sketch *sketch, double fraction)
{
	uint64_t rows = bins_total(&sketch->positive) + bins_total(&sketch->negative) + sketch->zero +
	                sketch->minus_infinity + sketch->plus_infinity + sketch->nan;

	if (!rows)
		return (struct value){.type = TYPE_DOUBLE, .null = true};
	return (struct value){.type = TYPE_DOUBLE,
	                      .real = sketch_value(sketch, (uint64_t)(fraction * (double)(rows - 1)))};
}

static int sketch_finalize(const struct aggregate_run *run, void *const *states, size_t n, struct column *results,
                           struct error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++)
		column_set(results, i, percentile(states[i], run->call->parameter));
	return 0;
}

/* How many bins have values, then each with its count. */
static void bins_save(const struct bins *bins, struct buffer *out)
{
	uint64_t used = 0;

	for (uint32_t at = 0; at < bins->size; at++)
		for (uint32_t i = 0; bins->pages[at] && i < PAGE_BINS; i++)
			used += bins->pages[at][i] != 0;
	save_word(out, used);
	for (uint32_t at = 0; at < bins->size; at++) {
		int64_t bin = ((int64_t)bins->first + at) * PAGE_BINS;

		for (uint32_t i = 0; bins->pages[at] && i < PAGE_BINS; i++) {
			if (!bins->pages[at][i])
				continue;
			save_word(out, (uint64_t)(bin + i));
			save_word(out, bins->pages[at][i]);
		}
	}
}

static int bins_load(struct bins *bins, struct slice *in, struct budget *budget, struct error *err)
{
	uint64_t used, word, count;
	int64_t below = BIN_MIN - 1;

	if (load_word(in, &used, err) < 0)
		return -1;
	for (uint64_t i = 0; i < used; i++) {
		if (load_word(in, &word, err) < 0 || load_word(in, &count, err) < 0)
			return -1;
		if ((int64_t)word <= below || (int64_t)word > BIN_MAX || !count)
			return error_set(err, "a saved percentile has a bin that is empty or not in its place");
		below = (int64_t)word;
		if (bins_add(bins, (int32_t)below, count, budget) < 0)
			return AGGREGATE_OUT_OF_BUDGET;
	}
	return 0;
}

static int sketch_save(const struct aggregate_run *run, const void *state, struct buffer *out, struct error *err)
{
	const struct sketch *sketch = state;

	(void)run;
	(void)err;
	save_word(out, sketch->zero);
	save_word(out, sketch->nan);
	save_word(out, sketch->plus_infinity);
	save_word(out, sketch->minus_infinity);
	bins_save(&sketch->positive, out);
	bins_save(&sketch->negative, out);
	return 0;
}

static int sketch_load(const struct aggregate_run *run, void *state, struct slice *in, struct error *err)
{
	struct sketch *sketch = state;
	int result;

	if (load_word(in, &sketch->zero, err) < 0 || load_word(in, &sketch->nan, err) < 0 ||
	    load_word(in, &sketch->plus_infinity, err) < 0 || load_word(in, &sketch->minus_infinity, err) < 0)
		return -1;
	result = bins_load(&sketch->positive, in, run->budget, err);
	return result < 0 ? result : bins_load(&sketch->negative, in, run->budget, err);
}

#define PERCENTILE(name, update_)                                                                                      \
	static const struct aggregate name = {                                                                         \
	        .state_size = sizeof(struct sketch),                                                                   \
	        .init = sketch_init,                                                                                   \
	        .update = update_,                                                                                     \
	        .combine = sketch_combine,                                                                             \
	        .finalize = sketch_finalize,                                                                           \
	        .save = sketch_save,                                                                                   \
	        .load = sketch_load,                                                                                   \
	        .release = sketch_release,                                                                             \
	};

PERCENTILE(percentile_int, int_update)
PERCENTILE(percentile_bigint, bigint_update)
PERCENTILE(percentile_double, double_update)

const struct aggregate_types percentile_aggregate = {
        .of = {[TYPE_INT] = &percentile_int, [TYPE_BIGINT] = &percentile_bigint, [TYPE_DOUBLE] = &percentile_double}};
