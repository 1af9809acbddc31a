/*
 * Row keys: the group columns of a row as bytes. Equal keys have equal bytes, and memcmp of two keys orders
 * the rows by their columns, NULLs first.
 *
 * Encoding, column after column: 0x00 for NULL; else 0x01 and the value: BOOLEAN one byte; INT, BIGINT, TIMESTAMP
 * big-endian with the sign bit flipped; DOUBLE its total order (-0.0 as 0.0, every NaN as one NaN above +Inf);
 * STRING its bytes with 0x00 as 0x00 0xff, ended by 0x00 0x00.
 */
#ifndef STREAMJOB_ROW_KEY_H
#define STREAMJOB_ROW_KEY_H

#include "lib/data/batch.h"

/* Keys and hashes of rows[0..n): ret_keys[i] and ret_hashes[i] are those of rows[i]; the bytes are in `arena`. */
void row_key_encode(const struct column *const *columns, size_t columns_count, const uint32_t *rows, size_t n,
                    struct arena *arena, struct slice *ret_keys, uint64_t *ret_hashes);

/* The values again, by the types they were encoded with; strings that hold 0x00 are rebuilt in `arena`, others
 * point into `key`. Returns -1 where the bytes are not such a key; ret_values is then unset. */
int row_key_decode(struct slice key, const enum type *types, size_t columns_count, struct arena *arena,
                   struct value *ret_values);

#endif
