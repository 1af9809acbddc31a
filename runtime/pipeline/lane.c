/* The life of a lane: take, place in windows, hand over. What happens to the rows is in lane_rows.c. */
#include "runtime/pipeline/lane_parts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/process/watch.h"

#define EMPTY_WINDOWS_MAX 1440 /* that are written, with onEmpty: zero or delete, where the clock leaps over more */

static int64_t monotonic_ms(const struct lane *lane)
{
	return clock_monotonic_ms(lane->setup->clock);
}

static int64_t job_ms(const struct lane *lane)
{
	return job_clock_ms(&lane->setup->status->job_clock);
}

static int open_partial(struct lane *lane, struct window window)
{
	struct status *status = lane->setup->status;

	lane->partial = handover_open(lane->setup->handover, lane->number, window);
	if (!lane->partial)
		return -1;
	lane->partial->replay = lane->replaying;
	atomic_store(&status->open_start_ms, window.start_ms);
	atomic_store(&status->open_end_ms, window.end_ms);
	return 0;
}

static void put_partial(struct lane *lane)
{
	if (lane->partial)
		handover_put(lane->setup->handover, lane->number, lane->partial);
	lane->partial = NULL;
}

/* Where empty windows are written: those between the open one and `window`, the last of which is open then. */
static int fill_gap(struct lane *lane, struct window window)
{
	struct window next = lane_window_at(lane, lane->partial->window.end_ms);
	const struct stop *stop = lane->setup->stop;
	int64_t filled = 0, left;

	while (next.start_ms < window.start_ms && filled < EMPTY_WINDOWS_MAX && !atomic_load(&stop->requested)) {
		put_partial(lane);
		if (open_partial(lane, next) < 0)
			return -1;
		next = lane_window_at(lane, next.end_ms);
		filled++;
	}
	left = (window.start_ms - next.start_ms) / (next.end_ms - next.start_ms);
	if (left > 0)
		log_warn("empty windows left out", "windows=%" PRId64 " written=%" PRId64, left, filled);
	return 0;
}

/* The open partial becomes that of `window`, which is never an earlier one. */
static int move_to(struct lane *lane, struct window window)
{
	if (lane->partial && lane->partial->window.start_ms >= window.start_ms)
		return 0;
	if (lane->partial && lane->setup->job->window.on_empty != EMPTY_SKIP && fill_gap(lane, window) < 0)
		return -1;
	put_partial(lane);
	return open_partial(lane, window);
}

static void note_positions(struct lane *lane, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		const struct record *record = &lane->records.records[i];

		lane->partial->next_offset[record->partition] = record->offset + 1;
	}
	lane->partial->rows += to - from;
}

/* A run: records [from, to) of the batch, all in the open window. */
static int add_run(struct lane *lane, uint32_t from, uint32_t to, struct error *err)
{
	if (from == to)
		return 0;
	if (lane_add(lane, from, to, err) < 0)
		return -1;
	note_positions(lane, from, to);
	return 0;
}

/* An element of the same record as the row before it: a record is in one window, as its offset is. */
static bool continues_record(const struct lane *lane, uint32_t row)
{
	const struct record *record = &lane->records.records[row];

	if (record->element < 2)
		return false;
	if (row)
		return record[-1].partition == record->partition && record[-1].offset == record->offset;
	return lane->partial && lane->partial->next_offset[record->partition] == record->offset + 1;
}

/* The clock column cuts the batch into runs of one window each; a row without a time stays in the window that is open.
 */
static int add_by_column(struct lane *lane, struct error *err)
{
	const struct column *clock = &lane->batch.columns[lane->clock_index];
	uint32_t from = 0;

	for (size_t i = 0; i < lane->decoded_count; i++) {
		uint32_t row = lane->decoded[i];
		struct window window;

		if (clock->valid[row] && clock->bigints[row] > lane->clock_ms)
			lane->clock_ms = clock->bigints[row];
		if (lane->clock_ms == INT64_MIN || continues_record(lane, row))
			continue;
		window = lane_window_at(lane, lane->clock_ms);
		if (lane->partial && window.start_ms <= lane->partial->window.start_ms)
			continue;
		if (lane->partial && add_run(lane, from, row, err) < 0)
			return -1;
		from = lane->partial ? row : 0;
		if (move_to(lane, window) < 0)
			return 0;
	}
	if (!lane->partial && open_partial(lane, lane_window_at(lane, 0)) < 0)
		return 0;
	return add_run(lane, from, (uint32_t)lane->records.count, err);
}

static int add_batch(struct lane *lane, int64_t taken_ms, struct error *err)
{
	int evaluated = lane_evaluate(lane, err);

	atomic_fetch_add_explicit(&lane->counts->rows_in, lane->records.count, memory_order_relaxed);
	if (lane->setup->until_idle_ms)
		atomic_store_explicit(&lane->setup->last_row_ms, monotonic_ms(lane), memory_order_relaxed);
	if (evaluated < 0)
		return -1;
	if (lane->clock_index >= 0 && !lane->replaying)
		return add_by_column(lane, err);
	if (!lane->replaying && move_to(lane, lane_window_at(lane, taken_ms)) < 0)
		return 0;
	return add_run(lane, 0, (uint32_t)lane->records.count, err);
}

/* Functions that had failed on these records are past them. */
static int pass_batch(struct lane *lane, int64_t taken_ms, struct error *err)
{
	if (add_batch(lane, taken_ms, err) < 0)
		return -1;
	if (lane->setup->functions)
		functions_passed(lane->setup->functions, &lane->records);
	return 1;
}

/* Arrays without elements move the offsets too. */
static void note_taken(struct lane *lane)
{
	const struct record_batch *taken = &lane->feed->taken;

	for (size_t i = 0; i < taken->count && lane->partial && !lane->feed->back_count; i++)
		lane->partial->next_offset[taken->records[i].partition] = taken->records[i].offset + 1;
}

static int add_records(struct lane *lane, int64_t taken_ms, struct error *err)
{
	int going = 1;

	if (!feed_wanted(lane->feed, &lane->records)) {
		going = pass_batch(lane, taken_ms, err);
	} else {
		feed_put(lane->feed, &lane->records);
		while (going > 0 && feed_next(lane->feed, lane->complete, &lane->records))
			going = pass_batch(lane, taken_ms, err);
		note_taken(lane);
	}
	feed_hold(lane->feed);
	return going;
}

/* The input has ended: what waited for more is judged by what is there. */
static int add_rest(struct lane *lane, struct error *err)
{
	lane->complete = true;
	lane->records.count = 0;
	return lane->feed->back_count ? add_records(lane, job_ms(lane), err) : 0;
}

/* The pending window is whole: hand it over; what follows waits for the source's resume. */
static void boundary_reached(struct lane *lane)
{
	put_partial(lane);
	lane->replaying = false;
}

/* A lane that waits for a window's acceptance, or for what comes behind a replayed one, is not idle. */
static bool idle_for_long(const struct lane *lane)
{
	const struct lane_setup *setup = lane->setup;
	const struct status *status = setup->status;

	if (atomic_load(&status->oldest_end_ms) != INT64_MIN || atomic_load(&status->phase) == PHASE_REPLAYING ||
	    atomic_load(&setup->source->holding))
		return false;
	return setup->until_idle_ms && monotonic_ms(lane) - atomic_load(&setup->last_row_ms) >= setup->until_idle_ms;
}

static int wait_ms(const struct lane *lane)
{
	int64_t left_ms = TAKE_WAIT_MS_MAX;

	if (lane->partial && !lane->replaying && lane->clock_index < 0)
		left_ms = lane->partial->window.end_ms - job_ms(lane);
	return left_ms < 0 ? 0 : left_ms > TAKE_WAIT_MS_MAX ? TAKE_WAIT_MS_MAX : (int)left_ms;
}

#define INPUT_FAILED (-2)

/* Takes one batch. 1: go on; 0: the lane's input has ended; -1: failed; INPUT_FAILED: what there is of a bounded input
 * is taken, and the rest cannot be. */
static int step(struct lane *lane, struct error *err)
{
	struct source *source = lane->setup->source;
	bool by_wall = lane->clock_index < 0;

	if (by_wall && !lane->partial && !lane->replaying && open_partial(lane, lane_window_at(lane, job_ms(lane))) < 0)
		return 0;
	switch (source->ops->take(source, lane->number, &lane->records, wait_ms(lane), err)) {
	case TAKE_FAILED:
		return source->bounded ? INPUT_FAILED : -1;
	case TAKE_RECORDS:
		if (lane->order && !lane->replaying && !lane_order_cut(lane))
			return 1;
		return add_records(lane, job_ms(lane), err);
	case TAKE_BOUNDARY:
		boundary_reached(lane);
		return 1;
	case TAKE_END:
		return 0;
	case TAKE_NOTHING:
		break;
	}
	if (by_wall && !lane->replaying && move_to(lane, lane_window_at(lane, job_ms(lane))) < 0)
		return 0;
	return idle_for_long(lane) ? 0 : 1;
}

void *lane_run(void *argument)
{
	struct lane *lane = argument;
	struct lane_setup *setup = lane->setup;
	const struct boundary *boundary = &setup->source->boundary;
	struct error err;
	int going = 1;

	watch_thread("lane %u", lane->number);
	lane->replaying = boundary->pending;
	if (lane->clock_index >= 0 && setup->source->partitions > 1 && !setup->source->ordered)
		log_warn("rows of several partitions come in the order in which they are fetched, and the clock column "
		         "takes them so",
		         "clock=%s partitions=%zu", setup->clock_column, setup->source->partitions);
	if (setup->functions && functions_start(setup->functions, lane->number, &err) < 0)
		going = 0;
	if (going && lane->replaying && open_partial(lane, (struct window){boundary->start_ms, boundary->end_ms}) < 0)
		going = 0;
	while (going > 0 && !atomic_load(&setup->stop->requested) && !handover_over(setup->handover))
		going = step(lane, &err);
	if (going == INPUT_FAILED)
		handover_end_with(setup->handover, &err);
	if (going != -1 && !lane->replaying)
		going = add_rest(lane, &err);
	if (going < 0 && !handover_interrupted(setup->handover))
		handover_fail(setup->handover, &err);
	if (!lane->replaying)
		put_partial(lane);
	handover_finish(setup->handover, lane->number, lane->partial);
	watch_thread_ends();
	return NULL;
}
