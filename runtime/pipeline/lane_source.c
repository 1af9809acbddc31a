/*
 * The source's own columns: kafka_key, kafka_partition, kafka_offset, kafka_timestamp, kafka_headers. A key or a header
 * that should be a text and is none is a bad field, as a field of the record is.
 */
#include <stdio.h>

#include "lib/base/text.h"
#include "runtime/pipeline/lane_parts.h"

enum { KEY, PARTITION, OFFSET, TIMESTAMP, HEADERS };

#define SHOWN_BYTES_MAX 32 /* of a key that is not UTF-8 */

/* Of the two columns that can be bad, what became NULL in this batch. */
struct nulled {
	uint32_t count, first;
};

static const struct {
	const char *kind;
	size_t column;
} bad_columns[] = {{"column kafka_key is not UTF-8 (source.kafka.keyEncoding)", KEY},
                   {"column kafka_headers is not UTF-8 (source.kafka.headerEncoding)", HEADERS}};
enum { BAD_COLUMNS = sizeof(bad_columns) / sizeof(bad_columns[0]) };

static void append_culprit(const struct record *record, size_t column, struct buffer *out)
{
	if (column == HEADERS) {
		buffer_append_slice(out, record->headers);
		return;
	}
	buffer_append_text(out, "0x");
	text_hex(out, (struct slice){record->key.data,
	                             record->key.size < SHOWN_BYTES_MAX ? record->key.size : SHOWN_BYTES_MAX});
}

static int bad_row(struct lane *lane, uint32_t row, size_t bad, struct error *err)
{
	struct buffer culprit;
	char reason[JSON_REASON_TEXT_MAX];

	buffer_init(&culprit);
	append_culprit(lane_record(lane, row), bad_columns[bad].column, &culprit);
	snprintf(reason, sizeof(reason), "%s: %.*s", bad_columns[bad].kind, SLICE_ARG(buffer_slice(&culprit)));
	buffer_release(&culprit);
	return lane_bad_row(lane, row, lane->setup->job->json.on_bad_field, reason, bad_columns[bad].kind, err);
}

static void note_nulled(struct lane *lane, const struct nulled *nulled, size_t bad)
{
	const struct record *record = &lane->records.records[nulled->first];
	struct buffer culprit;

	buffer_init(&culprit);
	append_culprit(record, bad_columns[bad].column, &culprit);
	lane_note_bad_values(lane, nulled->count, nulled->first, bad_columns[bad].kind, buffer_slice(&culprit));
	buffer_release(&culprit);
}

/* False where it should be a text and is none. */
static bool set_key(struct lane *lane, struct column *column, uint32_t row, struct buffer *encoded)
{
	enum bytes_encoding encoding = lane->setup->job->source.kafka.key_encoding;
	struct slice key = lane->records.records[row].key;

	column->valid[row] = key.data != NULL;
	if (!key.data)
		return true;
	if (encoding != BYTES_UTF8) {
		buffer_clear(encoded);
		(encoding == BYTES_HEX ? text_hex : text_base64)(encoded, key);
		key = arena_copy(&lane->batch.arena, buffer_slice(encoded));
	} else if (!text_is_utf8(key)) {
		column->valid[row] = 0;
		return false;
	}
	column->strings[row] = key;
	return true;
}

static bool set_headers(const struct lane *lane, struct column *column, uint32_t row)
{
	const struct record *record = &lane->records.records[row];

	column->valid[row] = record->headers.data != NULL && !record->headers_bad;
	column->strings[row] = record->headers;
	return !record->headers_bad;
}

static void set_place(const struct lane *lane, struct column *columns, const bool *read, uint32_t row)
{
	const struct record *record = &lane->records.records[row];

	if (read[PARTITION]) {
		columns[PARTITION].valid[row] = 1;
		columns[PARTITION].ints[row] = (int32_t)record->partition;
	}
	if (read[OFFSET]) {
		columns[OFFSET].valid[row] = 1;
		columns[OFFSET].bigints[row] = record->offset;
	}
	if (read[TIMESTAMP]) {
		columns[TIMESTAMP].valid[row] = record->timestamp_ms >= 0;
		columns[TIMESTAMP].bigints[row] = record->timestamp_ms;
	}
}

/* 1: the row stays; 0: it is out; -1. */
static int judge(struct lane *lane, uint32_t row, const bool good[BAD_COLUMNS], struct nulled nulled[BAD_COLUMNS],
                 struct error *err)
{
	for (size_t bad = 0; bad < BAD_COLUMNS; bad++) {
		if (good[bad])
			continue;
		if (lane->setup->job->json.on_bad_field != BAD_NULL)
			return bad_row(lane, row, bad, err);
		if (!nulled[bad].count++)
			nulled[bad].first = row;
	}
	return 1;
}

int lane_source_columns(struct lane *lane, size_t n, struct error *err)
{
	const struct query *query = lane->query;
	struct column *columns = lane->batch.columns + query->declared_count;
	const bool *read = query->read + query->declared_count;
	struct nulled nulled[BAD_COLUMNS] = {{0}};
	struct buffer encoded;
	size_t kept = 0;
	int stays = 1;

	if (!query->source_count)
		return (int)n;
	buffer_init(&encoded);
	for (size_t i = 0; i < n && stays >= 0; i++) {
		uint32_t row = lane->rows[i];
		const bool good[BAD_COLUMNS] = {!read[KEY] || set_key(lane, &columns[KEY], row, &encoded),
		                                !read[HEADERS] || set_headers(lane, &columns[HEADERS], row)};

		set_place(lane, columns, read, row);
		stays = judge(lane, row, good, nulled, err);
		if (stays > 0)
			lane->rows[kept++] = row;
	}
	buffer_release(&encoded);
	for (size_t bad = 0; bad < BAD_COLUMNS; bad++)
		if (nulled[bad].count)
			note_nulled(lane, &nulled[bad], bad);
	return stays < 0 ? -1 : (int)kept;
}
