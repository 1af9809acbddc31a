#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "operator/cache/backoff.h"

/* 800 ms doubled to 30 s, between once and twice the bound, never above the last. */
static void growth_test(void **state)
{
	static const int64_t bounds_ms[] = {800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct backoff backoff = {.ms_min = 800, .ms_max = 30000, .reset_ms = 120000, .random = seed};
		int64_t now_ms = 1000;

		for (size_t i = 0; i < sizeof(bounds_ms) / sizeof(bounds_ms[0]); i++) {
			int64_t wait = backoff_next(&backoff, now_ms, 0);
			int64_t least = bounds_ms[i] > 24000 ? 24000 : bounds_ms[i];

			if (wait < least || wait > 2 * bounds_ms[i] || wait > 30000)
				fail_msg("failure %zu: %lld ms", i, (long long)wait);
			now_ms += wait + 50;
		}
	}
}

struct reset_case {
	const char *name;
	int64_t healthy_ms, most_ms, least_ms;
};

static void reset_test(void **state)
{
	static const struct reset_case cases[] = {
	        {"after 120 s of health it begins anew", 120000, 1600, 800},
	        {"119 s are not enough", 119000, 30000, 24000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct backoff backoff = {.ms_min = 800, .ms_max = 30000, .reset_ms = 120000, .random = i};
		int64_t now_ms = 1, wait;

		for (int k = 0; k < 10; k++)
			now_ms += backoff_next(&backoff, now_ms, 0);
		wait = backoff_next(&backoff, now_ms + cases[i].healthy_ms, 0);
		if (wait < cases[i].least_ms || wait > cases[i].most_ms)
			fail_msg("%s: %lld ms", cases[i].name, (long long)wait);
	}
}

/* What the server asked for is never undercut, and not all come back in the same moment. */
static void retry_after_test(void **state)
{
	struct backoff backoff = {.ms_min = 800, .ms_max = 30000, .reset_ms = 120000};
	int64_t first = backoff_next(&backoff, 1, 60000), second;

	(void)state;
	backoff = (struct backoff){.ms_min = 800, .ms_max = 30000, .reset_ms = 120000, .random = 9};
	second = backoff_next(&backoff, 1, 60000);
	assert_in_range(first, 60000, 60800);
	assert_in_range(second, 60000, 60800);
	assert_int_not_equal(first, second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(growth_test), cmocka_unit_test(reset_test),
	                                   cmocka_unit_test(retry_after_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
