#include "runtime/pushgateway/series.h"

#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/memory.h"

#define SLOTS_MIN 64

void series_init(struct series_table *table)
{
	*table = (struct series_table){0};
	buffer_init(&table->labels);
}

void series_release(struct series_table *table)
{
	free(table->items);
	free(table->slots);
	buffer_release(&table->labels);
	series_init(table);
}

static void index_all(struct series_table *table)
{
	if (!table->slots)
		return; /* it never had one */
	memset(table->slots, 0, table->slots_count * sizeof(*table->slots));
	for (size_t i = 0; i < table->count; i++) {
		size_t slot = table->items[i].hash & (table->slots_count - 1);

		while (table->slots[slot])
			slot = (slot + 1) & (table->slots_count - 1);
		table->slots[slot] = (uint32_t)(i + 1);
	}
}

void series_clear(struct series_table *table)
{
	table->count = 0;
	buffer_clear(&table->labels);
	index_all(table);
}

static void grow(struct series_table *table)
{
	free(table->slots);
	table->slots_count = table->slots_count ? table->slots_count * 2 : SLOTS_MIN;
	table->slots = xcalloc(table->slots_count, sizeof(*table->slots));
	table->capacity = table->slots_count / 4 * 3;
	table->items = xrealloc(table->items, table->capacity * sizeof(*table->items));
	index_all(table);
}

struct series *series_get(struct series_table *table, struct slice labels, size_t max)
{
	uint64_t hash = hash_bytes(labels.data, labels.size);
	struct series *series;
	size_t slot;

	if (table->count >= table->capacity)
		grow(table);
	for (slot = hash & (table->slots_count - 1); table->slots[slot]; slot = (slot + 1) & (table->slots_count - 1)) {
		series = &table->items[table->slots[slot] - 1];
		if (series->hash == hash && slice_equal(series_labels(table, series), labels))
			return series;
	}
	if (table->count >= max || table->labels.size + labels.size > table->labels.max)
		return NULL;
	series = &table->items[table->count++];
	*series = (struct series){.hash = hash, .begin = table->labels.size, .size = labels.size};
	buffer_append_slice(&table->labels, labels);
	table->slots[slot] = (uint32_t)table->count;
	return series;
}

const struct series *series_find(const struct series_table *table, struct slice labels)
{
	uint64_t hash;

	if (!table->count)
		return NULL;
	hash = hash_bytes(labels.data, labels.size);
	for (size_t slot = hash & (table->slots_count - 1); table->slots[slot];
	     slot = (slot + 1) & (table->slots_count - 1)) {
		const struct series *series = &table->items[table->slots[slot] - 1];

		if (series->hash == hash && slice_equal(series_labels(table, series), labels))
			return series;
	}
	return NULL;
}

void series_apply(struct series_table *table, uint64_t window)
{
	for (size_t i = 0; i < table->count; i++) {
		struct series *series = &table->items[i];

		if (!series->touched)
			continue;
		series->value += series->staged;
		series->staged = 0;
		series->touched = false;
		series->counts = true;
		series->window = window;
	}
}

/* Keeps the series for which `counts` or, with a window, those that are not idle. */
static void keep(struct series_table *table, uint64_t window, uint64_t idle_windows)
{
	struct buffer labels;
	size_t kept = 0;

	buffer_init(&labels);
	for (size_t i = 0; i < table->count; i++) {
		struct series series = table->items[i];

		if (!series.counts || series_is_idle(&series, window, idle_windows))
			continue;
		buffer_append_slice(&labels, series_labels(table, &series));
		series.begin = labels.size - series.size;
		table->items[kept++] = series;
	}
	buffer_release(&table->labels);
	table->labels = labels;
	table->count = kept;
	index_all(table);
}

void series_drop(struct series_table *table)
{
	bool any_new = false;

	for (size_t i = 0; i < table->count; i++) {
		table->items[i].staged = 0;
		table->items[i].touched = false;
		any_new = any_new || !table->items[i].counts;
	}
	if (any_new)
		keep(table, 0, 0);
}

bool series_is_idle(const struct series *series, uint64_t window, uint64_t idle_windows)
{
	return idle_windows && !series->touched && window > series->window && window - series->window > idle_windows;
}

size_t series_forget(struct series_table *table, uint64_t window, uint64_t idle_windows)
{
	size_t idle = 0;

	for (size_t i = 0; i < table->count; i++)
		idle += series_is_idle(&table->items[i], window, idle_windows);
	if (idle)
		keep(table, window, idle_windows);
	return idle;
}
