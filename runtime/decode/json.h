/*
 * JSON rows: scans each record once, validates all of it (RFC 8259, UTF-8), and materializes only the columns that the
 * job reads. Strings without escapes point into the record; others are built in the batch's arena.
 *
 * Pure; one decoder a lane.
 */
#ifndef STREAMJOB_DECODE_JSON_H
#define STREAMJOB_DECODE_JSON_H

#include "lib/base/error.h"
#include "lib/spec/field/jobspec.h"
#include "runtime/record/record.h"

#define JSON_DEPTH_MAX       64
#define JSON_REASON_TEXT_MAX 160

/* A row that was not wanted: `row` is its number in the record batch. */
struct bad_row {
	uint32_t row;
	enum bad_policy policy;            /* BAD_SKIP, BAD_SKIP_ROW, BAD_DEAD_LETTER or BAD_FAIL: what to do with it */
	char reason[JSON_REASON_TEXT_MAX]; /* "byte 17: expected ',' or '}'", "column latency_ms: \"x\" is not a DOUBLE"
	                                    */
	char kind[JSON_REASON_TEXT_MAX]; /* without place and value: "expected ',' or '}'", "column latency_ms is not a
	                                  * DOUBLE" */
};

/* What became NULL by policy in one column of a batch. */
struct nulled_fields {
	uint32_t bad, missing;
	uint32_t first_bad, first_missing; /* rows */
	struct slice culprit;              /* of first_bad: the value as it stood, within the record */
};

struct bad_rows {
	size_t count;
	size_t bad_fields, missing_fields; /* that became NULL by policy, among the good rows */
	const struct nulled_fields
	        *nulled;   /* of each column, where there are any; the decoder's, until the next batch */
	size_t tombstones; /* records without a value: rows by policy, or left out */
	struct bad_row items[BATCH_ROWS_MAX];
};

struct json_decoder;

/* Decodes the first `columns_count` columns of the batch; only those with read[i]. Paths are checked by the jobspec. A
 * record of more than `record_bytes` is bad. */
struct json_decoder *json_decoder_new(const struct column_spec *columns, size_t columns_count, const bool *read,
                                      const struct json_format *format, int64_t record_bytes);
void json_decoder_free(struct json_decoder *decoder);
/* Whether any well-formed record so far had a value or null for the column. */
bool json_decoder_seen(const struct json_decoder *decoder, size_t column);

/*
 * Row i of `batch` from record i. ret_rows: the good rows, ascending; returns how many. The rest are in `bad`, each
 * once, but for tombstones that are skipped. batch->rows is set to records->count.
 */
size_t json_decode(struct json_decoder *decoder, const struct record_batch *records, struct batch *batch,
                   uint32_t *ret_rows, struct bad_rows *bad);

#endif
