/*
 * The order of several partitions under a clock column. Each partition has a clock, the greatest stamp of its rows so
 * far, which decides their windows. A row may be taken when no other partition can have rows of an earlier window any
 * more: when the clocks of all others have come to its window. So a window has what its times say, however far ahead
 * the records of one partition were fetched.
 *
 * Stamps are looked at before anything is done with a row, by a decoder that reads the clock column alone.
 */
#include <stdlib.h>

#include "runtime/pipeline/lane_parts.h"

struct lane_order {
	struct json_decoder *decoder; /* NULL: the clock is the record's own time */
	struct batch batch;
	struct feed *feed; /* of records that are arrays */
	struct record_batch elements;
	struct bad_rows bad;
	uint32_t rows[BATCH_ROWS_MAX];
	int64_t *clocks_ms; /* of each partition; INT64_MIN: no stamp yet */
};

/* Of one record: the stamp of its first row, which its window goes by, and the greatest; INT64_MIN: none. */
struct span {
	int64_t first_ms, last_ms;
};

void lane_order_new(struct lane *lane)
{
	struct lane_order *order = xcalloc(1, sizeof(*order));
	const struct jobspec *job = lane->setup->job;
	const struct query *query = lane->query;
	bool *read = xcalloc(query->row.count + 1, sizeof(bool));

	lane->order = order;
	order->clocks_ms = xcalloc(lane->setup->source->partitions, sizeof(int64_t));
	for (size_t p = 0; p < lane->setup->source->partitions; p++)
		order->clocks_ms[p] = INT64_MIN;
	order->feed = feed_new(job->limits.record_bytes);
	read[lane->clock_index] = true;
	batch_init(&order->batch, &query->row, read, BATCH_ROWS_MAX);
	if ((size_t)lane->clock_index < query->declared_count)
		order->decoder =
		        json_decoder_new(job->columns, job->columns_count, read, &job->json, job->limits.record_bytes);
	free(read);
}

void lane_order_free(struct lane *lane)
{
	struct lane_order *order = lane->order;

	if (!order)
		return;
	json_decoder_free(order->decoder);
	batch_release(&order->batch);
	feed_free(order->feed);
	free(order->clocks_ms);
	free(order);
}

/* A stamp that will be found to be far ahead of its record moves no clock. */
static bool is_believed(const struct lane *lane, const struct record *record, int64_t stamp_ms)
{
	int64_t most_ms;

	return record->timestamp_ms < 0 ||
	       __builtin_add_overflow(record->timestamp_ms, lane->setup->job->watermark.max_future_skew_ms, &most_ms) ||
	       stamp_ms <= most_ms;
}

/* Of rows that are the records of `records`, one by one, or all elements of one record: spans[row * step]. */
static void decode_spans(const struct lane *lane, const struct record_batch *records, size_t step, struct span *spans)
{
	struct lane_order *order = lane->order;
	const struct column *clock = &order->batch.columns[lane->clock_index];
	size_t n;

	batch_clear(&order->batch);
	n = json_decode(order->decoder, records, &order->batch, order->rows, &order->bad);
	for (size_t i = 0; i < n; i++) {
		uint32_t row = order->rows[i];
		struct span *span = &spans[row * step];

		if (!clock->valid[row] || !is_believed(lane, &records->records[row], clock->bigints[row]))
			continue;
		if (records->records[row].element < 2)
			span->first_ms = clock->bigints[row];
		if (clock->bigints[row] > span->last_ms)
			span->last_ms = clock->bigints[row];
	}
}

static void find_spans(const struct lane *lane, struct span *spans)
{
	struct lane_order *order = lane->order;
	const struct record_batch *records = &lane->records;

	for (size_t i = 0; i < records->count; i++) {
		int64_t own_ms = records->records[i].timestamp_ms;

		spans[i] = (struct span){INT64_MIN, INT64_MIN};
		if (!order->decoder && own_ms >= 0)
			spans[i] = (struct span){own_ms, own_ms};
	}
	if (!order->decoder)
		return;
	if (!feed_wanted(order->feed, records)) {
		decode_spans(lane, records, 1, spans);
		return;
	}
	for (size_t i = 0; i < records->count; i++) {
		order->elements.count = 1;
		order->elements.records[0] = records->records[i];
		feed_put(order->feed, &order->elements);
		while (feed_next(order->feed, false, &order->elements))
			decode_spans(lane, &order->elements, 0, &spans[i]);
	}
}

/* Is a row of that clock in a window that another partition has not come to? */
static bool is_beyond(const struct lane *lane, int64_t clock_ms)
{
	int64_t horizon_ms = lane->setup->source->horizon_ms;

	if (clock_ms == INT64_MIN || horizon_ms == INT64_MAX)
		return false;
	return horizon_ms == INT64_MIN ||
	       lane_window_at(lane, clock_ms).start_ms > lane_window_at(lane, horizon_ms).start_ms;
}

bool lane_order_cut(struct lane *lane)
{
	struct source *source = lane->setup->source;
	struct span spans[BATCH_ROWS_MAX];
	int64_t *clock_ms = &lane->order->clocks_ms[lane->records.records[0].partition];
	int64_t next_ms = *clock_ms, taken_ms = *clock_ms;
	size_t cut = 0;

	find_spans(lane, spans);
	for (; cut < lane->records.count; cut++) {
		next_ms = spans[cut].first_ms > taken_ms ? spans[cut].first_ms : taken_ms;
		if (is_beyond(lane, next_ms))
			break;
		taken_ms = spans[cut].last_ms > next_ms ? spans[cut].last_ms : next_ms;
		next_ms = taken_ms;
	}
	/* Rows before the first stamp of all are in its window. */
	if (cut < lane->records.count && !lane->partial && taken_ms == INT64_MIN)
		cut = 0;
	*clock_ms = taken_ms;
	source->ops->give_back(source, &lane->records, cut, next_ms);
	lane->records.count = cut;
	return cut != 0;
}
