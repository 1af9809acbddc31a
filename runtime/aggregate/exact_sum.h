/*
 * The exact sum of doubles: the same for any order and grouping of the additions, rounded once when it is read.
 *
 * A double is a multiple of 2^-1074 below 2^1024, so a fixed-point number of 2,098 bits holds it; sums of 2^63 of them
 * take 63 bits more (a long accumulator: Kulisch, "Computer Arithmetic and Validity", 2008; in parts that need no carry
 * at each addition: Neal, "Fast exact summation using small and large superaccumulators", 2015). Here the parts are
 * limbs of 32 bits in 64-bit words. Most sums need few: NEAR_LIMBS that are next to each other lie in the state, at the
 * place where the data is; all of them come out of the budget when the data is wider than that (some thirty decades).
 *
 * NaN and infinities are kept apart. Inside runtime/aggregate only.
 */
#ifndef STREAMJOB_EXACT_SUM_H
#define STREAMJOB_EXACT_SUM_H

#include <math.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"

#define NEAR_LIMBS  5
#define SUM_LIMBS   68
#define VALUE_LIMBS 3                   /* of one value: 53 bits at any place */
#define ADDS_MAX    (UINT32_C(1) << 30) /* before the next carry: no limb is past 2^32 times the additions */

enum { SUM_MINUS_INFINITY = 1, SUM_PLUS_INFINITY = 2, SUM_NAN = 4 };

struct exact_sum {
	int64_t near[NEAR_LIMBS]; /* limb `first` and those above it */
	int64_t *far;             /* SUM_LIMBS of them, instead; or NULL */
	uint32_t adds;            /* since the last carry */
	uint16_t first;           /* SUM_LIMBS: no place yet */
	uint16_t special;
};

struct value_limbs {
	uint64_t low, middle, high; /* 32 bits each */
	int64_t sign;               /* 0, or -1: negative */
	uint32_t at;                /* the limb of `low` */
};

void exact_sum_init(struct exact_sum *sum);
void exact_sum_release(struct exact_sum *sum, struct budget *budget);
/* As exact_sum_add, which calls it where the value has no place yet. */
int exact_sum_add_slowly(struct exact_sum *sum, double value, struct budget *budget);
/* The same. */
int exact_sum_combine(struct exact_sum *sum, const struct exact_sum *more, struct budget *budget);
/* The nearest double, ties to even; an infinity where the sum is past the largest one. */
double exact_sum_value(const struct exact_sum *sum);
/* Of a finite sum: divided by rows > 0, then rounded. */
double exact_sum_mean(const struct exact_sum *sum, int64_t rows);
/* The finite sum as a sign and limbs, limb i times 2^(32 i - 1074); returns how many there are below the zeros on top.
 */
uint32_t exact_sum_limbs(const struct exact_sum *sum, bool *ret_negative, uint32_t ret_limbs[SUM_LIMBS]);
void exact_sum_save(const struct exact_sum *sum, struct buffer *out);
int exact_sum_load(struct exact_sum *sum, struct slice *in, struct budget *budget, struct error *err);

/* Of a finite value. */
static inline struct value_limbs value_limbs(double value)
{
	uint64_t bits, exponent, mantissa;
	unsigned __int128 shifted;

	memcpy(&bits, &value, sizeof(bits));
	exponent = bits >> 52 & 0x7ff;
	mantissa = (bits & 0x000fffffffffffffu) | (uint64_t)(exponent != 0) << 52;
	exponent -= exponent != 0; /* subnormals have the place of the smallest exponent */
	shifted = (unsigned __int128)mantissa << (exponent & 31);
	return (struct value_limbs){.low = (uint32_t)shifted,
	                            .middle = (uint32_t)(shifted >> 32),
	                            .high = (uint64_t)(shifted >> 64),
	                            .sign = (int64_t)bits >> 63,
	                            .at = (uint32_t)(exponent >> 5)};
}

/* 0 or AGGREGATE_OUT_OF_BUDGET; the sum is then as it was. */
static inline int exact_sum_add(struct exact_sum *sum, double value, struct budget *budget)
{
	struct value_limbs limbs = value_limbs(value);
	int64_t sign = limbs.sign, *near;

	if (limbs.at - sum->first > NEAR_LIMBS - VALUE_LIMBS || sum->adds >= ADDS_MAX || sum->far || !isfinite(value))
		return value == 0 ? 0 : exact_sum_add_slowly(sum, value, budget);
	near = sum->near + (limbs.at - sum->first);
	near[0] += ((int64_t)limbs.low ^ sign) - sign;
	near[1] += ((int64_t)limbs.middle ^ sign) - sign;
	near[2] += ((int64_t)limbs.high ^ sign) - sign;
	sum->adds++;
	return 0;
}

#endif
