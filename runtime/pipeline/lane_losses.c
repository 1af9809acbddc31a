/* What a batch lost, but for bad rows: said once a batch and reason, with the first record of it. */
#include <stdio.h>

#include "runtime/pipeline/lane_parts.h"

static void note(struct lane *lane, enum loss kind, uint64_t count, uint32_t row, const char *reason,
                 struct slice excerpt)
{
	const struct loss_note one = {.count = count,
	                              .reason = reason,
	                              .excerpt = excerpt,
	                              .record = &lane->records.records[row],
	                              .topic = lane_topic(lane)};

	losses_note(&lane->setup->status->losses, kind, &one);
}

static void note_column(struct lane *lane, size_t column)
{
	const struct column_spec *spec = &lane->setup->job->columns[column];
	const struct nulled_fields *nulled = &lane->bad.nulled[column];
	char reason[LOSS_REASON_MAX];

	if (nulled->bad) {
		snprintf(reason, sizeof(reason), "column %.64s is not a %s", spec->name, type_name(spec->type));
		note(lane, LOSS_BAD_VALUE, nulled->bad, nulled->first_bad, reason, nulled->culprit);
	}
	if (nulled->missing) {
		snprintf(reason, sizeof(reason), "column %.64s: %.64s is missing", spec->name, spec->path);
		note(lane, LOSS_MISSING, nulled->missing, nulled->first_missing, reason, (struct slice){0});
	}
}

void lane_note_bad_values(struct lane *lane, uint64_t count, uint32_t first, const char *reason, struct slice excerpt)
{
	atomic_fetch_add_explicit(&lane->counts->bad_fields, count, memory_order_relaxed);
	note(lane, LOSS_BAD_VALUE, count, first, reason, excerpt);
}

static uint32_t first_tombstone(const struct lane *lane)
{
	uint32_t row = 0;

	while (row + 1 < lane->records.count && lane->records.records[row].value.data)
		row++;
	return row;
}

void lane_note_decoded(struct lane *lane)
{
	const struct bad_rows *bad = &lane->bad;

	if (bad->tombstones) {
		atomic_fetch_add_explicit(&lane->counts->tombstones, bad->tombstones, memory_order_relaxed);
		note(lane, LOSS_TOMBSTONE, bad->tombstones, first_tombstone(lane), "a tombstone", (struct slice){0});
	}
	if (bad->bad_fields)
		atomic_fetch_add_explicit(&lane->counts->bad_fields, bad->bad_fields, memory_order_relaxed);
	if (bad->bad_fields || bad->missing_fields)
		for (size_t c = 0; c < lane->setup->job->columns_count; c++)
			note_column(lane, c);
}

void lane_note_late(struct lane *lane, uint64_t count, uint32_t first)
{
	atomic_fetch_add_explicit(&lane->counts->late, count, memory_order_relaxed);
	note(lane, LOSS_LATE, count, first, "its time is far behind the rows before it (watermark.maxFutureSkew)",
	     (struct slice){0});
}

void lane_note_dropped(struct lane *lane, uint64_t rows)
{
	const struct loss_note one = {.count = rows, .reason = "groups beyond spec.limits"};

	atomic_fetch_add_explicit(&lane->counts->dropped, rows, memory_order_relaxed);
	losses_note(&lane->setup->status->losses, LOSS_DROPPED, &one);
}

void lane_note_columns(struct lane *lane)
{
	for (size_t c = 0; lane->decoder && c < lane->setup->job->columns_count; c++)
		if (lane->query->read[c])
			losses_column(&lane->setup->status->losses, c,
			              json_decoder_seen(lane->decoder, c) ? COLUMN_SEEN : COLUMN_NEVER_THERE);
}
