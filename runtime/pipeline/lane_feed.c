#include "runtime/pipeline/lane_feed.h"

#include <stdlib.h>

#include "lib/base/memory.h"

struct feed *feed_new(int64_t record_bytes)
{
	struct feed *feed = xcalloc(1, sizeof(*feed));

	cutter_init(&feed->cutter, record_bytes);
	arena_init(&feed->bytes[0]);
	arena_init(&feed->bytes[1]);
	return feed;
}

void feed_free(struct feed *feed)
{
	if (!feed)
		return;
	arena_release(&feed->bytes[0]);
	arena_release(&feed->bytes[1]);
	free(feed);
}

/* Not one that is bad as a whole, nor one that is an element itself. */
static bool open_array(const struct feed *feed, const struct record *record, struct cutter *cutter)
{
	return record->value.size && *record->value.data != '{' && !record->wrong && !record->element &&
	       record->value.size <= feed->cutter.record_bytes && cutter_open_array(cutter, record->value);
}

bool feed_wanted(const struct feed *feed, const struct record_batch *taken)
{
	struct cutter cutter;

	if (feed->back_count)
		return true;
	for (size_t i = 0; i < taken->count; i++)
		if (open_array(feed, &taken->records[i], &cutter))
			return true;
	return false;
}

void feed_put(struct feed *feed, const struct record_batch *taken)
{
	feed->taken.count = taken->count;
	memcpy(feed->taken.records, taken->records, taken->count * sizeof(*taken->records));
	feed->next = 0;
	feed->cutting = false;
}

/* As many elements of the array as the batch has room for. */
static void cut_array(struct feed *feed, struct record_batch *batch)
{
	const struct record *whole = &feed->taken.records[feed->next];
	size_t from = batch->count;

	feed->done +=
	        cut_records(&feed->cutter, whole->value.data + feed->done, whole->value.size - feed->done, true, batch);
	for (size_t i = from; i < batch->count; i++) {
		struct record element = *whole;

		element.value = batch->records[i].value;
		element.element = batch->records[i].element;
		element.wrong = batch->records[i].wrong;
		batch->records[i] = element;
	}
	feed->cutting = !cutter_at_end(&feed->cutter, feed->done, whole->value.size);
	feed->next += !feed->cutting;
}

bool feed_next(struct feed *feed, bool complete, struct record_batch *ret_batch)
{
	if (feed->next == feed->taken.count && !complete)
		return false;
	memcpy(ret_batch->records, feed->back, feed->back_count * sizeof(*feed->back));
	ret_batch->count = feed->back_count;
	feed->back_count = 0;
	while (feed->next < feed->taken.count && ret_batch->count < BATCH_ROWS_MAX) {
		const struct record *record = &feed->taken.records[feed->next];

		if (!feed->cutting && open_array(feed, record, &feed->cutter)) {
			feed->cutting = true;
			feed->done = 0;
		}
		if (feed->cutting) {
			cut_array(feed, ret_batch);
		} else {
			ret_batch->records[ret_batch->count++] = *record;
			feed->next++;
		}
	}
	return ret_batch->count != 0;
}

void feed_back(struct feed *feed, const struct record_batch *batch, size_t from)
{
	feed->back_count = batch->count - from;
	memcpy(feed->back, batch->records + from, feed->back_count * sizeof(*feed->back));
}

void feed_hold(struct feed *feed)
{
	struct arena *bytes = &feed->bytes[feed->turn];

	if (!feed->back_count)
		return;
	arena_reset(bytes);
	for (size_t i = 0; i < feed->back_count; i++) {
		struct record *record = &feed->back[i];

		if (record->value.data)
			record->value = arena_copy(bytes, record->value);
		if (record->key.data)
			record->key = arena_copy(bytes, record->key);
		if (record->headers.data)
			record->headers = arena_copy(bytes, record->headers);
	}
	feed->turn = !feed->turn;
}
