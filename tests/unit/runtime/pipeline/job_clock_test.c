/* The job's clock against scripted ones: it follows forward, never goes back, and goes on by the time that passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/pipeline/job_clock.h"

#define READINGS_MAX 8

static const struct row {
	const char *name;
	struct reading {
		int64_t wall_ms, passed_ms, expected_ms;
	} readings[READINGS_MAX];
} rows[] = {
        {"as the machine's", {{1000, 0, 1000}, {1500, 500, 1500}, {9000, 8000, 9000}}},
        {"before the epoch", {{-5000, 0, -5000}, {-4000, 1000, -4000}}},
        {"set forward", {{1000, 0, 1000}, {3601000, 1, 3601000}, {3602000, 1001, 3602000}}},
        {"set back: 31 of 32 parts of what passes", {{50000, 0, 50000}, {0, 0, 50000}, {3200, 3200, 53100}}},
        {"set back by hours", {{7200000, 0, 7200000}, {0, 100, 7200100}, {32000, 32100, 7231100}}},
        {"set back twice", {{50000, 0, 50000}, {20000, 0, 50000}, {1000, 0, 50000}, {1032, 32, 50031}}},
        {"set back and forward again", {{50000, 0, 50000}, {0, 0, 50000}, {51000, 1000, 51000}, {52000, 2000, 52000}}},
        {"stands still", {{1000, 0, 1000}, {1000, 500, 1500}, {1000, 90500, 91500}, {2000, 91500, 92469}}},
        {"caught up with", {{1031, 0, 1031}, {1000, 0, 1031}, {1992, 992, 1992}, {2992, 1992, 2992}}},
        {"no less than before, when a jump is noticed late",
         {{9000, 0, 9000}, {0, 0, 9000}, {0, 990, 9990}, {991, 991, 9990}, {1100, 1100, 10066}}},
};

static int64_t read_first(void *context)
{
	return ((const struct reading *)context)->wall_ms;
}

static int64_t read_second(void *context)
{
	return ((const struct reading *)context)->passed_ms;
}

static void readings_test(void **state)
{
	(void)state;
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct reading now;
		const struct clock clock = {.wall_ms = read_first, .monotonic_ms = read_second, .context = &now};
		struct job_clock job_clock;

		job_clock_init(&job_clock, &clock);
		for (size_t i = 0; i < READINGS_MAX && (!i || rows[r].readings[i].expected_ms); i++) {
			int64_t found_ms;

			now = rows[r].readings[i];
			if (!i) /* nobody goes by it yet */
				assert_int_equal(job_clock_ahead_ms(&job_clock), 0);
			found_ms = job_clock_ms(&job_clock);
			if (found_ms != now.expected_ms)
				fail_msg("%s, %zu: %lld, expected %lld", rows[r].name, i, (long long)found_ms,
				         (long long)now.expected_ms);
			assert_int_equal(job_clock_ahead_ms(&job_clock), found_ms - now.wall_ms);
		}
		job_clock_release(&job_clock);
	}
}

/* However it is asked, an hour after it was set back by ten seconds it has come back to the machine's. */
static void agrees_test(void **state)
{
	struct reading now = {100000, 0, 0};
	const struct clock clock = {.wall_ms = read_first, .monotonic_ms = read_second, .context = &now};

	(void)state;
	for (int64_t step_ms = 1; step_ms < 5000; step_ms = step_ms * 3 + 1) {
		struct job_clock job_clock;
		int64_t before_ms;

		now = (struct reading){100000, 0, 0};
		job_clock_init(&job_clock, &clock);
		before_ms = job_clock_ms(&job_clock);
		now.wall_ms -= 10000;
		for (int64_t passed_ms = 0; passed_ms < 3600000; passed_ms += step_ms) {
			int64_t found_ms = job_clock_ms(&job_clock);

			assert_true(found_ms >= before_ms);
			before_ms = found_ms;
			now.wall_ms += step_ms;
			now.passed_ms += step_ms;
		}
		assert_int_equal(job_clock_ahead_ms(&job_clock), 0);
		job_clock_release(&job_clock);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(readings_test), cmocka_unit_test(agrees_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
