#include "runtime/udf/results.h"

#include <stdatomic.h>

#include "lib/base/text.h"

#define COLLECTED_MIN 64

void add_failure(struct row_failures *failures, uint32_t row, const char *reason)
{
	for (size_t i = 0; i < failures->count; i++)
		if (failures->rows[i] == row)
			return;
	if (failures->count == BATCH_ROWS_MAX)
		return;
	failures->rows[failures->count] = row;
	failures->reasons[failures->count++] = reason;
}

void take_failures(struct udf_worker *worker, const uint32_t *rows, size_t n, struct row_failures *failures)
{
	struct udf_counts *counts = worker->environment.counts;
	uint32_t count = wire_take_u32(&worker->in);

	if (count > n)
		worker->in.bad = true;
	for (uint32_t i = 0; !worker->in.bad && i < count; i++) {
		uint32_t index = wire_take_u32(&worker->in);
		struct slice reason = wire_take_text(&worker->in);

		worker->in.bad |= index >= n;
		if (!worker->in.bad)
			add_failure(failures, rows[index], arena_string(&worker->arena, reason));
	}
	if (counts)
		atomic_fetch_add_explicit(&counts->row_failures, count, memory_order_relaxed);
}

static struct value taken(struct udf_worker *worker, const struct wire_column *column, size_t i)
{
	struct value value = {.type = column->type, .null = !column->valid[i]};

	if (value.null)
		return value;
	switch (column->type) {
	case TYPE_BOOLEAN:
		value.boolean = column->booleans[i];
		break;
	case TYPE_INT:
		value.bigint = column->ints[i];
		break;
	case TYPE_BIGINT:
	case TYPE_TIMESTAMP:
		value.bigint = column->bigints[i];
		break;
	case TYPE_DOUBLE:
		value.real = column->doubles[i];
		break;
	case TYPE_STRING:
		value.string = arena_copy(&worker->arena, wire_string(column, i));
		break;
	case TYPE_NULL:
		value.null = true;
		break;
	}
	return value;
}

/* Text of an untrusted process: what it says is UTF-8 must be. */
static bool good_strings(const struct wire_column *column, size_t n)
{
	for (size_t i = 0; column->type == TYPE_STRING && i < n; i++)
		if (column->valid[i] && !text_is_utf8(wire_string(column, i)))
			return false;
	return true;
}

static bool take_result(struct udf_worker *worker, size_t result, size_t n, struct wire_column *ret_column)
{
	wire_take_column(&worker->in, n, ret_column);
	if (!worker->in.bad && (ret_column->type != worker->results[result] || !good_strings(ret_column, n)))
		worker->in.bad = true;
	return !worker->in.bad;
}

void take_values(struct udf_worker *worker, const uint32_t *rows, size_t n, struct column *results)
{
	for (size_t c = 0; c < worker->results_count; c++) {
		struct wire_column column;

		if (!take_result(worker, c, n, &column))
			return;
		for (size_t i = 0; i < n; i++)
			column_set(&results[c], rows[i], taken(worker, &column, i));
	}
}

static void *grown(struct arena *arena, const void *old, size_t count, size_t capacity, size_t width)
{
	void *bigger = arena_zalloc(arena, capacity * width);

	if (count)
		memcpy(bigger, old, count * width);
	return bigger;
}

static void make_room(struct udf_worker *worker, struct row_collector *collector, size_t more)
{
	size_t needed = collector->count + more, capacity = collector->capacity ? collector->capacity : COLLECTED_MIN;

	if (needed <= collector->capacity)
		return;
	while (capacity < needed)
		capacity *= 2;
	for (size_t c = 0; c < worker->results_count; c++) {
		struct column *column = &collector->columns[c];

		column->type = worker->results[c];
		column->valid = grown(&worker->arena, column->valid, collector->count, capacity, 1);
		column->values =
		        grown(&worker->arena, column->values, collector->count, capacity, type_width(column->type));
	}
	collector->parents =
	        grown(&worker->arena, collector->parents, collector->count, capacity, sizeof(*collector->parents));
	collector->capacity = capacity;
}

void take_rows(struct udf_worker *worker, const uint32_t *rows, size_t n, struct row_collector *collector)
{
	uint32_t count = wire_take_u32(&worker->in), before = 0;
	const uint32_t *parents = wire_take_u32s(&worker->in, count);

	if (!parents)
		return;
	for (uint32_t i = 0; i < count; i++) {
		worker->in.bad |= parents[i] >= n || parents[i] < before;
		before = parents[i];
	}
	if (worker->in.bad)
		return;
	make_room(worker, collector, count);
	for (uint32_t i = 0; i < count; i++)
		collector->parents[collector->count + i] = rows[parents[i]];
	for (size_t c = 0; c < worker->results_count; c++) {
		struct wire_column column;

		if (!take_result(worker, c, count, &column))
			return;
		for (uint32_t i = 0; i < count; i++)
			column_set(&collector->columns[c], collector->count + i, taken(worker, &column, i));
	}
	collector->count += count;
}

struct udf_rows collected(struct udf_worker *worker, const struct row_collector *collector)
{
	size_t bytes = sizeof(struct column) * worker->results_count;
	struct column *columns = arena_alloc(&worker->arena, bytes);

	for (size_t c = 0; c < worker->results_count; c++) {
		columns[c] = collector->columns[c];
		columns[c].type = worker->results[c];
	}
	return (struct udf_rows){.count = collector->count, .columns = columns, .parents = collector->parents};
}
