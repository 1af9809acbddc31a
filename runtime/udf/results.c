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

/* Cut to what a reason may be; what is no text says so. */
static const char *reason_text(struct arena *arena, struct slice reason)
{
	if (reason.size > UDF_REASON_BYTES_MAX)
		reason.size = UDF_REASON_BYTES_MAX;
	while (reason.size && reason.size == UDF_REASON_BYTES_MAX && (reason.data[reason.size - 1] & 0x80))
		reason.size--;
	if (!text_is_utf8(reason))
		return "the function raised, and its words are not UTF-8";
	return arena_string(arena, reason);
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
			add_failure(failures, rows[index], reason_text(&worker->arena, reason));
	}
	if (counts && !worker->in.bad)
		atomic_fetch_add_explicit(&counts->row_failures, count, memory_order_relaxed);
}

#define TAKE_VALUES(member)                                                                                            \
	for (size_t i = 0; i < n; i++)                                                                                 \
	out->member[rows[i]] = column->member[i]

/* The values of a column to rows[i] of `out`; strings get one copy of all their bytes. */
static void take_column(struct udf_worker *worker, const struct wire_column *column, const uint32_t *rows, size_t n,
                        struct column *out)
{
	struct slice text;

	for (size_t i = 0; i < n; i++)
		out->valid[rows[i]] = column->valid[i];
	switch (column->type) {
	case TYPE_BOOLEAN:
		TAKE_VALUES(booleans);
		break;
	case TYPE_INT:
		TAKE_VALUES(ints);
		break;
	case TYPE_BIGINT:
	case TYPE_TIMESTAMP:
		TAKE_VALUES(bigints);
		break;
	case TYPE_DOUBLE:
		TAKE_VALUES(doubles);
		break;
	case TYPE_STRING:
		text = arena_copy(&worker->arena, (struct slice){column->bytes, column->offsets[n]});
		for (size_t i = 0; i < n; i++)
			out->strings[rows[i]] = (struct slice){text.data + column->offsets[i],
			                                       column->offsets[i + 1] - column->offsets[i]};
		break;
	case TYPE_NULL:
		break;
	}
}

/* Text of an untrusted process: what it says is UTF-8 must be. */
static bool good_strings(const struct wire_column *column, size_t n)
{
	struct slice all;

	if (column->type != TYPE_STRING)
		return true;
	all = (struct slice){column->bytes, column->offsets[n]};
	if (!text_is_utf8(all))
		return false;
	for (size_t i = 1; i < n; i++) /* none begins within a character, so none ends there */
		if (column->offsets[i] < all.size && ((unsigned char)all.data[column->offsets[i]] & 0xc0) == 0x80)
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
		take_column(worker, &column, rows, n, &results[c]);
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
	uint32_t *places;

	if (!parents)
		return;
	for (uint32_t i = 0; i < count; i++) {
		worker->in.bad |= parents[i] >= n || parents[i] < before;
		before = parents[i];
	}
	if (worker->in.bad)
		return;
	make_room(worker, collector, count);
	places = arena_alloc(&worker->arena, count * sizeof(*places));
	for (uint32_t i = 0; i < count; i++) {
		places[i] = (uint32_t)collector->count + i;
		collector->parents[places[i]] = rows[parents[i]];
	}
	for (size_t c = 0; c < worker->results_count; c++) {
		struct wire_column column;

		if (!take_result(worker, c, count, &column))
			return;
		take_column(worker, &column, places, count, &collector->columns[c]);
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
