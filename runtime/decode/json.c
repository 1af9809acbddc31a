/*
 * Rows and policies. What a column got is noted in `found`, so that a later duplicate of a key replaces it; policies
 * are applied when the whole record has proved to be well formed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "runtime/decode/decoder.h"

struct json_decoder *json_decoder_new(const struct column_spec *columns, size_t columns_count, const bool *read,
                                      const struct json_format *format, int64_t record_bytes)
{
	struct json_decoder *decoder = xcalloc(1, sizeof(*decoder));

	decoder->columns = columns;
	decoder->format = *format;
	decoder->record_bytes = (size_t)record_bytes;
	arena_init(&decoder->arena);
	arena_init(&decoder->keys);
	decoder->read = xcalloc(columns_count, sizeof(size_t));
	decoder->found = xcalloc(columns_count, 1);
	decoder->culprit = xcalloc(columns_count, sizeof(struct slice));
	decoder->columns_count = columns_count;
	decoder->nulled = xcalloc(columns_count + 1, sizeof(*decoder->nulled));
	decoder->seen = xcalloc(columns_count + 1, sizeof(bool));
	for (size_t i = 0; i < columns_count; i++) {
		if (!read[i])
			continue;
		decoder->read[decoder->read_count++] = i;
		path_add(&decoder->root, slice_of(columns[i].path), i, &decoder->arena);
	}
	decoder->unseen = decoder->read_count;
	return decoder;
}

void json_decoder_free(struct json_decoder *decoder)
{
	if (!decoder)
		return;
	arena_release(&decoder->arena);
	arena_release(&decoder->keys);
	free(decoder->read);
	free(decoder->found);
	free(decoder->culprit);
	free(decoder->nulled);
	free(decoder->seen);
	free(decoder);
}

bool json_decoder_seen(const struct json_decoder *decoder, size_t column)
{
	return decoder->seen[column];
}

static struct bad_row *add_bad(struct json_decoder *decoder, struct bad_rows *bad, enum bad_policy policy)
{
	struct bad_row *row = &bad->items[bad->count++];

	row->row = decoder->row;
	row->policy = policy;
	return row;
}

#define CULPRIT_BYTES_MAX 48

static void bad_field_reason(struct json_decoder *decoder, size_t column, struct bad_row *row)
{
	struct slice culprit = decoder->culprit[column];
	bool cut = culprit.size > CULPRIT_BYTES_MAX;

	culprit.size = cut ? CULPRIT_BYTES_MAX : culprit.size;
	while (cut && culprit.size && ((unsigned char)culprit.data[culprit.size] & 0xc0) == 0x80)
		culprit.size--;
	snprintf(row->reason, sizeof(row->reason), "column %.64s: %.*s%s is not a %s", decoder->columns[column].name,
	         SLICE_ARG(culprit), cut ? "..." : "", type_name(decoder->columns[column].type));
	snprintf(row->kind, sizeof(row->kind), "column %.64s is not a %s", decoder->columns[column].name,
	         type_name(decoder->columns[column].type));
}

static void missing_field_reason(const struct json_decoder *decoder, size_t column, struct bad_row *row)
{
	snprintf(row->reason, sizeof(row->reason), "column %.64s: %.64s is missing", decoder->columns[column].name,
	         decoder->columns[column].path);
	memcpy(row->kind, row->reason, sizeof(row->kind));
}

static void note_nulled_field(struct json_decoder *decoder, size_t column, struct bad_rows *bad)
{
	struct nulled_fields *nulled = &decoder->nulled[column];

	decoder->any_nulled = true;
	if (decoder->found[column] == FOUND_MISSING) {
		if (!nulled->missing++)
			nulled->first_missing = decoder->row;
		bad->missing_fields++;
		return;
	}
	if (!nulled->bad++) {
		nulled->first_bad = decoder->row;
		nulled->culprit = decoder->culprit[column];
	}
	bad->bad_fields++;
}

/* The row is good, but for fields that policy makes NULL. */
static void note_nulled(struct json_decoder *decoder, struct bad_rows *bad)
{
	for (size_t i = 0; i < decoder->read_count; i++) {
		uint8_t found = decoder->found[decoder->read[i]];

		if (found == FOUND_MISSING || found == FOUND_BAD)
			note_nulled_field(decoder, decoder->read[i], bad);
	}
}

static void note_seen(struct json_decoder *decoder)
{
	for (size_t i = 0; i < decoder->read_count; i++) {
		size_t column = decoder->read[i];

		if (!decoder->seen[column] && decoder->found[column] != FOUND_MISSING) {
			decoder->seen[column] = true;
			decoder->unseen--;
		}
	}
}

/* Validity and policies of a well-formed row; false where the row is out. */
static bool settle_row(struct json_decoder *decoder, struct bad_rows *bad)
{
	bool nulled = false;

	if (decoder->unseen)
		note_seen(decoder);
	for (size_t i = 0; i < decoder->read_count; i++) {
		size_t column = decoder->read[i];
		enum bad_policy policy;

		decoder->batch->columns[column].valid[decoder->row] = decoder->found[column] == FOUND_VALUE;
		if (decoder->found[column] == FOUND_VALUE || decoder->found[column] == FOUND_NULL)
			continue;
		policy = decoder->found[column] == FOUND_BAD ? decoder->format.on_bad_field
		                                             : decoder->format.on_missing_field;
		if (policy == BAD_NULL) {
			nulled = true;
			continue;
		}
		if (decoder->found[column] == FOUND_BAD)
			bad_field_reason(decoder, column, add_bad(decoder, bad, policy));
		else
			missing_field_reason(decoder, column, add_bad(decoder, bad, policy));
		return false;
	}
	if (nulled)
		note_nulled(decoder, bad);
	return true;
}

/* No value at all: by policy a row of NULLs. */
static bool tombstone(struct json_decoder *decoder, struct bad_rows *bad)
{
	bad->tombstones++;
	for (size_t i = 0; i < decoder->read_count; i++)
		decoder->batch->columns[decoder->read[i]].valid[decoder->row] = 0;
	return decoder->format.on_tombstone == TOMBSTONE_ROW;
}

/* Before anything of it is looked at. */
static bool refuse(struct json_decoder *decoder, const struct record *record, struct bad_rows *bad)
{
	struct bad_row *row = add_bad(decoder, bad, decoder->format.on_bad_row);
	struct buffer text;

	buffer_init(&text);
	text_bytes(&text, (int64_t)decoder->record_bytes);
	if (record->wrong)
		snprintf(row->reason, JSON_REASON_TEXT_MAX, "%s", record->wrong);
	else
		snprintf(row->reason, JSON_REASON_TEXT_MAX, "longer than %s, which limits.recordBytes allows",
		         text.data);
	memcpy(row->kind, row->reason, sizeof(row->kind));
	buffer_release(&text);
	return false;
}

static bool decode_row(struct json_decoder *decoder, const struct record *record, struct bad_rows *bad)
{
	struct bad_row *row;

	if (record->value.size > decoder->record_bytes || record->wrong)
		return refuse(decoder, record, bad);
	decoder->row_count++;
	for (size_t i = 0; i < decoder->read_count; i++)
		decoder->found[decoder->read[i]] = FOUND_MISSING;
	if (parse_row(decoder, record->value))
		return settle_row(decoder, bad);
	if (!record->value.data)
		return tombstone(decoder, bad);
	row = add_bad(decoder, bad, decoder->format.on_bad_row);
	snprintf(row->reason, sizeof(row->reason), "byte %zu: expected %s",
	         (size_t)(decoder->scan.at - decoder->scan.begin) + 1, decoder->scan.wrong);
	snprintf(row->kind, sizeof(row->kind), "expected %s", decoder->scan.wrong);
	return false;
}

size_t json_decode(struct json_decoder *decoder, const struct record_batch *records, struct batch *batch,
                   uint32_t *ret_rows, struct bad_rows *bad)
{
	size_t good = 0;

	decoder->batch = batch;
	bad->count = 0;
	if (decoder->any_nulled)
		memset(decoder->nulled, 0, decoder->columns_count * sizeof(*decoder->nulled));
	decoder->any_nulled = false;
	bad->bad_fields = bad->missing_fields = 0;
	bad->nulled = decoder->nulled;
	bad->tombstones = 0;
	batch->rows = records->count;
	arena_reset(&decoder->keys);
	for (uint32_t row = 0; row < records->count; row++) {
		decoder->row = row;
		if (decode_row(decoder, &records->records[row], bad))
			ret_rows[good++] = row;
	}
	return good;
}
