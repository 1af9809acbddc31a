/*
 * Every hash table whose keys come from outside, of both programs, under two secrets: what it hashes to, or the order
 * in which it keeps what it holds, is another one. A table that left the secret out could be made quadratic by its
 * data.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/hash.h"
#include "lib/data/row_key.h"
#include "operator/cache/table.h"
#include "operator/queue/backlog.h"
#include "runtime/aggregate/aggregate.h"
#include "runtime/pushgateway/series.h"

#define VALUES 100

/* Of each table: something that its hashes decide. */
typedef void observe(struct buffer *out);

static void append_word(struct buffer *out, uint64_t word)
{
	buffer_append(out, (const char *)&word, sizeof(word));
}

static void group_keys(struct buffer *out)
{
	int64_t bigints[] = {7};
	uint8_t valid[] = {1};
	const struct column column = {.type = TYPE_BIGINT, .valid = valid, .bigints = bigints};
	const struct column *columns[] = {&column};
	const uint32_t row = 0;
	struct arena arena = {0};
	struct slice key;
	uint64_t hash;

	row_key_encode(columns, 1, &row, 1, &arena, &key, &hash);
	append_word(out, hash);
	arena_release(&arena);
}

static void saved_set(enum type type, const struct column *column, struct buffer *out)
{
	const struct aggregate *aggregate = aggregate_find(AGGREGATE_COUNT_DISTINCT, type);
	void *state = calloc(1, aggregate->state_size), *states[VALUES];
	struct budget budget = {.max_bytes = SIZE_MAX};
	const struct aggregate_run run = {.budget = &budget};
	uint32_t rows[VALUES];
	struct error err;
	size_t done;

	for (uint32_t i = 0; i < VALUES; i++) {
		rows[i] = i;
		states[i] = state;
	}
	aggregate->init(state, (struct state_place){0, 0});
	assert_int_equal(aggregate->update(&run, states, &column, rows, VALUES, &done, &err), 0);
	aggregate->save(&run, state, out, &err);
	aggregate->release(state, &budget);
	free(state);
}

static void distinct_words(struct buffer *out)
{
	int32_t ints[VALUES];
	int64_t bigints[VALUES];
	double doubles[VALUES];

	for (int i = 0; i < VALUES; i++)
		doubles[i] = bigints[i] = ints[i] = i + 1;
	saved_set(TYPE_INT, &(struct column){.type = TYPE_INT, .ints = ints}, out);
	saved_set(TYPE_BIGINT, &(struct column){.type = TYPE_BIGINT, .bigints = bigints}, out);
	saved_set(TYPE_TIMESTAMP, &(struct column){.type = TYPE_TIMESTAMP, .bigints = bigints}, out);
	saved_set(TYPE_DOUBLE, &(struct column){.type = TYPE_DOUBLE, .doubles = doubles}, out);
}

static void distinct_texts(struct buffer *out)
{
	struct slice strings[VALUES];
	char texts[VALUES][8];

	for (int i = 0; i < VALUES; i++)
		strings[i] = (struct slice){texts[i], (size_t)snprintf(texts[i], sizeof(texts[i]), "%d", i)};
	saved_set(TYPE_STRING, &(struct column){.type = TYPE_STRING, .strings = strings}, out);
}

static void counter_series(struct buffer *out)
{
	struct series_table table;

	series_init(&table);
	append_word(out, series_get(&table, SLICE_LITERAL("pod=\"a\""), 1)->hash);
	series_release(&table);
}

static void objects_by_key(struct buffer *out)
{
	struct packed packed = {.data = (char[]){""}};
	struct entry *entry = entry_new("namespace/name", "", "", "", &packed);

	append_word(out, entry->key_hash);
	entry_release(entry);
}

static void objects_by_owner(struct buffer *out)
{
	struct packed packed = {.data = (char[]){""}};
	struct entry *entry = entry_new("", "uid", "", "", &packed);

	append_word(out, entry->owner_hash);
	entry_release(entry);
}

static void queue_keys(struct buffer *out)
{
	struct backlog backlog = {0};

	backlog_init(&backlog, 0);
	append_word(out, backlog_find(&backlog, "namespace/name", true)->hash);
	backlog_release(&backlog);
}

static void every_table_test(void **state)
{
	static const struct {
		const char *name;
		observe *observe;
	} tables[] = {{"groups of a window", group_keys},       {"COUNT(DISTINCT number)", distinct_words},
	              {"COUNT(DISTINCT text)", distinct_texts}, {"counters' series", counter_series},
	              {"objects by key", objects_by_key},       {"objects by owner", objects_by_owner},
	              {"the operator's queue", queue_keys}};

	(void)state;
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		struct buffer seen[2];

		for (int key = 0; key < 2; key++) {
			hash_key_set((struct hash_key){{(uint64_t)key, 1}});
			buffer_init(&seen[key]);
			tables[t].observe(&seen[key]);
		}
		assert_int_equal(seen[0].size, seen[1].size);
		if (slice_equal(buffer_slice(&seen[0]), buffer_slice(&seen[1])))
			fail_msg("%s: the secret changes nothing", tables[t].name);
		buffer_release(&seen[0]);
		buffer_release(&seen[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_table_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
