#include "runtime/kafka/ordered.h"

#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "runtime/kafka/take.h"

struct ordered_partition {
	rd_kafka_queue_t *queue;
	rd_kafka_message_t *messages[ORDERED_ROWS_MAX];
	size_t count, next; /* next == count: the queue is asked again */
	size_t offer;       /* how many records a batch may have: not many more than were taken of the last one */
	int64_t clock_ms;   /* what comes next is not before it; INT64_MIN: not known */
	bool ended;         /* all of its log has been read */
	bool held;          /* nothing of it was taken … */
	int64_t held_at_ms; /* … where the others were so far */
	bool absent;        /* it gave nothing for too long */
};

struct ordered {
	struct ordered_partition *items;
	size_t count;
	size_t current, first;  /* the batch's partition, and its first message */
	int64_t waits_since_ms; /* for a partition that gives nothing; 0: it does not wait */
};

/* The least clock of those that are to be waited for, whose it is, and the next one. */
struct clocks {
	size_t least;
	int64_t least_ms, next_ms;
};

struct ordered *ordered_new(size_t partitions)
{
	struct ordered *ordered = xcalloc(1, sizeof(*ordered));

	ordered->items = xcalloc(partitions, sizeof(*ordered->items));
	ordered->count = partitions;
	return ordered;
}

static void drop_messages(struct ordered_partition *partition)
{
	for (size_t i = 0; i < partition->count; i++)
		rd_kafka_message_destroy(partition->messages[i]);
	partition->count = partition->next = 0;
}

void ordered_reset(struct ordered *ordered)
{
	for (size_t p = 0; p < ordered->count; p++) {
		struct ordered_partition *partition = &ordered->items[p];

		drop_messages(partition);
		partition->clock_ms = INT64_MIN;
		partition->offer = ORDERED_ROWS_MAX;
		partition->ended = partition->held = partition->absent = false;
	}
	ordered->waits_since_ms = 0;
}

void ordered_start(struct ordered *ordered, rd_kafka_t *rk, int event_fd)
{
	ordered_reset(ordered);
	for (size_t p = 0; p < ordered->count; p++) {
		struct ordered_partition *partition = &ordered->items[p];

		partition->queue = rd_kafka_queue_new(rk);
		rd_kafka_queue_io_event_enable(partition->queue, event_fd, &(uint64_t){1}, sizeof(uint64_t));
	}
}

void ordered_stop(struct ordered *ordered)
{
	for (size_t p = 0; p < ordered->count; p++) {
		drop_messages(&ordered->items[p]);
		if (ordered->items[p].queue)
			rd_kafka_queue_destroy(ordered->items[p].queue);
		ordered->items[p].queue = NULL;
	}
}

void ordered_free(struct ordered *ordered)
{
	if (!ordered)
		return;
	ordered_stop(ordered);
	free(ordered->items);
	free(ordered);
}

rd_kafka_queue_t *ordered_queue(const struct ordered *ordered, size_t partition)
{
	return ordered->items[partition].queue;
}

static bool ready(const struct ordered_partition *partition)
{
	return partition->next < partition->count;
}

/* To its next record, if there is one; what is none is done with. */
static int look(struct kafka_reader *reader, struct kafka_lane *lane, struct ordered_partition *partition,
                struct error *err)
{
	for (;;) {
		const rd_kafka_message_t *message;
		ssize_t count;

		if (!ready(partition)) {
			drop_messages(partition);
			count = take_queue(reader, partition->queue, partition->messages, ORDERED_ROWS_MAX);
			partition->count = count < 0 ? 0 : (size_t)count;
		}
		if (!ready(partition))
			return 0;
		message = partition->messages[partition->next];
		if (!message->err) {
			partition->ended = partition->absent = false;
			return 0;
		}
		partition->ended = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
		partition->next++;
		if (take_event(reader, lane, message, err) < 0)
			return -1;
	}
}

static int look_at_all(struct kafka_reader *reader, struct kafka_lane *lane, struct error *err)
{
	struct ordered *ordered = reader->ordered;

	for (size_t p = 0; p < ordered->count; p++)
		if (look(reader, lane, &ordered->items[p], err) < 0)
			return -1;
	return 0;
}

/* Those that have something, and those that may have something without being asked for it yet. */
static bool counts(const struct ordered_partition *partition)
{
	return ready(partition) || !(partition->ended || partition->absent);
}

static struct clocks clocks_of(const struct ordered *ordered)
{
	struct clocks clocks = {SIZE_MAX, INT64_MAX, INT64_MAX};

	for (size_t p = 0; p < ordered->count; p++) {
		int64_t clock_ms = ordered->items[p].clock_ms;

		if (!counts(&ordered->items[p]))
			continue;
		if (clocks.least == SIZE_MAX || clock_ms < clocks.least_ms) {
			clocks.next_ms = clocks.least_ms;
			clocks.least_ms = clock_ms;
			clocks.least = p;
		} else if (clock_ms < clocks.next_ms) {
			clocks.next_ms = clock_ms;
		}
	}
	return clocks;
}

static int64_t horizon_of(const struct clocks *clocks, size_t partition)
{
	return partition == clocks->least ? clocks->next_ms : clocks->least_ms;
}

/* Of those that have something and are not held by the others, the one whose clock is least; or SIZE_MAX. */
static size_t choose(const struct ordered *ordered, const struct clocks *clocks)
{
	size_t chosen = SIZE_MAX;

	for (size_t p = 0; p < ordered->count; p++) {
		const struct ordered_partition *partition = &ordered->items[p];

		if (!ready(partition) || (partition->held && partition->held_at_ms == horizon_of(clocks, p)))
			continue;
		if (chosen == SIZE_MAX || partition->clock_ms < ordered->items[chosen].clock_ms)
			chosen = p;
	}
	return chosen;
}

static void offer(struct kafka_reader *reader, struct kafka_lane *lane, size_t p, struct record_batch *batch)
{
	struct ordered *ordered = reader->ordered;
	struct ordered_partition *partition = &ordered->items[p];
	size_t bytes = 0, first = partition->next, most = partition->offer;

	if (atomic_load(&reader->replaying))
		most = ORDERED_ROWS_MAX;
	ordered->current = p;
	ordered->first = first;
	ordered->waits_since_ms = 0;
	atomic_store(&reader->source.holding, false);
	for (; ready(partition) && partition->next - first < most; partition->next++) {
		const rd_kafka_message_t *message = partition->messages[partition->next];

		if (message->err)
			break;
		bytes += message->len;
		take_record(reader, lane, message, batch);
	}
	take_done(reader, lane, batch, partition->next - first, bytes);
}

/* Some have records, but the next may be of one that gives none. */
static void say_waiting(struct kafka_reader *reader, int64_t now_ms)
{
	struct ordered *ordered = reader->ordered;
	bool holds = false;

	for (size_t p = 0; p < ordered->count; p++)
		holds = holds || ready(&ordered->items[p]);
	atomic_store(&reader->source.holding, holds);
	if (!holds || !ordered->waits_since_ms) {
		ordered->waits_since_ms = holds ? now_ms : 0;
		return;
	}
	if (now_ms - ordered->waits_since_ms < ORDER_WAIT_MS)
		return;
	ordered->waits_since_ms = 0;
	for (size_t p = 0; p < ordered->count; p++) {
		struct ordered_partition *partition = &ordered->items[p];

		if (ready(partition) || !counts(partition))
			continue;
		partition->absent = true;
		log_warn("a partition gives nothing, and the others go on without it: its rows come into later windows",
		         "topic=\"%s\" partition=%zu waited_ms=%d", reader->spec->client.topic, p, ORDER_WAIT_MS);
	}
}

enum take ordered_take(struct kafka_reader *reader, struct kafka_lane *lane, struct record_batch *batch, int timeout_ms,
                       struct error *err)
{
	struct ordered *ordered = reader->ordered;
	struct clocks clocks;
	size_t chosen;

	for (bool waited = false;; waited = true) {
		if (look_at_all(reader, lane, err) < 0)
			return TAKE_FAILED;
		clocks = clocks_of(ordered);
		chosen = choose(ordered, &clocks);
		if (chosen != SIZE_MAX)
			break;
		say_waiting(reader, clock_monotonic_ms(reader->clock));
		if (waited || !timeout_ms)
			return TAKE_NOTHING;
		take_wait(lane, timeout_ms);
	}
	reader->source.horizon_ms = horizon_of(&clocks, chosen);
	offer(reader, lane, chosen, batch);
	return batch->count ? TAKE_RECORDS : TAKE_NOTHING;
}

void ordered_give_back(struct source *source, const struct record_batch *batch, size_t from, int64_t clock_ms)
{
	struct kafka_reader *reader = (struct kafka_reader *)source;
	struct ordered *ordered = reader->ordered;
	struct ordered_partition *partition = &ordered->items[ordered->current];
	struct partition *place = &reader->partitions[ordered->current];

	partition->next = ordered->first + from;
	partition->clock_ms = clock_ms;
	partition->held = from == 0;
	partition->held_at_ms = source->horizon_ms;
	partition->offer = from < batch->count ? 2 * from + 1 : 2 * partition->offer;
	if (partition->offer > ORDERED_ROWS_MAX)
		partition->offer = ORDERED_ROWS_MAX;
	if (from == batch->count)
		return;
	place->after_record = batch->records[from].offset;
	atomic_store_explicit(&place->position, place->after_record, memory_order_relaxed);
}
