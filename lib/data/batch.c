#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/data/batch.h"

void column_init(struct column *column, enum type type, size_t capacity)
{
	column->type = type;
	column->valid = xcalloc(capacity, 1);
	column->values = xcalloc(capacity, type_width(type));
}

void column_release(struct column *column)
{
	free(column->valid);
	free(column->values);
	column->valid = NULL;
	column->values = NULL;
}

void batch_init(struct batch *batch, const struct schema *schema, const bool *read, size_t capacity)
{
	*batch = (struct batch){.columns_count = schema->count};
	batch->columns = xcalloc(schema->count, sizeof(*batch->columns));
	arena_init(&batch->arena);
	for (size_t i = 0; i < schema->count; i++) {
		batch->columns[i].type = schema->columns[i].type;
		if (!read || read[i])
			column_init(&batch->columns[i], schema->columns[i].type, capacity);
	}
}

void batch_release(struct batch *batch)
{
	for (size_t i = 0; i < batch->columns_count; i++)
		column_release(&batch->columns[i]);
	free(batch->columns);
	arena_release(&batch->arena);
	*batch = (struct batch){0};
}

void batch_grow(struct batch *batch, size_t rows, size_t capacity)
{
	for (size_t i = 0; i < batch->columns_count; i++) {
		struct column *column = &batch->columns[i];

		if (!column->valid)
			continue;
		column->valid = xrealloc(column->valid, capacity);
		column->values = xrealloc(column->values, capacity * type_width(column->type));
		memset(column->valid + rows, 0, capacity - rows);
	}
}

void batch_clear(struct batch *batch)
{
	batch->rows = 0;
	arena_reset(&batch->arena);
}

struct value column_value(const struct column *column, size_t row)
{
	struct value value = {.type = column->type, .null = !column->valid || !column->valid[row]};

	if (value.null)
		return value;
	switch (column->type) {
	case TYPE_NULL:
		value.null = true;
		break;
	case TYPE_BOOLEAN:
		value.boolean = column->booleans[row];
		break;
	case TYPE_INT:
		value.bigint = column->ints[row];
		break;
	case TYPE_BIGINT:
	case TYPE_TIMESTAMP:
		value.bigint = column->bigints[row];
		break;
	case TYPE_DOUBLE:
		value.real = column->doubles[row];
		break;
	case TYPE_STRING:
		value.string = column->strings[row];
		break;
	}
	return value;
}

void column_set(struct column *column, size_t row, struct value value)
{
	column->valid[row] = !value.null;
	if (value.null)
		return;
	switch (column->type) {
	case TYPE_NULL:
		break;
	case TYPE_BOOLEAN:
		column->booleans[row] = value.boolean;
		break;
	case TYPE_INT:
		column->ints[row] = (int32_t)value.bigint;
		break;
	case TYPE_BIGINT:
	case TYPE_TIMESTAMP:
		column->bigints[row] = value.bigint;
		break;
	case TYPE_DOUBLE:
		column->doubles[row] = value.real;
		break;
	case TYPE_STRING:
		column->strings[row] = value.string;
		break;
	}
}
