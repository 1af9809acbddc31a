/*
 * SUM of doubles against another exact algorithm (Shewchuk's expansions, as Python's fsum has them), for data of every
 * width, in any order and any grouping: the same bits.
 */
#include "runtime/aggregate/exact_sum.h"
#include "tests/unit/runtime/aggregate/aggregates.h"

#define VALUES 600
#define ROUNDS 20

static uint64_t seed;

static uint64_t draw(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed ^ seed >> 29) * 0xd6e8feb86659fd93u;
}

/* The sum of what is left of every addition, rounded once: the partials do not overlap. */
static double fsum(const double *values, size_t n)
{
	double partials[VALUES + 1], high = 0, low = 0;
	size_t count = 0, kept;

	for (size_t i = 0; i < n; i++) {
		double x = values[i];

		kept = 0;
		for (size_t p = 0; p < count; p++) {
			double y = partials[p];
			volatile double sum = x + y;
			double large = fabs(x) < fabs(y) ? y : x, small = fabs(x) < fabs(y) ? x : y;
			volatile double virtual = sum - large;
			volatile double rest = small - virtual;

			if (rest != 0)
				partials[kept++] = rest;
			x = sum;
		}
		partials[kept++] = x;
		count = kept;
	}
	while (count && low == 0) {
		double x = high, y = partials[--count];

		high = x + y;
		low = y - (high - x);
	}
	if (count && ((low < 0 && partials[count - 1] < 0) || (low > 0 && partials[count - 1] > 0))) {
		double twice = low * 2, up = high + twice; /* a tie that what is below breaks */

		if (twice == up - high)
			high = up;
	}
	return high;
}

static double unit(void)
{
	return (double)(draw() >> 11) * 0x1p-53;
}

static double latency(void)
{
	return unit() * 300;
}

static double signed_any(void)
{
	return ldexp(draw() & 1 ? 1 + unit() : -1 - unit(), (int)(draw() % 1900) - 1000);
}

static double thirty_decades(void)
{
	return ldexp(unit() - 0.5, (int)(draw() % 100) - 50);
}

static double subnormal(void)
{
	return ldexp((double)(draw() >> 40) - 0x1p23, -1074);
}

static double at_halves(void) /* ties, and what breaks them */
{
	static const double values[] = {1, 0x1p-53, 0x1p-54, 0x1p-106, -0x1p-53, -0x1p-106, 0x1p52, 0x1p53, 3};

	return values[draw() % 9];
}

static double whole(void)
{
	return (double)(int64_t)(draw() % 1000000);
}

static void fill(double *values, double (*next)(void))
{
	for (size_t i = 0; i < VALUES; i++)
		values[i] = next();
	if (draw() & 1) /* all but a few cancel each other out */
		for (size_t i = 0; i < VALUES / 2 - 3; i++)
			values[VALUES - 1 - i] = -values[i];
}

static void shuffle(double *values)
{
	for (size_t i = VALUES - 1; i > 0; i--) {
		size_t with = draw() % (i + 1);
		double kept = values[i];

		values[i] = values[with];
		values[with] = kept;
	}
}

/* In three sums, of which the first takes the others. */
static double sum_in_parts(const double *values)
{
	struct budget budget = {.max_bytes = SIZE_MAX};
	struct exact_sum sums[3];
	double value;

	for (int i = 0; i < 3; i++)
		exact_sum_init(&sums[i]);
	for (size_t i = 0; i < VALUES; i++)
		assert_int_equal(exact_sum_add(&sums[draw() % 3], values[i], &budget), 0);
	assert_int_equal(exact_sum_combine(&sums[1], &sums[2], &budget), 0);
	assert_int_equal(exact_sum_combine(&sums[0], &sums[1], &budget), 0);
	value = exact_sum_value(&sums[0]);
	for (int i = 0; i < 3; i++)
		exact_sum_release(&sums[i], &budget);
	assert_int_equal(budget.used_bytes, 0);
	return value;
}

static void any_order_test(void **state)
{
	static const struct {
		const char *name;
		double (*next)(void);
	} shapes[] = {{"latencies", latency},    {"any double", signed_any}, {"thirty decades", thirty_decades},
	              {"subnormals", subnormal}, {"ties", at_halves},        {"whole numbers", whole}};
	double values[VALUES];

	(void)state;
	seed = 1;
	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
		for (int round = 0; round < ROUNDS; round++) {
			double expected, found;

			fill(values, shapes[s].next);
			expected = fsum(values, VALUES);
			for (int order = 0; order < 3; order++) {
				shuffle(values);
				found = sum_in_parts(values);
				if (found != expected)
					fail_msg("%s, round %d: %.17g, expected %.17g", shapes[s].name, round, found,
					         expected);
			}
		}
	}
}

/* Sums of what needs carries: each is twice the one before, down to an overflow. */
static void doubling_test(void **state)
{
	static const double begins[] = {1.5, -1.5, 0x1.fffffffffffffp-1022, -5e-324, 0x1.8p1000};
	struct budget budget = {.max_bytes = SIZE_MAX};

	(void)state;
	for (size_t b = 0; b < sizeof(begins) / sizeof(begins[0]); b++) {
		double expected = begins[b];
		struct exact_sum sum;

		exact_sum_init(&sum);
		exact_sum_add(&sum, begins[b], &budget);
		for (int i = 0; isfinite(expected); i++) {
			struct exact_sum copy;
			struct buffer bytes;
			struct slice rest;
			struct error err;

			buffer_init(&bytes);
			exact_sum_save(&sum, &bytes);
			rest = buffer_slice(&bytes);
			exact_sum_init(&copy);
			assert_int_equal(exact_sum_load(&copy, &rest, &budget, &err), 0);
			copy.adds = sum.adds; /* as if the copy had come by additions too */
			assert_int_equal(exact_sum_combine(&sum, &copy, &budget), 0);
			exact_sum_release(&copy, &budget);
			buffer_release(&bytes);
			expected *= 2;
			if (exact_sum_value(&sum) != expected)
				fail_msg("%g doubled %d times: %g", begins[b], i + 1, exact_sum_value(&sum));
		}
		exact_sum_release(&sum, &budget);
	}
	assert_int_equal(budget.used_bytes, 0);
}

/* Data that lies together needs no memory beside the state. */
static void near_test(void **state)
{
	struct budget none = {0};
	struct exact_sum sum;

	(void)state;
	exact_sum_init(&sum);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(exact_sum_add(&sum, i % 2 ? latency() : -whole() / 1000, &none), 0);
	exact_sum_release(&sum, &none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(any_order_test), cmocka_unit_test(doubling_test),
	                                   cmocka_unit_test(near_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
