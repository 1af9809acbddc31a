#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "lib/process/latch.h"
#include "lib/process/system_clock.h"
#include "lib/process/watch.h"

#define LIMIT_MS 60000

/* How long a call lasts that is to return within LIMIT_MS, and whether it is said. */
static const struct rule {
	const char *name;
	int64_t later_ms;
	bool stuck;
} rules[] = {
        {"just begun", 0, false},
        {"at its deadline", LIMIT_MS, false},
        {"within the grace", LIMIT_MS + WATCH_GRACE_MS - 1000, false},
        {"beyond the grace", LIMIT_MS + WATCH_GRACE_MS + 1000, true},
        {"for a day", 86400000, true},
};

static void rule_test(void **state)
{
	struct watch_stuck stuck;
	struct error err;

	(void)state;
	watch_thread("committer");
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		int64_t now_ms = clock_monotonic_ms(&system_clock) + rules[i].later_ms;
		int moving;

		watch_begin(WATCH_SOURCE, "the commit to", watch_name("the broker at %s", "k:9092"), LIMIT_MS);
		moving = watch_moving(now_ms, &stuck, &err);
		watch_end();
		if ((moving < 0) != rules[i].stuck)
			fail_msg("%s: it is %s", rules[i].name, moving < 0 ? "stuck" : "moving");
		if (watch_look(now_ms, &stuck, 1))
			fail_msg("%s: it is stuck after its end", rules[i].name);
	}
	watch_begin(WATCH_SOURCE, "the commit to", watch_name("the broker at %s", "k:9092"), LIMIT_MS);
	assert_int_equal(watch_moving(clock_monotonic_ms(&system_clock) + 75500, &stuck, &err), -1);
	assert_string_equal(err.text, "committer: the commit to the broker at k:9092 has not returned for 75 s; its "
	                              "deadline is 60 s");
	assert_int_equal(stuck.part, WATCH_SOURCE);
	watch_thread_ends();
	assert_int_equal(watch_look(INT64_MAX / 2, &stuck, 1), 0);
}

struct caller {
	const char *thread;
	int64_t limit_ms;
	struct latch begun, go_on;
};

static void *call(void *context)
{
	struct caller *caller = context;

	watch_thread("%s", caller->thread);
	watch_begin(WATCH_SINK, "the write to", "/data/out", caller->limit_ms);
	latch_open(&caller->begun);
	latch_wait(&caller->go_on, 3600000);
	watch_thread_ends();
	return NULL;
}

/* Those of several threads: the longest first, as many as there is room for, and none without a name. */
static void threads_test(void **state)
{
	struct caller callers[] = {
	        {.thread = "lane 0", .limit_ms = 1000},
	        {.thread = "lane 1", .limit_ms = 7200000},
	        {.thread = "sink a", .limit_ms = 2000},
	        {.thread = "sink b", .limit_ms = 3000},
	};
	pthread_t threads[4];
	struct watch_stuck stuck[4];
	int64_t now_ms;

	(void)state;
	watch_begin(WATCH_SINK, "the write to", "nowhere", 0);
	for (size_t i = 0; i < 4; i++) {
		latch_init(&callers[i].begun);
		latch_init(&callers[i].go_on);
		assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
		assert_true(latch_wait(&callers[i].begun, 3600000));
		latch_wait(&callers[i].go_on, 5); /* so that each is younger than the one before it */
	}
	now_ms = clock_monotonic_ms(&system_clock) + 3600000;
	assert_int_equal(watch_look(now_ms, stuck, 4), 3);
	assert_string_equal(stuck[0].thread, "lane 0");
	assert_string_equal(stuck[1].thread, "sink a");
	assert_string_equal(stuck[2].thread, "sink b");
	assert_true(stuck[0].for_ms >= stuck[1].for_ms && stuck[1].for_ms >= stuck[2].for_ms);
	assert_int_equal(watch_look(now_ms, stuck, 2), 2);
	assert_string_equal(stuck[1].thread, "sink a");
	for (size_t i = 0; i < 4; i++) {
		latch_open(&callers[i].go_on);
		pthread_join(threads[i], NULL);
		latch_release(&callers[i].begun);
		latch_release(&callers[i].go_on);
	}
	assert_int_equal(watch_look(now_ms, stuck, 4), 0);
}

/* Equal texts are one name, long ones are cut, and there is an end of them. */
static void names_test(void **state)
{
	char longest[2 * WATCH_NAME_MAX];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_ptr_equal(watch_name("a %d", 1), watch_name("a 1"));
	assert_int_equal(strlen(watch_name("%s", longest)), WATCH_NAME_MAX - 1);
	for (int i = 0; i < 2 * WATCH_NAMES_MAX; i++)
		watch_name("name %d", i);
	assert_string_equal(watch_name("one more"), "another one");
	assert_string_equal(watch_name("a 1"), "a 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(rule_test),
	        cmocka_unit_test(threads_test),
	        cmocka_unit_test(names_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
