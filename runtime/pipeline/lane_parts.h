/*
 * What the files of a lane share: inside runtime/pipeline only.
 */
#ifndef STREAMJOB_LANE_PARTS_H
#define STREAMJOB_LANE_PARTS_H

#include "runtime/pipeline/lane.h"

struct window lane_window_at(const struct lane *lane, int64_t time_ms);
/* The record that row `row` of the batch came from. */
const struct record *lane_record(const struct lane *lane, uint32_t row);
/* Judges the stamps of lane->rows[0..n) by the clock column. Returns the first row that cannot be judged before more
 * rows are there, or how many records there are; `complete`: no more will come. */
size_t lane_judge_stamps(struct lane *lane, size_t n, bool complete);
/* Takes rows out by these judgements: bad ones into lane->bad, late ones are noted. How many are left. */
size_t lane_apply_verdicts(struct lane *lane, size_t n);
/* Counts row `row` out as bad by `policy`: skip, dead letter or failure of the job. `kind` is the reason without any
 * value of the row. */
int lane_bad_row(struct lane *lane, uint32_t row, enum bad_policy policy, const char *reason, const char *kind,
                 struct error *err);
/* The source's own columns of the rows lane->rows[0..n). Takes bad rows out; how many are left, or -1. */
int lane_source_columns(struct lane *lane, size_t n, struct error *err);
/* The source's topic, or "". */
const char *lane_topic(const struct lane *lane);
/* lane_order.c: a source of several partitions is read in the order of the clock column. */
void lane_order_new(struct lane *lane);
void lane_order_free(struct lane *lane);
/* Gives back what of lane->records is in later windows than the other partitions have come to; false: nothing is left.
 */
bool lane_order_cut(struct lane *lane);
/* What lane->bad has of the batch beside its bad rows. */
void lane_note_decoded(struct lane *lane);
/* Of a source's column, values that became NULL. */
void lane_note_bad_values(struct lane *lane, uint64_t count, uint32_t first, const char *reason, struct slice excerpt);
void lane_note_late(struct lane *lane, uint64_t count, uint32_t first);
void lane_note_dropped(struct lane *lane, uint64_t rows);
/* lane_times.c: which columns hold times, and the first value of each, once the rows[0..n) are decoded. */
void lane_times_new(struct lane *lane);
void lane_check_times(struct lane *lane, size_t n);
/* Which columns the lane read, and some record had; at its end. */
void lane_note_columns(struct lane *lane);
/* Arguments and filters of the aggregates over rows[0..n) of the batch. Takes rows that fail out; how many are left, or
 * -1. */
int lane_call_rows(struct lane *lane, uint32_t *rows, size_t n, struct error *err);
/* Takes the rows that a program failed on out of rows[0..n), each a bad row by its policy. How many are left, or -1. */
int lane_drop_failures(struct lane *lane, uint32_t *rows, size_t n, struct error *err);
/* The part of an ascending selection with from <= row < to. */
static inline const uint32_t *between(const uint32_t *rows, size_t *n, uint32_t from, uint32_t to)
{
	size_t begin = 0, end = *n;

	if (from == 0 && (end == 0 || rows[end - 1] < to))
		return rows;
	while (begin < end && rows[begin] < from)
		begin++;
	while (end > begin && rows[end - 1] >= to)
		end--;
	*n = end - begin;
	return rows + begin;
}
/* Groups and updates: rows[0..n) with from <= row < to. */
int lane_update(struct lane *lane, const uint32_t *rows, size_t n, uint32_t from, uint32_t to, struct error *err);
/* Row i of lane->failures is bad: by the job's policy, or that of the user's function that raised. */
int lane_failed_row(struct lane *lane, size_t i, struct error *err);
/* A row on which a user's function raised, by that function's policy: bad, or the job stops. */
int lane_raised_row(struct lane *lane, uint32_t row, size_t function, const char *method, const char *reason,
                    struct error *err);
/* The rows that the lateral functions make of rows[0..n), and what follows for them. */
int lane_lateral(struct lane *lane, const uint32_t *rows, size_t n, struct error *err);
void lane_lateral_new(struct lane *lane);
void lane_lateral_free(struct lane *lane);

#endif
