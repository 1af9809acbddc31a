/*
 * Which rows the clock column may believe. A stamp far ahead would move the clock there, and what follows would be late
 * for ever; so it is compared with the record's own time where the broker gave one, and else with its neighbours: the
 * clock before it, and the next rows that have a stamp.
 */
#include <stdio.h>

#include "lib/base/text.h"
#include "lib/data/civil.h"
#include "runtime/pipeline/lane_parts.h"

#define NEIGHBOURS 8

enum verdict { STAMP_GOOD, STAMP_AHEAD, STAMP_LATE, STAMP_UNDECIDED };

struct stamps {
	const struct lane *lane;
	const struct column *column;
	const uint32_t *rows;
	size_t count;
	int64_t clock_ms, skew_ms;
	bool complete; /* no row will follow these */
};

/* a is more than `skew_ms` behind b. */
static bool far_behind(int64_t a, int64_t b, int64_t skew_ms)
{
	int64_t least;

	return !__builtin_sub_overflow(b, skew_ms, &least) && a < least;
}

/* Row i is ahead of the clock, or the first of all. */
static enum verdict ask_neighbours(const struct stamps *stamps, size_t i)
{
	int64_t stamp = stamps->column->bigints[stamps->rows[i]];
	bool first = stamps->clock_ms == INT64_MIN;
	size_t asked = 0, against = !first;

	for (size_t k = i + 1; k < stamps->count && asked < NEIGHBOURS; k++) {
		if (!stamps->column->valid[stamps->rows[k]])
			continue;
		asked++;
		against += far_behind(stamps->column->bigints[stamps->rows[k]], stamp, stamps->skew_ms);
	}
	/* The first of all waits for nobody: a pipe may give one row and then nothing for long. */
	if (asked < NEIGHBOURS && !first && !stamps->complete &&
	    stamps->lane->records.count - stamps->rows[i] < BATCH_ROWS_MAX / 2)
		return STAMP_UNDECIDED;
	return against > asked + !first - against ? STAMP_AHEAD : STAMP_GOOD;
}

static enum verdict judge(const struct stamps *stamps, size_t i)
{
	const struct record *record = lane_record(stamps->lane, stamps->rows[i]);
	int64_t stamp = stamps->column->bigints[stamps->rows[i]];

	if (record->timestamp_ms >= 0)
		return far_behind(record->timestamp_ms, stamp, stamps->skew_ms) ? STAMP_AHEAD : STAMP_GOOD;
	if (stamps->clock_ms != INT64_MIN && !far_behind(stamps->clock_ms, stamp, stamps->skew_ms))
		return far_behind(stamp, stamps->clock_ms, stamps->skew_ms) ? STAMP_LATE : STAMP_GOOD;
	return ask_neighbours(stamps, i);
}

/* Of a row that is in lane->records alone; its words are those of a bad row. */
static void add_bad(struct lane *lane, uint32_t row, const struct record *record)
{
	const struct jobspec *job = lane->setup->job;
	struct bad_row *bad = &lane->bad.items[lane->bad.count++];
	struct buffer text;

	buffer_init(&text);
	civil_format(&text, lane->batch.columns[lane->clock_index].bigints[row]);
	buffer_append_text(&text, " is more than ");
	text_duration(&text, job->watermark.max_future_skew_ms);
	bad->row = row;
	bad->policy = job->json.on_bad_row;
	snprintf(bad->reason, sizeof(bad->reason), "column %.64s: %s ahead of %s (watermark.maxFutureSkew)",
	         lane->setup->clock_column, text.data,
	         record->timestamp_ms >= 0 ? "the record's own time" : "its neighbours");
	snprintf(bad->kind, sizeof(bad->kind), "column %.64s is far ahead (watermark.maxFutureSkew)",
	         lane->setup->clock_column);
	buffer_release(&text);
}

size_t lane_judge_stamps(struct lane *lane, size_t n, bool complete)
{
	struct stamps stamps = {.lane = lane,
	                        .column = &lane->batch.columns[lane->clock_index],
	                        .rows = lane->rows,
	                        .count = n,
	                        .clock_ms = lane->clock_ms,
	                        .skew_ms = lane->setup->job->watermark.max_future_skew_ms,
	                        .complete = complete};

	for (size_t i = 0; i < n; i++) {
		uint32_t row = lane->rows[i];
		enum verdict verdict = stamps.column->valid[row] ? judge(&stamps, i) : STAMP_GOOD;

		lane->verdicts[row] = (uint8_t)verdict;
		if (verdict == STAMP_UNDECIDED)
			return row;
		if (verdict == STAMP_GOOD && stamps.column->valid[row] && stamps.column->bigints[row] > stamps.clock_ms)
			stamps.clock_ms = stamps.column->bigints[row];
	}
	return lane->records.count;
}

size_t lane_apply_verdicts(struct lane *lane, size_t n)
{
	size_t kept = 0, late = 0;
	uint32_t first_late = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t row = lane->rows[i];

		if (lane->verdicts[row] == STAMP_GOOD)
			lane->rows[kept++] = row;
		else if (lane->verdicts[row] == STAMP_AHEAD)
			add_bad(lane, row, &lane->records.records[row]);
		else if (!late++)
			first_late = row;
	}
	if (late)
		lane_note_late(lane, late, first_late);
	return kept;
}

struct window lane_window_at(const struct lane *lane, int64_t time_ms)
{
	const struct window_spec *spec = &lane->setup->job->window;

	return tumbling_window(time_ms, spec->size_ms, spec->offset_ms);
}
