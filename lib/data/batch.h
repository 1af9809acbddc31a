/*
 * Batches of columns: how rows live between the decoder and the aggregates.
 *
 * A column is an array of its type's width and an array of validity bytes (1: a value, 0: NULL; the value under
 * a NULL is unset). Strings are slices into the raw record, the batch's arena or the program's text; they live as
 * long as the batch. A batch that the hot path works on has at most BATCH_ROWS_MAX rows; results may have more.
 *
 * A selection is an ascending list of row numbers: `const uint32_t *rows, size_t n`.
 * Threads: a batch belongs to one lane at a time.
 */
#ifndef STREAMJOB_BATCH_H
#define STREAMJOB_BATCH_H

#include "lib/base/arena.h"
#include "lib/data/type.h"

#define BATCH_ROWS_MAX 1024

struct column {
	enum type type;
	uint8_t *valid; /* NULL for a column that is declared but not read: then values is NULL too */
	union {
		void *values;
		uint8_t *booleans; /* 0 or 1 */
		int32_t *ints;
		int64_t *bigints; /* BIGINT and TIMESTAMP */
		double *doubles;
		struct slice *strings;
	};
};

struct batch {
	size_t rows;
	size_t columns_count;
	struct column *columns;
	struct arena arena; /* strings that had to be built; reset with the batch */
};

/* Columns of `schema`, each with room for `capacity` rows; where `read` is given, only columns i with read[i]. */
void batch_init(struct batch *batch, const struct schema *schema, const bool *read, size_t capacity);
void batch_release(struct batch *batch);
/* Room for `capacity` rows in every column; the first `rows` are kept. */
void batch_grow(struct batch *batch, size_t rows, size_t capacity);
/* No rows, an empty arena; capacity stays. */
void batch_clear(struct batch *batch);

/* Room for `capacity` rows of that type, from malloc; column_release frees it. */
void column_init(struct column *column, enum type type, size_t capacity);
void column_release(struct column *column);
struct value column_value(const struct column *column, size_t row);
/* Stores a value of the column's own type, or NULL. A string's bytes are not copied. */
void column_set(struct column *column, size_t row, struct value value);

#endif
