/* Which groups are known after some windows: those that are young enough, and no more than there may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/buffer.h"
#include "lib/base/hash.h"
#include "runtime/window/known_groups.h"

#define WINDOWS_MAX 8

static const struct row {
	const char *name;
	size_t groups_max;
	uint64_t windows_max;
	struct {
		const char *rows, *groups; /* keys of one letter: of its rows, and then in it */
		size_t forgotten;
	} windows[WINDOWS_MAX];
} rows[] = {
        {"they stay", 10, 10, {{"ab", "ab", 0}, {"c", "abc", 0}, {"", "abc", 0}, {"b", "abc", 0}}},
        {"each for so many windows",
         10,
         2,
         {{"ab", "ab", 0}, {"b", "ab", 0}, {"", "ab", 0}, {"", "b", 0}, {"", "", 0}}},
        {"anew after they were forgotten",
         10,
         1,
         {{"a", "a", 0}, {"", "a", 0}, {"", "", 0}, {"a", "a", 0}, {"", "a", 0}}},
        {"new ones all the time", 3, 100, {{"ab", "ab", 0}, {"cd", "acd", 1}, {"ef", "cef", 2}, {"", "cef", 0}}},
        {"more in one window than can be known",
         2,
         100,
         {{"dcba", "abcd", 2}, {"", "ab", 0}, {"e", "ae", 1}, {"", "ae", 0}}},
};

/* A table of those keys. */
static struct keyed_table *window_of(const char *keys, struct budget *budget)
{
	struct keyed_table *table = keyed_table_new(NULL, 0, budget, 4, 0);

	for (const char *key = keys; *key; key++) {
		struct slice one = {key, 1};
		uint64_t hash = hash_bytes(key, 1);
		void *group;

		assert_int_equal(keyed_table_lookup(table, &one, &hash, 1, &group), 0);
	}
	return table;
}

static void windows_test(void **state)
{
	(void)state;
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct known_groups *known = known_groups_new(rows[r].groups_max, rows[r].windows_max, 1 << 20);

		for (size_t w = 0; w < WINDOWS_MAX && rows[r].windows[w].rows; w++) {
			struct budget budget = {.max_bytes = 1 << 20};
			struct keyed_table *window = window_of(rows[r].windows[w].rows, &budget);
			size_t forgotten, count;
			struct buffer found;
			void **sorted;

			assert_int_equal(known_groups_exchange(known, (int64_t)w, window, &forgotten), 0);
			sorted = keyed_table_sorted(window);
			buffer_init(&found);
			count = keyed_table_groups(window);
			for (size_t i = 0; i < count; i++)
				buffer_append(&found, keyed_table_key(sorted[i]).data, 1);
			buffer_append_text(&found, "");
			if (!slice_equal(buffer_slice(&found), slice_of(rows[r].windows[w].groups)) ||
			    forgotten != rows[r].windows[w].forgotten)
				fail_msg("%s, window %zu: %.*s, %zu forgotten", rows[r].name, w,
				         SLICE_ARG(buffer_slice(&found)), forgotten);
			buffer_release(&found);
			free(sorted);
			keyed_table_free(window);
			assert_int_equal(budget.used_bytes, 0);
		}
		known_groups_free(known);
	}
}

/* The one group of a job without groupBy is never forgotten. */
static void without_key_test(void **state)
{
	struct known_groups *known = known_groups_new(10, 1, 1 << 20);
	struct budget budget = {.max_bytes = 1 << 20};
	struct slice key = {"", 0};
	uint64_t hash = hash_bytes("", 0);

	(void)state;
	for (int w = 0; w < 5; w++) {
		struct keyed_table *window = keyed_table_new(NULL, 0, &budget, 4, 0);
		size_t forgotten;
		void *group;

		if (!w)
			keyed_table_lookup(window, &key, &hash, 1, &group);
		assert_int_equal(known_groups_exchange(known, w, window, &forgotten), 0);
		assert_int_equal(keyed_table_groups(window), 1);
		keyed_table_free(window);
	}
	known_groups_free(known);
}

/* A window that is built again makes nothing older. */
static void again_test(void **state)
{
	struct known_groups *known = known_groups_new(10, 1, 1 << 20);
	struct budget budget = {.max_bytes = 1 << 20};
	static const struct {
		int64_t start_ms;
		const char *rows;
		size_t groups;
	} windows[] = {{0, "a", 1}, {100, "", 1}, {100, "", 1}, {100, "", 1}, {200, "", 0}};

	(void)state;
	for (size_t w = 0; w < sizeof(windows) / sizeof(windows[0]); w++) {
		struct keyed_table *window = window_of(windows[w].rows, &budget);
		size_t forgotten;

		assert_int_equal(known_groups_exchange(known, windows[w].start_ms, window, &forgotten), 0);
		assert_int_equal(keyed_table_groups(window), windows[w].groups);
		keyed_table_free(window);
	}
	known_groups_free(known);
}

static void budget_test(void **state)
{
	struct known_groups *known = known_groups_new(10, 1, 100);
	struct budget budget = {.max_bytes = 1 << 20};
	struct keyed_table *window = window_of("a", &budget);
	size_t forgotten;

	(void)state;
	assert_int_equal(known_groups_exchange(known, 0, window, &forgotten), AGGREGATE_OUT_OF_BUDGET);
	keyed_table_free(window);
	known_groups_free(known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(windows_test), cmocka_unit_test(without_key_test),
	                                   cmocka_unit_test(again_test), cmocka_unit_test(budget_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
