/*
 * A lane's records. librdkafka's messages stay ours until the lane's next take, so payloads are never copied.
 *
 * While a boundary is pending, records at or past it are dropped (resume seeks back to them) and the lane says
 * TAKE_BOUNDARY when each of its partitions has shown that nothing before it is left: a record at or past it, the
 * record just before it, or the end of the partition.
 */
#include "runtime/kafka/ordered.h"
#include "runtime/kafka/take.h"

static void drop_messages(struct kafka_lane *lane)
{
	for (size_t i = 0; i < lane->messages_count; i++)
		rd_kafka_message_destroy(lane->messages[i]);
	lane->messages_count = 0;
}

static enum take at_boundary(struct kafka_reader *reader, struct kafka_lane *lane, int timeout_ms)
{
	if (lane->boundary_said) {
		reader_pause(reader, timeout_ms < 10 ? timeout_ms : 10);
		return TAKE_NOTHING;
	}
	lane->boundary_said = true;
	return TAKE_BOUNDARY;
}

enum take reader_take(struct source *source, unsigned number, struct record_batch *batch, int timeout_ms,
                      struct error *err)
{
	struct kafka_reader *reader = (struct kafka_reader *)source;
	struct kafka_lane *lane = &reader->lanes[number];
	size_t bytes = 0;
	ssize_t count;

	batch->count = 0;
	drop_messages(lane);
	buffer_clear(&lane->headers);
	if (atomic_load(&reader->replaying) && !lane->unreached)
		return at_boundary(reader, lane, timeout_ms);
	if (reader->ordered)
		return ordered_take(reader, lane, batch, timeout_ms, err);
	count = take_queue(reader, lane->queue, lane->messages, BATCH_ROWS_MAX);
	if (count == 0 && timeout_ms) {
		take_wait(lane, timeout_ms);
		count = take_queue(reader, lane->queue, lane->messages, BATCH_ROWS_MAX);
	}
	lane->messages_count = count < 0 ? 0 : (size_t)count;
	for (size_t i = 0; i < lane->messages_count; i++) {
		const rd_kafka_message_t *message = lane->messages[i];

		bytes += message->len;
		if (!message->err)
			take_record(reader, lane, message, batch);
		else if (take_event(reader, lane, message, err) < 0)
			return TAKE_FAILED;
	}
	take_done(reader, lane, batch, lane->messages_count, bytes);
	return batch->count ? TAKE_RECORDS : TAKE_NOTHING;
}
