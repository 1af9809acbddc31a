#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/pipeline/recent.h"

static struct recent_figures look(struct recent *recent, int64_t at_ms, uint64_t rows, uint64_t bad)
{
	const struct recent_sample now = {.at_ms = at_ms, .rows = rows, .bad = bad};

	return recent_look(recent, &now);
}

/* Asked every two seconds for five minutes, as the operator does: ten rows a second, then none, then bad ones. */
static void of_late_test(void **state)
{
	struct recent recent;
	struct recent_figures figures;
	uint64_t rows = 0, bad = 0;

	(void)state;
	recent_init(&recent, 1000);
	figures = look(&recent, 1000, 0, 0);
	assert_float_equal(figures.rows_per_second, 0, 0);
	for (int64_t at_ms = 3000; at_ms <= 100000; at_ms += 2000) {
		rows += 20;
		figures = look(&recent, at_ms, rows, 0);
		assert_float_equal(figures.rows_per_second, 10, 1e-9);
	}
	for (int64_t at_ms = 102000; at_ms <= 200000; at_ms += 2000)
		figures = look(&recent, at_ms, rows, 0);
	assert_float_equal(figures.rows_per_second, 0, 0);
	assert_float_equal(figures.bad_share, 0, 0);
	for (int64_t at_ms = 202000; at_ms <= 300000; at_ms += 2000) {
		rows += 20;
		bad += 5;
		figures = look(&recent, at_ms, rows, bad);
	}
	assert_float_equal(figures.rows_per_second, 10, 1e-9);
	assert_float_equal(figures.bad_share, 0.25, 1e-9);
}

/* Nobody asked for a day: it is the day's average, and a minute later the minute's. */
static void seldom_test(void **state)
{
	struct recent recent;

	(void)state;
	recent_init(&recent, 0);
	assert_float_equal(look(&recent, 86400000, 86400, 0).rows_per_second, 1, 1e-9);
	for (int i = 1; i <= 8; i++)
		look(&recent, 86400000 + i * 10000, 86400 + (uint64_t)i * 1000, 0);
	assert_float_equal(look(&recent, 86490000, 95400, 0).rows_per_second, 100, 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(of_late_test), cmocka_unit_test(seldom_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
