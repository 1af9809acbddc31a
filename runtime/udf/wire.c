#include "runtime/udf/wire.h"

#define WIRE_ALIGN 8

static size_t aligned(size_t size)
{
	return (size + WIRE_ALIGN - 1) & ~(size_t)(WIRE_ALIGN - 1);
}

void *wire_reserve(struct wire_out *out, size_t size)
{
	size_t at = aligned(out->size);

	if (out->overflow || at > out->max || size > out->max - at) {
		out->overflow = true;
		return NULL;
	}
	out->size = at + size;
	return out->data + at;
}

static void put(struct wire_out *out, const void *bytes, size_t size)
{
	void *room = wire_reserve(out, size);

	if (room && size)
		memcpy(room, bytes, size);
}

void wire_put_u32(struct wire_out *out, uint32_t value)
{
	put(out, &value, sizeof(value));
}

void wire_put_u64(struct wire_out *out, uint64_t value)
{
	put(out, &value, sizeof(value));
}

void wire_put_text(struct wire_out *out, struct slice text)
{
	wire_put_u32(out, (uint32_t)text.size);
	put(out, text.data, text.size);
}

void wire_put_u32s(struct wire_out *out, const uint32_t *values, size_t n)
{
	put(out, values, n * sizeof(*values));
}

static const void *wire_take(struct wire_in *in, size_t size)
{
	size_t at = aligned(in->at);

	if (in->bad || at > in->size || size > in->size - at) {
		in->bad = true;
		return NULL;
	}
	in->at = at + size;
	return in->data + at;
}

uint32_t wire_take_u32(struct wire_in *in)
{
	const void *bytes = wire_take(in, sizeof(uint32_t));
	uint32_t value = 0;

	if (bytes)
		memcpy(&value, bytes, sizeof(value));
	return value;
}

uint64_t wire_take_u64(struct wire_in *in)
{
	const void *bytes = wire_take(in, sizeof(uint64_t));
	uint64_t value = 0;

	if (bytes)
		memcpy(&value, bytes, sizeof(value));
	return value;
}

struct slice wire_take_text(struct wire_in *in)
{
	uint32_t size = wire_take_u32(in);
	const char *bytes = wire_take(in, size);

	return bytes ? (struct slice){bytes, size} : (struct slice){"", 0};
}

const uint32_t *wire_take_u32s(struct wire_in *in, size_t n)
{
	return wire_take(in, n * sizeof(uint32_t));
}

static bool all_flags(const uint8_t *bytes, size_t n)
{
	uint64_t seen = 0, word;
	size_t i = 0;

	for (; i + sizeof(word) <= n; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		seen |= word;
	}
	for (; i < n; i++)
		seen |= bytes[i];
	return (seen & 0xfefefefefefefefe) == 0;
}

static void take_strings(struct wire_in *in, size_t n, struct wire_column *column)
{
	const uint32_t *offsets = wire_take_u32s(in, n + 1);

	column->offsets = offsets;
	if (!offsets)
		return;
	in->bad = offsets[0] != 0;
	for (size_t i = 0; i < n; i++)
		in->bad |= offsets[i + 1] < offsets[i];
	if (!in->bad)
		column->bytes = wire_take(in, offsets[n]);
}

void wire_take_column(struct wire_in *in, size_t n, struct wire_column *ret_column)
{
	uint32_t type = wire_take_u32(in);

	*ret_column = (struct wire_column){.type = TYPE_BOOLEAN};
	if (type <= TYPE_NULL || type >= TYPE_COUNT || n > in->size) {
		in->bad = true;
		return;
	}
	ret_column->type = (enum type)type;
	ret_column->valid = wire_take(in, n);
	if (!ret_column->valid)
		return;
	if (!all_flags(ret_column->valid, n)) {
		in->bad = true;
		return;
	}
	ret_column->nulls = memchr(ret_column->valid, 0, n) != NULL;
	if (type == TYPE_STRING) {
		take_strings(in, n, ret_column);
		return;
	}
	ret_column->values = wire_take(in, n * type_width((enum type)type));
	if (type == TYPE_BOOLEAN && ret_column->values && !all_flags(ret_column->booleans, n))
		in->bad = true;
}

static size_t string_bytes(const struct column *column, const uint32_t *rows, size_t n)
{
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t row = rows[i];

		bytes += column->valid[row] ? column->strings[row].size : 0;
	}
	return bytes;
}

size_t wire_column_bytes(const struct column *column, const uint32_t *rows, size_t n)
{
	if (column->type == TYPE_STRING)
		return 32 + n + (n + 1) * sizeof(uint32_t) + string_bytes(column, rows, n);
	return 32 + n + n * type_width(column->type);
}

static void put_strings(struct wire_out *out, const struct column *column, const uint32_t *rows, size_t n)
{
	uint32_t *offsets = wire_reserve(out, (n + 1) * sizeof(*offsets));
	char *bytes = wire_reserve(out, string_bytes(column, rows, n));
	uint32_t at = 0;

	if (!offsets || !bytes)
		return;
	for (size_t i = 0; i < n; i++) {
		uint32_t row = rows[i];

		offsets[i] = at;
		if (!column->valid[row] || !column->strings[row].size)
			continue;
		memcpy(bytes + at, column->strings[row].data, column->strings[row].size);
		at += (uint32_t)column->strings[row].size;
	}
	offsets[n] = at;
}

/* The value under a NULL is unset, so it goes as 0: nothing of another row leaks, and booleans stay 0 and 1. */
#define PUT_VALUES(member, type)                                                                                       \
	do {                                                                                                           \
		type *to = values;                                                                                     \
		for (size_t i = 0; i < n; i++) {                                                                       \
			uint32_t row = rows[i];                                                                        \
			to[i] = column->valid[row] ? column->member[row] : 0;                                          \
		}                                                                                                      \
	} while (0)

static void put_values(void *values, const struct column *column, const uint32_t *rows, size_t n)
{
	switch (column->type) {
	case TYPE_BOOLEAN:
		PUT_VALUES(booleans, uint8_t);
		break;
	case TYPE_INT:
		PUT_VALUES(ints, int32_t);
		break;
	case TYPE_BIGINT:
	case TYPE_TIMESTAMP:
		PUT_VALUES(bigints, int64_t);
		break;
	case TYPE_DOUBLE:
		PUT_VALUES(doubles, double);
		break;
	case TYPE_NULL:
	case TYPE_STRING:
		break;
	}
}

/* Rows that stand one after the other: whole batches do, where no filter took any out. */
static bool in_a_row(const uint32_t *rows, size_t n)
{
	uint32_t off = 0;

	for (size_t i = 0; i < n; i++)
		off |= rows[i] ^ (rows[0] + (uint32_t)i);
	return off == 0;
}

void wire_put_column(struct wire_out *out, const struct column *column, const uint32_t *rows, size_t n)
{
	size_t width = type_width(column->type);
	bool together = in_a_row(rows, n);
	uint8_t *valid;
	void *values;

	wire_put_u32(out, column->type);
	valid = wire_reserve(out, n);
	if (valid && n && together)
		memcpy(valid, column->valid + rows[0], n);
	for (size_t i = 0; valid && !together && i < n; i++)
		valid[i] = column->valid[rows[i]];
	if (column->type == TYPE_STRING) {
		put_strings(out, column, rows, n);
		return;
	}
	values = wire_reserve(out, n * width);
	if (values && valid && n && together && !memchr(valid, 0, n))
		memcpy(values, (const char *)column->values + rows[0] * width, n * width);
	else if (values)
		put_values(values, column, rows, n);
}
