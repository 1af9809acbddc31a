/* Groups are found again, refused at the limits, combined, sorted; nothing of the budget is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "lib/base/hash.h"
#include "runtime/window/keyed_table.h"

static const struct aggregate_call count_rows = {.kind = AGGREGATE_COUNT_ROWS, .result_type = TYPE_BIGINT};
static const struct aggregate_call largest = {
        .kind = AGGREGATE_MAX, .argument_type = TYPE_STRING, .result_type = TYPE_STRING};
static const struct aggregate_call *const calls[] = {&count_rows, &largest};

static struct keyed_table *table_new(struct budget *budget, size_t max_bytes, size_t groups_max)
{
	*budget = (struct budget){.max_bytes = max_bytes};
	return keyed_table_new(calls, 2, budget, groups_max);
}

/* The group of key number n, with one more row of the text `text`; NULL where it is refused. */
static void *add(struct keyed_table *table, struct budget *budget, unsigned n, const char *text)
{
	char name[32];
	struct slice key = {name, (size_t)snprintf(name, sizeof(name), "key-%u", n)};
	uint64_t hash = hash_bytes(key.data, key.size);
	struct slice string = slice_of(text);
	struct column column = {.type = TYPE_STRING, .strings = &string};
	const uint32_t row = 0;
	struct error err;
	void *group, *one;
	size_t done;

	if (keyed_table_lookup(table, &key, &hash, 1, &group) == 1)
		return NULL;
	one = keyed_table_state(table, group, 0);
	aggregate_find(count_rows.kind, TYPE_NULL)->update(&one, NULL, &row, 1, budget, &done, &err);
	one = keyed_table_state(table, group, 1);
	aggregate_find(largest.kind, TYPE_STRING)->update(&one, &column, &row, 1, budget, &done, &err);
	return group;
}

static int64_t count_of(const struct keyed_table *table, void *group)
{
	struct value value;
	struct error err;

	aggregate_find(count_rows.kind, TYPE_NULL)->finalize(keyed_table_state(table, group, 0), 0, &value, &err);
	return value.bigint;
}

static void growth_test(void **state)
{
	enum { KEYS = 20000 };
	struct budget budget;
	struct keyed_table *table = table_new(&budget, SIZE_MAX, SIZE_MAX);
	void **groups = malloc(KEYS * sizeof(void *)), **sorted;

	(void)state;
	for (unsigned n = 0; n < KEYS; n++)
		groups[n] = add(table, &budget, n, "a");
	assert_int_equal(keyed_table_groups(table), KEYS);
	for (unsigned n = 0; n < KEYS; n += 2)
		assert_ptr_equal(add(table, &budget, n, "b"), groups[n]); /* groups never move */
	sorted = keyed_table_sorted(table);
	for (unsigned n = 0; n < KEYS; n++) {
		char name[32];

		snprintf(name, sizeof(name), "key-%u", n);
		assert_true(slice_equal(keyed_table_key(groups[n]), slice_of(name)));
		assert_int_equal(count_of(table, groups[n]), n % 2 ? 1 : 2);
		assert_int_equal((uintptr_t)keyed_table_state(table, groups[n], 1) % 16, 0);
		if (n)
			assert_true(slice_compare(keyed_table_key(sorted[n - 1]), keyed_table_key(sorted[n])) < 0);
	}
	free(sorted);
	free(groups);
	keyed_table_free(table);
	assert_int_equal(budget.used_bytes, 0);
	keyed_table_free(NULL);
}

/* A batch with one key many times makes one group; the empty key is a key. */
static void batch_test(void **state)
{
	struct slice keys[300];
	uint64_t hashes[300];
	void *groups[300];
	struct budget budget;
	struct keyed_table *table = table_new(&budget, SIZE_MAX, SIZE_MAX);

	(void)state;
	for (size_t i = 0; i < 300; i++) {
		keys[i] = i % 3 ? SLICE_LITERAL("same") : SLICE_LITERAL("");
		hashes[i] = hash_bytes(keys[i].data, keys[i].size);
	}
	assert_int_equal(keyed_table_lookup(table, keys, hashes, 300, groups), 0);
	assert_int_equal(keyed_table_groups(table), 2);
	for (size_t i = 0; i < 300; i++)
		assert_ptr_equal(groups[i], groups[i % 3 ? 1 : 0]);
	keyed_table_free(table);
}

/* Keys whose hashes are all the same are told apart by their bytes. */
static void collision_test(void **state)
{
	struct budget budget;
	struct keyed_table *table = table_new(&budget, SIZE_MAX, SIZE_MAX);
	void *groups[500], *again;

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (unsigned n = 0; n < 500; n++) {
			char name[16];
			struct slice key = {name, (size_t)snprintf(name, sizeof(name), "%u", n)};
			const uint64_t hash = UINT64_MAX;

			assert_int_equal(keyed_table_lookup(table, &key, &hash, 1, round ? &again : &groups[n]), 0);
			if (round)
				assert_ptr_equal(again, groups[n]);
		}
	}
	keyed_table_free(table);
}

static void groups_max_test(void **state)
{
	struct budget budget;
	struct keyed_table *table = table_new(&budget, SIZE_MAX, 10);

	(void)state;
	for (unsigned n = 0; n < 30; n++)
		assert_int_equal(add(table, &budget, n, "a") != NULL, n < 10);
	for (unsigned n = 0; n < 10; n++)
		assert_int_equal(count_of(table, add(table, &budget, n, "a")), 2); /* those that are there go on */
	assert_int_equal(keyed_table_groups(table), 10);
	keyed_table_free(table);
}

/* With any budget the table stays within it, refuses new groups and loses none that it has. */
static void budget_test(void **state)
{
	(void)state;
	for (size_t max = 0; max < 200000; max += 1717) {
		struct budget budget;
		struct keyed_table *table = table_new(&budget, max, SIZE_MAX);
		size_t made = 0;

		for (unsigned n = 0; n < 3000; n++)
			made += add(table, &budget, n, "") != NULL;
		if (budget.used_bytes > max || made != keyed_table_groups(table))
			fail_msg("%zu bytes of %zu, %zu groups made, %zu there", budget.used_bytes, max, made,
			         keyed_table_groups(table));
		if (max > 100000 && made < max / 250)
			fail_msg("only %zu groups in %zu bytes", made, max);
		keyed_table_clear(table);
		assert_int_equal(keyed_table_groups(table), 0);
		if (made)
			assert_non_null(add(table, &budget, 7, ""));
		keyed_table_free(table);
		assert_int_equal(budget.used_bytes, 0);
	}
}

static void combine_test(void **state)
{
	struct budget budgets[2];
	struct keyed_table *one = table_new(&budgets[0], SIZE_MAX, SIZE_MAX);
	struct keyed_table *other = table_new(&budgets[1], SIZE_MAX, SIZE_MAX);
	struct error err;
	size_t refused;
	void **sorted;

	(void)state;
	for (unsigned n = 0; n < 700; n++)
		add(one, &budgets[0], n, "a");
	for (unsigned n = 500; n < 1200; n++)
		add(other, &budgets[1], n, "b");
	assert_int_equal(keyed_table_combine(one, other, &refused, &err), 0);
	assert_int_equal(refused, 0);
	assert_int_equal(keyed_table_groups(one), 1200);
	assert_int_equal(keyed_table_groups(other), 700); /* is left as it was */
	sorted = keyed_table_sorted(one);
	for (size_t i = 0; i < 1200; i++) {
		struct slice key = keyed_table_key(sorted[i]);
		char text[32];
		unsigned n;

		snprintf(text, sizeof(text), "%.*s", SLICE_ARG(key)); /* no NUL ends a key */
		n = (unsigned)strtoul(text + 4, NULL, 10);
		assert_int_equal(count_of(one, sorted[i]), n >= 500 && n < 700 ? 2 : 1);
	}
	free(sorted);
	keyed_table_free(other);
	keyed_table_free(one);
	assert_int_equal(budgets[0].used_bytes + budgets[1].used_bytes, 0);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Slots of a larger table come in the order of a smaller one's, which must not fill up from one end: that takes
 * minutes. */
static void combine_large_test(void **state)
{
	enum { KEYS = 300000 };
	struct budget budgets[2];
	struct keyed_table *one = table_new(&budgets[0], SIZE_MAX, SIZE_MAX);
	struct keyed_table *other = table_new(&budgets[1], SIZE_MAX, SIZE_MAX);
	double begin = seconds(), added;
	size_t refused;
	struct error err;

	(void)state;
	for (unsigned n = 0; n < KEYS; n++)
		add(other, &budgets[1], n, "b");
	added = seconds();
	add(one, &budgets[0], KEYS, "a");
	assert_int_equal(keyed_table_combine(one, other, &refused, &err), 0);
	assert_int_equal(refused, 0);
	assert_int_equal(keyed_table_groups(one), KEYS + 1);
	print_message("%d groups: added in %.3f s, combined in %.3f s\n", KEYS, added - begin, seconds() - added);
	keyed_table_free(other);
	keyed_table_free(one);
}

static void combine_limit_test(void **state)
{
	struct budget budgets[2];
	struct keyed_table *one = table_new(&budgets[0], SIZE_MAX, 100);
	struct keyed_table *other = table_new(&budgets[1], SIZE_MAX, 100);
	struct error err;
	size_t refused;

	(void)state;
	for (unsigned n = 0; n < 100; n++)
		add(one, &budgets[0], n, "a");
	for (unsigned n = 50; n < 150; n++)
		add(other, &budgets[1], n, "b");
	assert_int_equal(keyed_table_combine(one, other, &refused, &err), 0);
	assert_int_equal(refused, 50);
	for (unsigned n = 0; n < 100; n++) /* and this row: those that both had are whole */
		assert_int_equal(count_of(one, add(one, &budgets[0], n, "a")), n < 50 ? 2 : 3);
	assert_int_equal(keyed_table_groups(one), 100);
	keyed_table_free(other);
	keyed_table_free(one);
}

static void clear_test(void **state)
{
	struct budget budget;
	struct keyed_table *table = table_new(&budget, SIZE_MAX, SIZE_MAX);

	(void)state;
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned n = 0; n < (round == 1 ? 5u : 3000u); n++)
			assert_int_equal(count_of(table, add(table, &budget, n, "text")), 1);
		keyed_table_clear(table);
		assert_int_equal(keyed_table_groups(table), 0);
	}
	keyed_table_clear(table);
	keyed_table_free(table);
	assert_int_equal(budget.used_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(growth_test),        cmocka_unit_test(batch_test),
	        cmocka_unit_test(collision_test),     cmocka_unit_test(groups_max_test),
	        cmocka_unit_test(budget_test),        cmocka_unit_test(combine_test),
	        cmocka_unit_test(clear_test),         cmocka_unit_test(combine_limit_test),
	        cmocka_unit_test(combine_large_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
