/*
 * The result of one window, as every sink gets it: finalized, HAVING applied, sorted by key bytes.
 */
#ifndef STREAMJOB_RESULT_H
#define STREAMJOB_RESULT_H

#include "lib/base/buffer.h"
#include "lib/data/batch.h"

struct window_result {
	int64_t start_ms, end_ms;
	uint64_t sequence;           /* from 1; the next window's is one more; a replayed window keeps its own */
	const struct schema *schema; /* group keys, then aggregates, in the order of the file */
	size_t keys_count;
	struct batch rows; /* schema's columns; any number of rows, 0 for a window that is empty */
	bool delete_group; /* onEmpty: delete, and the window is empty */
};

/* One value as plain text: NULL is empty, a TIMESTAMP is RFC 3339. */
void result_value_text(struct value value, struct buffer *out);
/* Row `row` as one JSON object, no LF: window_start, window_end (RFC 3339 UTC, milliseconds), keys, aggregates.
 * TIMESTAMPs as RFC 3339, NaN and infinities as null. */
void result_row_json(const struct window_result *result, size_t row, struct buffer *out);
/* The group keys of a row as a JSON object: the key of a Kafka record. */
void result_key_json(const struct window_result *result, size_t row, struct buffer *out);

#endif
