#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/window/tumbling.h"

#define MINUTE 60000
#define DAY    86400000

static void alignment_test(void **state)
{
	static const struct {
		const char *name;
		int64_t time_ms, size_ms, offset_ms, start_ms;
	} rows[] = {
	        {"the epoch", 0, MINUTE, 0, 0},
	        {"the last millisecond", MINUTE - 1, MINUTE, 0, 0},
	        {"an edge belongs to the next", MINUTE, MINUTE, 0, MINUTE},
	        {"before the epoch", -1, MINUTE, 0, -MINUTE},
	        {"an edge before the epoch", -MINUTE, MINUTE, 0, -MINUTE},
	        {"just before an edge before the epoch", -MINUTE - 1, MINUTE, 0, -2 * MINUTE},
	        {"an offset", 0, MINUTE, 15000, -45000},
	        {"at the offset", 15000, MINUTE, 15000, 15000},
	        {"just before the offset", 14999, MINUTE, 15000, -45000},
	        {"a negative offset", 0, MINUTE, -15000, -15000},
	        {"an offset before the epoch", -1, MINUTE, 15000, -45000},
	        {"days in Berlin's winter", 1760000000000, DAY, -3600000, 1759964400000},
	        {"one millisecond", -7, 1, 0, -7},
	        {"a size that divides no hour", 100, 7, 3, 94},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct window window = tumbling_window(rows[i].time_ms, rows[i].size_ms, rows[i].offset_ms);

		if (window.start_ms != rows[i].start_ms || window.end_ms != rows[i].start_ms + rows[i].size_ms)
			fail_msg("%s: [%lld, %lld), expected to start at %lld", rows[i].name,
			         (long long)window.start_ms, (long long)window.end_ms, (long long)rows[i].start_ms);
	}
}

/* Windows tile time: every millisecond is in the one that its neighbour is in, or in the next. */
static void tiling_test(void **state)
{
	(void)state;
	for (int64_t size_ms = 1; size_ms < 40; size_ms++) {
		for (int64_t offset_ms = -size_ms; offset_ms <= size_ms; offset_ms++) {
			struct window before = tumbling_window(-200, size_ms, offset_ms);

			for (int64_t ms = -200; ms < 200; ms++) {
				struct window window = tumbling_window(ms, size_ms, offset_ms);

				assert_true(window.start_ms <= ms && ms < window.end_ms);
				assert_int_equal(window.end_ms - window.start_ms, size_ms);
				assert_true(window.start_ms == before.start_ms || window.start_ms == before.end_ms);
				assert_int_equal((window.start_ms - offset_ms) % size_ms, 0);
				before = window;
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(alignment_test), cmocka_unit_test(tiling_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
