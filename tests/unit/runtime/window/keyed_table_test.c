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
static struct aggregation aggregations[2];

static struct keyed_table *table_new(struct budget *budget, size_t max_bytes, size_t groups_max)
{
	*budget = (struct budget){.max_bytes = max_bytes};
	aggregations[0] = (struct aggregation){&count_rows, aggregate_find(count_rows.kind, TYPE_NULL), NULL};
	aggregations[1] = (struct aggregation){&largest, aggregate_find(largest.kind, TYPE_STRING), NULL};
	return keyed_table_new(aggregations, 2, budget, groups_max, 0);
}

static size_t rows_lost; /* by all add()s */

/* The group of key number n, with one more row of the text `text`; NULL where it is refused. */
static void *add(struct keyed_table *table, struct budget *budget, unsigned n, const char *text)
{
	char name[32];
	struct slice key = {name, (size_t)snprintf(name, sizeof(name), "key-%u", n)};
	uint64_t hash = hash_bytes(key.data, key.size);
	struct slice string = slice_of(text);
	struct column column = {.type = TYPE_STRING, .strings = &string};
	const struct column *columns[] = {&column};
	const struct aggregate_run run = {.budget = budget};
	const uint32_t row = 0;
	struct error err;
	void *group, *one;
	size_t done;

	rows_lost += keyed_table_lookup(table, &key, &hash, 1, &group);
	if (!group)
		return NULL;
	one = keyed_table_state(table, group, 0);
	aggregate_find(count_rows.kind, TYPE_NULL)->update(&run, &one, NULL, &row, 1, &done, &err);
	one = keyed_table_state(table, group, 1);
	aggregate_find(largest.kind, TYPE_STRING)->update(&run, &one, columns, &row, 1, &done, &err);
	return group;
}

static int64_t count_of(const struct keyed_table *table, void *group)
{
	void *state = keyed_table_state(table, group, 0);
	int64_t rows = 0;
	uint8_t valid = 0;
	struct column column = {.type = TYPE_BIGINT, .valid = &valid, .bigints = &rows};
	const struct aggregate_run run = {.call = &count_rows};
	struct error err;

	aggregate_find(count_rows.kind, TYPE_NULL)->finalize(&run, &state, 1, &column, &err);
	assert_true(valid);
	return rows;
}

/* The number of a key that add() made. */
static unsigned number_of(const void *group)
{
	char text[32];

	snprintf(text, sizeof(text), "%.*s", SLICE_ARG(keyed_table_key(group))); /* no NUL ends a key */
	return (unsigned)strtoul(text + 4, NULL, 10);
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
		unsigned n = number_of(sorted[i]);

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

enum { SMALLEST_KEYS = 3000, SMALLEST_KEPT = 100, SMALLEST_ROWS = 3 };

/* Each key SMALLEST_ROWS times, in an order of its own for each `stride`, to `count` tables that are combined then. */
static struct keyed_table *smallest(unsigned stride, size_t count, struct budget *budgets)
{
	struct keyed_table *tables[3];
	struct error err;
	size_t refused;

	rows_lost = 0;
	for (size_t t = 0; t < count; t++) {
		tables[t] = table_new(&budgets[t], SIZE_MAX, SMALLEST_KEPT);
		keyed_table_keep_smallest(tables[t]);
	}
	for (unsigned i = 0; i < SMALLEST_KEYS * SMALLEST_ROWS; i++)
		add(tables[i % count], &budgets[i % count], i * stride % SMALLEST_KEYS, "longer than a state");
	for (size_t t = 1; t < count; t++) {
		assert_int_equal(keyed_table_combine(tables[0], tables[t], &refused, &err), 0);
		rows_lost += refused;
		keyed_table_free(tables[t]);
		assert_int_equal(budgets[t].used_bytes, 0);
	}
	return tables[0];
}

/* Whatever the order and however many lanes: the same groups, all rows of each, and every other row counted. */
static void smallest_test(void **state)
{
	static const unsigned strides[] = {1, 7, 1009, SMALLEST_KEYS - 1}; /* the last: downwards */
	unsigned expected[SMALLEST_KEPT];

	(void)state;
	for (size_t s = 0; s < sizeof(strides) / sizeof(strides[0]); s++) {
		for (size_t lanes = 1; lanes <= 3; lanes++) {
			struct budget budgets[3];
			struct keyed_table *table = smallest(strides[s], lanes, budgets);
			void **sorted = keyed_table_sorted(table);

			assert_int_equal(keyed_table_groups(table), SMALLEST_KEPT);
			assert_int_equal(rows_lost, SMALLEST_ROWS * (SMALLEST_KEYS - SMALLEST_KEPT));
			for (size_t i = 0; i < SMALLEST_KEPT; i++) {
				if (!s && lanes == 1)
					expected[i] = number_of(sorted[i]);
				if (number_of(sorted[i]) != expected[i])
					fail_msg("stride %u, %zu lanes: another group", strides[s], lanes);
				assert_int_equal(count_of(table, sorted[i]), SMALLEST_ROWS);
				assert_ptr_equal(keyed_table_find(table, sorted[i]), sorted[i]);
			}
			assert_false(keyed_table_starved(table));
			keyed_table_clear(table);
			assert_non_null(add(table, &budgets[0], 7, "a")); /* it begins anew */
			free(sorted);
			keyed_table_free(table);
			assert_int_equal(budgets[0].used_bytes, 0);
		}
	}
}

/* Of one batch: a group that a later key of the batch takes the place of has no row left in it. */
static void smallest_batch_test(void **state)
{
	enum { KEYS = 500 };
	struct slice keys[KEYS];
	uint64_t hashes[KEYS];
	char names[KEYS][16];
	void *groups[KEYS];
	struct budget budget;
	struct keyed_table *table = table_new(&budget, SIZE_MAX, 10);
	size_t missing = 0;

	(void)state;
	keyed_table_keep_smallest(table);
	for (unsigned n = 0; n < KEYS; n++) {
		keys[n] = (struct slice){names[n], (size_t)snprintf(names[n], sizeof(names[n]), "key-%u", n)};
		hashes[n] = hash_bytes(keys[n].data, keys[n].size);
	}
	assert_int_equal(keyed_table_lookup(table, keys, hashes, KEYS, groups), KEYS - 10);
	for (unsigned n = 0; n < KEYS; n++) {
		missing += !groups[n];
		if (groups[n])
			assert_true(slice_equal(keyed_table_key(groups[n]), keys[n]));
	}
	assert_int_equal(missing, KEYS - 10);
	keyed_table_free(table);
}

/* A budget that is out is no limit of groups: whoever asks is told. */
static void starved_test(void **state)
{
	struct budget budget;
	struct keyed_table *table = table_new(&budget, 20000, 1000000);
	unsigned n = 0;

	(void)state;
	keyed_table_keep_smallest(table);
	while (add(table, &budget, n, ""))
		n++;
	assert_true(keyed_table_starved(table));
	keyed_table_clear(table);
	assert_false(keyed_table_starved(table));
	keyed_table_free(table);
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
	        cmocka_unit_test(growth_test),         cmocka_unit_test(batch_test),
	        cmocka_unit_test(collision_test),      cmocka_unit_test(groups_max_test),
	        cmocka_unit_test(budget_test),         cmocka_unit_test(combine_test),
	        cmocka_unit_test(clear_test),          cmocka_unit_test(combine_limit_test),
	        cmocka_unit_test(combine_large_test),  cmocka_unit_test(smallest_test),
	        cmocka_unit_test(smallest_batch_test), cmocka_unit_test(starved_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
