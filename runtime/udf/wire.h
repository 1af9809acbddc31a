/*
 * Numbers, texts and columns in the shared memory: a writer that never passes its end, a reader that believes nothing.
 *
 * A column of n rows: its type, n bytes of validity, n values; a STRING column has n + 1 offsets and the bytes instead.
 */
#ifndef STREAMJOB_UDF_WIRE_H
#define STREAMJOB_UDF_WIRE_H

#include "lib/base/buffer.h"
#include "lib/data/batch.h"

struct wire_out {
	char *data; /* aligned to 16 */
	size_t size, max;
	bool overflow; /* something did not fit; what is written after is lost */
};

struct wire_in {
	const char *data;
	size_t size, at;
	bool bad; /* something was not there; what is read after is 0 and empty */
};

/* Room for `size` bytes, aligned to 8, or NULL. */
void *wire_reserve(struct wire_out *out, size_t size);
void wire_put_u32(struct wire_out *out, uint32_t value);
void wire_put_u64(struct wire_out *out, uint64_t value);
void wire_put_text(struct wire_out *out, struct slice text);
void wire_put_u32s(struct wire_out *out, const uint32_t *values, size_t n);

uint32_t wire_take_u32(struct wire_in *in);
uint64_t wire_take_u64(struct wire_in *in);
struct slice wire_take_text(struct wire_in *in);
const uint32_t *wire_take_u32s(struct wire_in *in, size_t n);

struct wire_column {
	enum type type;
	bool nulls; /* any */
	const uint8_t *valid;
	union {
		const void *values;
		const uint8_t *booleans;
		const int32_t *ints;
		const int64_t *bigints;
		const double *doubles;
		const uint32_t *offsets;
	};
	const char *bytes; /* STRING */
};

static inline struct slice wire_string(const struct wire_column *column, size_t row)
{
	return (struct slice){column->bytes + column->offsets[row], column->offsets[row + 1] - column->offsets[row]};
}

/* Checked: type, sizes, validity of 0 and 1, booleans of 0 and 1, offsets that ascend within the bytes. */
void wire_take_column(struct wire_in *in, size_t n, struct wire_column *ret_column);
/* column's rows[i], i < n. */
void wire_put_column(struct wire_out *out, const struct column *column, const uint32_t *rows, size_t n);
/* How many bytes that takes at most. */
size_t wire_column_bytes(const struct column *column, const uint32_t *rows, size_t n);

/* A column that grows, for results. */
struct grown_column {
	enum type type;
	size_t count, capacity;
	uint8_t *valid;
	char *values;
	struct buffer strings;
	uint32_t *ends; /* STRING: where each ends in `strings` */
};
void grown_column_init(struct grown_column *column, enum type type);
void grown_column_release(struct grown_column *column);
void grown_column_add(struct grown_column *column, struct value value);
/* n values of a fixed width; valid NULL: none is NULL. What is under a NULL goes as 0. */
void grown_column_add_all(struct grown_column *column, const void *values, const uint8_t *valid, size_t n);
/* Room for one more value. */
void grown_column_grow(struct grown_column *column);
static inline void grown_column_add_double(struct grown_column *column, double value)
{
	if (column->count == column->capacity)
		grown_column_grow(column);
	column->valid[column->count] = 1;
	((double *)(void *)column->values)[column->count++] = value;
}
void grown_column_truncate(struct grown_column *column, size_t count);
void wire_put_grown(struct wire_out *out, const struct grown_column *column);

#endif
