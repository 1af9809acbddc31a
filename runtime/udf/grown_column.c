/* Columns of results that grow a value at a time, and their form on the wire. */
#include <stdlib.h>

#include "lib/base/memory.h"
#include "runtime/udf/wire.h"

#define GROWN_ROWS_MIN 64

void grown_column_init(struct grown_column *column, enum type type)
{
	*column = (struct grown_column){.type = type};
	buffer_init(&column->strings);
}

void grown_column_release(struct grown_column *column)
{
	free(column->valid);
	free(column->values);
	free(column->ends);
	buffer_release(&column->strings);
	grown_column_init(column, column->type);
}

void grown_column_grow(struct grown_column *column)
{
	size_t capacity = column->capacity ? 2 * column->capacity : GROWN_ROWS_MIN;

	column->valid = xrealloc(column->valid, capacity);
	if (column->type == TYPE_STRING)
		column->ends = xrealloc(column->ends, capacity * sizeof(*column->ends));
	else
		column->values = xrealloc(column->values, capacity * type_width(column->type));
	column->capacity = capacity;
}

void grown_column_add(struct grown_column *column, struct value value)
{
	struct column whole;

	if (column->count == column->capacity)
		grown_column_grow(column);
	if (column->type == TYPE_STRING) {
		if (!value.null)
			buffer_append_slice(&column->strings, value.string);
		column->valid[column->count] = !value.null;
		column->ends[column->count++] = (uint32_t)column->strings.size;
		return;
	}
	whole = (struct column){.type = column->type, .valid = column->valid, .values = column->values};
	memset(column->values + column->count * type_width(column->type), 0, type_width(column->type));
	column_set(&whole, column->count++, value);
}

void grown_column_add_all(struct grown_column *column, const void *values, const uint8_t *valid, size_t n)
{
	size_t width = type_width(column->type);

	while (column->capacity - column->count < n)
		grown_column_grow(column);
	if (!n)
		return;
	memcpy(column->values + column->count * width, values, n * width);
	memset(column->valid + column->count, 1, n);
	for (size_t i = 0; valid && i < n; i++)
		if (!valid[i]) {
			column->valid[column->count + i] = 0;
			memset(column->values + (column->count + i) * width, 0, width);
		}
	for (size_t i = 0; column->type == TYPE_BOOLEAN && i < n; i++)
		column->values[column->count + i] = column->values[column->count + i] != 0;
	column->count += n;
}

void grown_column_truncate(struct grown_column *column, size_t count)
{
	if (count >= column->count)
		return;
	column->count = count;
	if (column->type == TYPE_STRING)
		column->strings.size = count ? column->ends[count - 1] : 0;
}

void wire_put_grown(struct wire_out *out, const struct grown_column *column)
{
	size_t n = column->count;
	void *room;

	wire_put_u32(out, column->type);
	room = wire_reserve(out, n);
	if (room && n)
		memcpy(room, column->valid, n);
	if (column->type == TYPE_STRING) {
		uint32_t *offsets = wire_reserve(out, (n + 1) * sizeof(*offsets));

		if (offsets) {
			offsets[0] = 0;
			if (n)
				memcpy(offsets + 1, column->ends, n * sizeof(*offsets));
		}
		room = wire_reserve(out, column->strings.size);
		if (room && column->strings.size)
			memcpy(room, column->strings.data, column->strings.size);
		return;
	}
	room = wire_reserve(out, n * type_width(column->type));
	if (room && n)
		memcpy(room, column->values, n * type_width(column->type));
}
