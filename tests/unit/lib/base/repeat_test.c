/* What repeats is said at once, and then once a minute with what there was since. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/repeat.h"

static void repeat_test(void **state)
{
	static const struct {
		int64_t now_ms;
		uint64_t more, due;
	} steps[] = {
	        {5, 1, 1},
	        {5, 3, 0},
	        {5 + REPEAT_MS - 1, 1, 0},
	        {5 + REPEAT_MS, 2, 6},
	        {5 + REPEAT_MS + 1, 1, 0},
	        {5 + 9 * REPEAT_MS, 1, 2},
	};
	struct repeat repeat = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		uint64_t due = repeat_due(&repeat, steps[i].more, steps[i].now_ms);

		if (due != steps[i].due)
			fail_msg("step %zu: %llu instead of %llu", i, (unsigned long long)due,
			         (unsigned long long)steps[i].due);
	}
	assert_int_equal(repeat.count, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(repeat_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
