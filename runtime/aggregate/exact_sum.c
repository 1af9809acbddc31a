#include "runtime/aggregate/exact_sum.h"

#include <math.h>

#include "runtime/aggregate/aggregate.h"
#include "runtime/aggregate/state_bytes.h"

#define LIMB_BITS  32
#define LIMB_MASK  INT64_C(0xffffffff)
#define LOWEST_BIT (-1074) /* the power of two that limb 0 begins with */
#define FAR_BYTES  (SUM_LIMBS * sizeof(int64_t))

void exact_sum_init(struct exact_sum *sum)
{
	*sum = (struct exact_sum){.first = SUM_LIMBS};
}

void exact_sum_release(struct exact_sum *sum, struct budget *budget)
{
	budget_free(budget, sum->far, FAR_BYTES);
	exact_sum_init(sum);
}

static int move_far(struct exact_sum *sum, struct budget *budget)
{
	int64_t *far = budget_alloc(budget, FAR_BYTES);

	if (!far)
		return AGGREGATE_OUT_OF_BUDGET;
	memset(far, 0, FAR_BYTES);
	if (sum->first < SUM_LIMBS)
		memcpy(far + sum->first, sum->near, sizeof(sum->near));
	sum->far = far;
	return 0;
}

/* What a limb has beyond 32 bits goes to the next one; the last keeps all. */
static void carry(int64_t *limbs, size_t count)
{
	for (size_t i = 0; i + 1 < count; i++) {
		limbs[i + 1] += limbs[i] >> LIMB_BITS;
		limbs[i] &= LIMB_MASK;
	}
}

/* Every limb is as if one value had been added. */
static int carry_all(struct exact_sum *sum, struct budget *budget)
{
	if (!sum->far) {
		int64_t top;

		carry(sum->near, NEAR_LIMBS);
		top = sum->near[NEAR_LIMBS - 1];
		if ((top > LIMB_MASK || top < -LIMB_MASK) && move_far(sum, budget) < 0)
			return AGGREGATE_OUT_OF_BUDGET;
	}
	if (sum->far)
		carry(sum->far, SUM_LIMBS);
	sum->adds = 1;
	return 0;
}

/* Where the limbs are that are not zero: [*ret_low, *ret_end), counted as all are. False: none is. */
static bool near_range(const struct exact_sum *sum, uint32_t *ret_low, uint32_t *ret_end)
{
	uint32_t low = 0, end = NEAR_LIMBS;

	while (end && !sum->near[end - 1])
		end--;
	while (low < end && !sum->near[low])
		low++;
	if (low == end)
		return false;
	*ret_low = sum->first + low;
	*ret_end = sum->first + end;
	return true;
}

/* The near limbs get a place where [low, end) is among them; else all limbs come. */
static int make_room(struct exact_sum *sum, uint32_t low, uint32_t end, struct budget *budget)
{
	uint32_t used_low = 0, used_end = 0;
	int64_t moved[NEAR_LIMBS] = {0};

	if (sum->far || (low >= sum->first && end <= (uint32_t)sum->first + NEAR_LIMBS))
		return 0;
	if (near_range(sum, &used_low, &used_end)) {
		low = used_low < low ? used_low : low;
		end = used_end > end ? used_end : end;
	} else if (low > 0 && end - low < NEAR_LIMBS) {
		low--; /* somewhat smaller values are as likely as larger ones */
	}
	if (end - low > NEAR_LIMBS)
		return move_far(sum, budget);
	if (low > SUM_LIMBS - NEAR_LIMBS)
		low = SUM_LIMBS - NEAR_LIMBS;
	for (uint32_t i = used_low; i < used_end; i++)
		moved[i - low] = sum->near[i - sum->first];
	memcpy(sum->near, moved, sizeof(moved));
	sum->first = (uint16_t)low;
	return 0;
}

static void add_limb(struct exact_sum *sum, uint32_t at, int64_t limb)
{
	if (limb)
		*(sum->far ? &sum->far[at] : &sum->near[at - sum->first]) += limb;
}

int exact_sum_add_slowly(struct exact_sum *sum, double value, struct budget *budget)
{
	struct value_limbs limbs = value_limbs(value);
	uint32_t low, end;

	if (!isfinite(value)) {
		sum->special |= isnan(value) ? SUM_NAN : value > 0 ? SUM_PLUS_INFINITY : SUM_MINUS_INFINITY;
		return 0;
	}
	low = limbs.at + (limbs.low ? 0 : limbs.middle ? 1 : 2);
	end = limbs.at + (limbs.high ? 3 : limbs.middle ? 2 : 1);
	if ((sum->adds >= ADDS_MAX && carry_all(sum, budget) < 0) || make_room(sum, low, end, budget) < 0)
		return AGGREGATE_OUT_OF_BUDGET;
	add_limb(sum, limbs.at, ((int64_t)limbs.low ^ limbs.sign) - limbs.sign);
	add_limb(sum, limbs.at + 1, ((int64_t)limbs.middle ^ limbs.sign) - limbs.sign);
	add_limb(sum, limbs.at + 2, ((int64_t)limbs.high ^ limbs.sign) - limbs.sign);
	sum->adds++;
	return 0;
}

int exact_sum_combine(struct exact_sum *sum, const struct exact_sum *more, struct budget *budget)
{
	uint32_t low = 0, end = 0;

	if (sum->adds + more->adds > ADDS_MAX && carry_all(sum, budget) < 0)
		return AGGREGATE_OUT_OF_BUDGET;
	if (more->far && !sum->far && move_far(sum, budget) < 0)
		return AGGREGATE_OUT_OF_BUDGET;
	if (!more->far && near_range(more, &low, &end) && make_room(sum, low, end, budget) < 0)
		return AGGREGATE_OUT_OF_BUDGET;
	for (uint32_t i = 0; more->far && i < SUM_LIMBS; i++)
		sum->far[i] += more->far[i];
	for (uint32_t i = low; i < end; i++)
		add_limb(sum, i, more->near[i - more->first]);
	sum->adds += more->adds;
	sum->special |= more->special;
	return 0;
}

uint32_t exact_sum_limbs(const struct exact_sum *sum, bool *ret_negative, uint32_t ret_limbs[SUM_LIMBS])
{
	int64_t limbs[SUM_LIMBS] = {0};
	uint32_t count = SUM_LIMBS;

	if (sum->far)
		memcpy(limbs, sum->far, sizeof(limbs));
	else if (sum->first < SUM_LIMBS)
		memcpy(limbs + sum->first, sum->near, sizeof(sum->near));
	carry(limbs, SUM_LIMBS);
	*ret_negative = limbs[SUM_LIMBS - 1] < 0;
	for (size_t i = 0; i < SUM_LIMBS && *ret_negative; i++)
		limbs[i] = -limbs[i];
	carry(limbs, SUM_LIMBS);
	for (size_t i = 0; i < SUM_LIMBS; i++)
		ret_limbs[i] = (uint32_t)limbs[i];
	while (count && !ret_limbs[count - 1])
		count--;
	return count;
}

/* The top 64 bits, the lowest of which is also set where anything below is: what that rounds to is right. */
static double rounded(const uint32_t *limbs, uint32_t count)
{
	uint32_t top = count - 1, below = limbs[top - 2];
	int shift = __builtin_clz(limbs[top]);
	uint64_t word = ((uint64_t)limbs[top] << LIMB_BITS | limbs[top - 1]) << shift;
	bool rest = (below << shift) != 0;

	word |= (uint64_t)below << shift >> LIMB_BITS;
	for (uint32_t i = 0; i + 2 < top; i++)
		rest = rest || limbs[i];
	return ldexp((double)(word | rest), (int)(top - 1) * LIMB_BITS - shift + LOWEST_BIT);
}

double exact_sum_value(const struct exact_sum *sum)
{
	uint32_t limbs[SUM_LIMBS], count;
	bool negative;
	double value;

	if (sum->special)
		return sum->special == SUM_PLUS_INFINITY    ? INFINITY
		       : sum->special == SUM_MINUS_INFINITY ? -INFINITY
		                                            : NAN;
	count = exact_sum_limbs(sum, &negative, limbs);
	value = count > 2 ? rounded(limbs, count)
	                  : ldexp((double)((uint64_t)limbs[1] << LIMB_BITS | limbs[0]), LOWEST_BIT);
	return negative ? -value : value;
}

/* magnitude * 2^LOWEST_BIT / rows, the quotient below 2^52: ldexp would round what is below a subnormal's last bit
 * again.
 */
static double subnormal_mean(unsigned __int128 magnitude, uint64_t rows)
{
	uint64_t quotient = (uint64_t)(magnitude / rows), left = (uint64_t)(magnitude % rows);

	quotient += left > rows - left || (left == rows - left && quotient & 1);
	return ldexp((double)quotient, LOWEST_BIT);
}

/* The top 128 bits are at least 64 of the quotient. */
static double mean(const uint32_t *top, const uint32_t *limbs, uint32_t count, uint64_t rows)
{
	int shift = __builtin_clz(*top);
	unsigned __int128 word = 0;
	bool rest;

	for (int i = 0; i < 4; i++)
		word = word << LIMB_BITS | top[-i];
	if (count <= 4 && (word >> (4 - count) * LIMB_BITS) / rows >> 52 == 0)
		return subnormal_mean(word >> (4 - count) * LIMB_BITS, rows);
	word = word << shift | (uint64_t)top[-4] << shift >> LIMB_BITS;
	rest = (uint32_t)(top[-4] << shift) != 0 || word % rows;
	for (const uint32_t *below = limbs; below < top - 4; below++)
		rest = rest || *below;
	return ldexp((double)(word / rows | rest), ((int)count - 4) * LIMB_BITS - shift + LOWEST_BIT);
}

double exact_sum_mean(const struct exact_sum *sum, int64_t rows)
{
	uint32_t limbs[4 + SUM_LIMBS] = {0}, count; /* with zeros below the lowest */
	bool negative;
	double value;

	count = exact_sum_limbs(sum, &negative, limbs + 4);
	value = count ? mean(limbs + 4 + count - 1, limbs, count, (uint64_t)rows) : 0;
	return negative ? -value : value;
}

/* special, sign, how many limbs, the place of the lowest that is not zero, and the limbs from there on. */
void exact_sum_save(const struct exact_sum *sum, struct buffer *out)
{
	uint32_t limbs[SUM_LIMBS], low = 0, count;
	bool negative;

	count = exact_sum_limbs(sum, &negative, limbs);
	while (low < count && !limbs[low])
		low++;
	save_word(out, sum->special);
	save_word(out, negative);
	save_word(out, count - low);
	save_word(out, low);
	for (uint32_t i = low; i < count; i++)
		save_word(out, limbs[i]);
}

static int load_limb(struct slice *in, bool at_end, uint64_t *ret_limb, struct error *err)
{
	if (load_word(in, ret_limb, err) < 0)
		return -1;
	if (*ret_limb > (uint64_t)LIMB_MASK || (at_end && !*ret_limb))
		return error_set(err, "a saved sum has %llu for a part of it", (unsigned long long)*ret_limb);
	return 0;
}

int exact_sum_load(struct exact_sum *sum, struct slice *in, struct budget *budget, struct error *err)
{
	uint64_t special, count, low, limb;
	bool negative;

	if (load_word(in, &special, err) < 0 || load_flag(in, &negative, err) < 0 || load_word(in, &count, err) < 0 ||
	    load_word(in, &low, err) < 0)
		return -1;
	if (special > (SUM_MINUS_INFINITY | SUM_PLUS_INFINITY | SUM_NAN) || count > SUM_LIMBS ||
	    low > SUM_LIMBS - count || (!count && (low || negative)))
		return error_set(err, "a saved sum has parts that no sum has");
	if (count && make_room(sum, (uint32_t)low, (uint32_t)(low + count), budget) < 0)
		return AGGREGATE_OUT_OF_BUDGET;
	sum->special = (uint16_t)special;
	sum->adds = 1;
	for (uint64_t i = 0; i < count; i++) {
		if (load_limb(in, i == 0 || i + 1 == count, &limb, err) < 0)
			return -1;
		add_limb(sum, (uint32_t)(low + i), negative ? -(int64_t)limb : (int64_t)limb);
	}
	return 0;
}
