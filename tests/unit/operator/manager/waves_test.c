#include "operator/manager/waves.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define NOW_MS 1800000000000 /* 2027-01-15T08:00:00Z */
#define BEFORE "2027-01-15T07:59:59Z"
#define LATER  "2027-01-15T08:10:00Z"

static json_t *keys_of(size_t count)
{
	json_t *keys = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(keys, json_sprintf("ns/%03zu", i));
	return keys;
}

/* All have been looked at, and wait. */
static struct waves *waiting(const json_t *keys, const char *limit)
{
	struct waves_limit parsed;
	struct waves *waves;
	size_t index;
	json_t *key;

	assert_true(waves_limit_parse(limit, &parsed));
	waves = waves_new(parsed);
	json_array_foreach(keys, index, key)
	{
		waves_note(waves, json_string_value(key), true);
	}
	return waves;
}

static void see(struct waves *waves, const char *key, bool was_ready, const char *until)
{
	json_t *job = json_pack("{s:{s:{s:s, s:b}}}", "status", "update", "until", until, "wasReady", was_ready);

	waves_seen(waves, key, job);
	json_decref(job);
}

static void see_done(struct waves *waves, const char *key)
{
	json_t *job = json_pack("{s:{}}", "status");

	waves_note(waves, key, false);
	waves_seen(waves, key, job);
	json_decref(job);
}

static void assert_turn_at(struct waves *waves, const json_t *keys, int64_t wall_ms, const char *expected)
{
	json_t *chosen = waves_turn(waves, keys, wall_ms), *key;
	char text[256] = "";
	size_t index;

	json_array_foreach(chosen, index, key)
	{
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", index ? " " : "",
		         json_string_value(key));
	}
	json_decref(chosen);
	assert_string_equal(text, expected);
}

static void assert_turn(struct waves *waves, const json_t *keys, const char *expected)
{
	assert_turn_at(waves, keys, NOW_MS, expected);
}

static void limit_test(void **state)
{
	static const struct {
		const char *text;
		bool good;
		int64_t count, percent;
	} rows[] = {{"1", true, 1, 0},  {"25", true, 25, 0}, {"10%", true, 0, 10},  {"100%", true, 0, 100},
	            {"0", false, 0, 0}, {"0%", false, 0, 0}, {"101%", false, 0, 0}, {"", false, 0, 0},
	            {"%", false, 0, 0}, {"-1", false, 0, 0}, {"a", false, 0, 0},    {"1.5%", false, 0, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct waves_limit limit = {0};

		if (waves_limit_parse(rows[i].text, &limit) != rows[i].good || limit.count != rows[i].count ||
		    limit.percent != rows[i].percent)
			fail_msg("\"%s\"", rows[i].text);
	}
}

static void order_test(void **state)
{
	json_t *keys = keys_of(25);
	struct waves *waves = waiting(keys, "10%"), *again;

	(void)state;
	assert_turn(waves, keys, "ns/000 ns/001");
	assert_turn(waves, keys, "");
	assert_true(waves_may_update(waves, "ns/001") && !waves_may_update(waves, "ns/002"));
	see(waves, "ns/000", true, LATER);
	see(waves, "ns/001", true, LATER);
	assert_turn(waves, keys, "");
	see_done(waves, "ns/001");
	assert_turn(waves, keys, "ns/002");
	again = waiting(keys, "10%"); /* another process, whose store does not show the turn of 002 yet */
	see_done(again, "ns/001");
	see(again, "ns/000", true, LATER);
	assert_turn(again, keys, "ns/002");
	waves_free(again);
	waves_free(waves);
	json_decref(keys);
}

static void at_least_one_test(void **state)
{
	json_t *keys = keys_of(3);
	struct waves *waves = waiting(keys, "10%");

	(void)state;
	assert_turn(waves, keys, "ns/000");
	waves_seen(waves, "ns/000", NULL); /* it is deleted */
	json_array_remove(keys, 0);
	assert_turn(waves, keys, "ns/001");
	waves_note(waves, "ns/001", false); /* it was suspended before it used its turn */
	assert_turn(waves, keys, "ns/002");
	waves_free(waves);
	json_decref(keys);
}

/* No turn before every job has had a look: which come first would else depend on which were looked at. */
static void all_known_test(void **state)
{
	json_t *keys = keys_of(3);
	struct waves_limit limit = {.count = 1};
	struct waves *waves = waves_new(limit);

	(void)state;
	waves_note(waves, "ns/002", true);
	waves_note(waves, "ns/001", true);
	assert_turn(waves, keys, "");
	waves_note(waves, "ns/000", false);
	assert_turn(waves, keys, "ns/001");
	waves_free(waves);
	json_decref(keys);
}

static void assert_halted(struct waves *waves, const char *expected)
{
	json_t *halted = waves_halted(waves);

	assert_string_equal(halted ? json_string_value(halted) : "", expected);
	json_decref(halted);
}

static void halt_test(void **state)
{
	json_t *keys = keys_of(6);
	struct waves *waves = waiting(keys, "2");

	(void)state;
	assert_turn(waves, keys, "ns/000 ns/001");
	see(waves, "ns/000", false, BEFORE); /* was not Ready before: no reason to halt */
	see(waves, "ns/001", true, LATER);
	assert_turn(waves, keys, "");
	assert_halted(waves, "");
	see(waves, "ns/001", true, BEFORE);
	assert_turn(waves, keys, "ns/002 ns/003 ns/004 ns/005"); /* they are to say so */
	assert_halted(waves, "ns/001");
	assert_false(waves_may_update(waves, "ns/002"));
	see_done(waves, "ns/000");
	assert_turn(waves, keys, "");
	see_done(waves, "ns/001");
	assert_turn(waves, keys, "ns/002 ns/003 ns/004 ns/005");
	assert_halted(waves, "");
	assert_true(waves_may_update(waves, "ns/003") && !waves_may_update(waves, "ns/004"));
	waves_free(waves);
	json_decref(keys);
}

/* A job of a namespace that is out of sight holds nobody up. */
static void out_of_sight_test(void **state)
{
	json_t *keys = keys_of(3);
	struct waves *waves = waiting(keys, "1");

	(void)state;
	see(waves, "away/a", true, BEFORE);
	assert_turn(waves, keys, "ns/000");
	assert_halted(waves, "");
	waves_free(waves);
	json_decref(keys);
}

/* A job whose status cannot be written has no turn that anybody could see, and holds nobody up. */
static void unwritten_test(void **state)
{
	json_t *keys = keys_of(3);
	struct waves *waves = waiting(keys, "1");

	(void)state;
	assert_turn(waves, keys, "ns/000");
	assert_turn_at(waves, keys, NOW_MS + 59000, "");
	assert_turn_at(waves, keys, NOW_MS + 60000, "ns/001");
	assert_true(waves_may_update(waves, "ns/000"));
	assert_turn_at(waves, keys, NOW_MS + 61000, "");
	waves_free(waves);
	json_decref(keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(limit_test),        cmocka_unit_test(order_test),
	                                   cmocka_unit_test(at_least_one_test), cmocka_unit_test(all_known_test),
	                                   cmocka_unit_test(halt_test),         cmocka_unit_test(out_of_sight_test),
	                                   cmocka_unit_test(unwritten_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
