#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/process/latch.h"

#define FOREVER_MS 3600000

static const struct row {
	const char *name;
	bool open;
	int64_t ms;
} rows[] = {
        {"shut, no wait", false, 0},
        {"shut, for less than a second", false, 20},
        {"shut, over the edge of a second", false, 1001},
        {"open, no wait", true, 0},
        {"open, for an hour", true, FOREVER_MS},
};

static void wait_test(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct latch latch;

		latch_init(&latch);
		if (rows[i].open)
			latch_open(&latch);
		if (latch_wait(&latch, rows[i].ms) != rows[i].open || latch_is_open(&latch) != rows[i].open)
			fail_msg("%s: it is said to be %s", rows[i].name, rows[i].open ? "shut" : "open");
		latch_release(&latch);
	}
}

static void *open_it(void *context)
{
	latch_open(context);
	return NULL;
}

/* The pauses of two threads end when a third opens it. */
static void *wait_for_it(void *context)
{
	return latch_wait(context, FOREVER_MS) ? context : NULL;
}

static void threads_test(void **state)
{
	struct latch latch;
	pthread_t threads[3];
	void *said[3];

	(void)state;
	latch_init(&latch);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, i < 2 ? wait_for_it : open_it, &latch), 0);
	for (size_t i = 0; i < 3; i++)
		pthread_join(threads[i], &said[i]);
	assert_ptr_equal(said[0], &latch);
	assert_ptr_equal(said[1], &latch);
	latch_release(&latch);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(wait_test),
	        cmocka_unit_test(threads_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
