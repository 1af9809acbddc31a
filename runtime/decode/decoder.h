/* What the halves of the JSON decoder share: inside runtime/decode only. */
#ifndef STREAMJOB_DECODE_DECODER_H
#define STREAMJOB_DECODE_DECODER_H

#include "runtime/decode/json.h"
#include "runtime/decode/path.h"
#include "runtime/decode/scan.h"

enum found { FOUND_MISSING, FOUND_NULL, FOUND_VALUE, FOUND_BAD };

struct json_decoder {
	const struct column_spec *columns;
	size_t columns_count;
	struct json_format format;
	size_t record_bytes; /* a longer record is bad */
	struct path_node root;
	size_t *read; /* the columns that are read */
	size_t read_count;
	uint8_t *found;               /* of each column, in this row */
	struct slice *culprit;        /* of FOUND_BAD: the value as it stood */
	struct nulled_fields *nulled; /* of each column, in this batch */
	bool any_nulled;
	bool *seen;         /* of each column, in any batch */
	size_t unseen;      /* read columns that are not */
	struct arena arena; /* paths */
	struct arena keys;  /* names with escapes, of this row */
	struct batch *batch;
	uint32_t row;
	uint64_t row_count; /* of all rows so far, from 1 */
	struct scan scan;
};

/* The scan failed: what was expected. */
static inline bool wrong(struct json_decoder *decoder, const char *expected)
{
	decoder->scan.wrong = expected;
	return false;
}

/* parse.c: the whole record; false with scan.wrong set. */
bool parse_row(struct json_decoder *decoder, struct slice record);

/* values.c: a scalar at scan.at, for every column that ends at `node`. */
bool parse_text(struct json_decoder *decoder, const struct path_node *node);
bool parse_number(struct json_decoder *decoder, const struct path_node *node);
bool parse_word(struct json_decoder *decoder, const struct path_node *node, const char *word, size_t size);
void set_found(struct json_decoder *decoder, size_t column, bool good, struct slice culprit);

#endif
