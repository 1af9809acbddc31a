/* A message of librdkafka, and what it is: a record of the batch, the end of a partition, an offset that is lost. */
#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "runtime/kafka/start.h"
#include "runtime/kafka/take.h"

#define SHOWN_BYTES_MAX 32 /* of a header that is not UTF-8 */

static void reached(struct kafka_lane *lane, struct partition *partition)
{
	lane->unreached -= !partition->reached;
	partition->reached = true;
}

/* In place of the object, from `begin` on: which header is no text. */
static void bad_header(struct kafka_lane *lane, size_t begin, const char *what, const char *name, struct slice bytes,
                       struct record *record)
{
	lane->headers.size = begin;
	buffer_printf(&lane->headers, "%s%s 0x", what, name);
	text_hex(&lane->headers,
	         (struct slice){bytes.data, bytes.size < SHOWN_BYTES_MAX ? bytes.size : SHOWN_BYTES_MAX});
	record->headers_bad = true;
}

/* False where it is no text. */
static bool append_header(struct buffer *out, enum bytes_encoding encoding, struct slice value)
{
	if (encoding == BYTES_UTF8 && !text_is_utf8(value))
		return false;
	if (encoding == BYTES_UTF8) {
		text_json_string(out, value);
		return true;
	}
	buffer_append_char(out, '"');
	(encoding == BYTES_HEX ? text_hex : text_base64)(out, value);
	buffer_append_char(out, '"');
	return true;
}

/* The headers as a JSON object, or what bad_header says. */
static void append_headers(struct kafka_lane *lane, enum bytes_encoding encoding, const rd_kafka_headers_t *headers,
                           struct record *record)
{
	size_t begin = lane->headers.size, size;
	const char *name;
	const void *value;

	buffer_append_char(&lane->headers, '{');
	for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++) {
		buffer_append_text(&lane->headers, i ? "," : "");
		if (!text_is_utf8(slice_of(name)))
			return bad_header(lane, begin, "the name", "", slice_of(name), record);
		text_json_string(&lane->headers, slice_of(name));
		buffer_append_char(&lane->headers, ':');
		if (!value)
			buffer_append_text(&lane->headers, "null");
		else if (!append_header(&lane->headers, encoding, (struct slice){value, size}))
			return bad_header(lane, begin, "header ", name, (struct slice){value, size}, record);
	}
	buffer_append_char(&lane->headers, '}');
}

/* Into the lane's buffer: record.headers holds its place until the batch is whole. */
static void take_headers(struct kafka_lane *lane, enum bytes_encoding encoding, const rd_kafka_message_t *message,
                         struct record *record)
{
	rd_kafka_headers_t *headers;
	size_t begin = lane->headers.size;

	if (rd_kafka_message_headers(message, &headers))
		return;
	append_headers(lane, encoding, headers, record);
	record->headers = (struct slice){(const char *)"", lane->headers.size - begin};
}

static void place_headers(struct kafka_lane *lane, struct record_batch *batch)
{
	const char *at = lane->headers.data;

	for (size_t i = 0; i < batch->count; i++) {
		if (!batch->records[i].headers.data)
			continue;
		batch->records[i].headers.data = at;
		at += batch->records[i].headers.size;
	}
}

/*
 * The log no longer has what comes next: jump or fail; a log that begins before it is another one, for it once
 * ended before it. A topic that is being made anew has no log for a while, so this
 * waits until it has one; a stop meanwhile leaves the partition where it is, for the next start to judge.
 */
static int lost(struct kafka_reader *reader, int32_t number, struct error *err)
{
	struct partition *partition = &reader->partitions[number];
	int64_t low, high, offset, position = atomic_load(&partition->position);

	while (reader_range(reader, number, &low, &high, err) < 0) {
		reader_health(reader, err);
		if (atomic_load(&reader->stop->requested))
			return 0;
		reader_pause(reader, RETRY_PAUSE_MS);
	}
	if (low <= position) {
		error_write(err,
		            "partition %d had no offset %" PRId64 " when it was asked for, and has %" PRId64
		            " to %" PRId64,
		            (int)number, position, low, high);
		reader_found_anew(reader, err->text);
		return 0;
	}
	if (reader_offset_loss(reader, number, position, low, high, &offset, err) < 0)
		return -1;
	/* librdkafka has ended the partition by its own policy (auto.offset.reset: error), so a seek would not do. */
	reader_stop_partition(reader, number);
	if (rd_kafka_consume_start_queue(reader->topic, number, offset, partition->queue))
		return client_error(err, rd_kafka_last_error(), "cannot go on after an offset was lost");
	atomic_store(&partition->position, offset);
	partition->after_record = offset;
	return 0;
}

/* What a replay drops is no gap: only what is taken tells where nothing can be read. */
static void take_end(const struct kafka_reader *reader, struct kafka_lane *lane, const rd_kafka_message_t *message)
{
	struct partition *partition = &reader->partitions[message->partition];

	if (!atomic_load(&reader->replaying))
		partition_end(partition, message->offset);
	else if (message->offset >= partition->to)
		reached(lane, partition);
}

int take_event(struct kafka_reader *reader, struct kafka_lane *lane, const rd_kafka_message_t *message,
               struct error *err)
{
	struct error why;

	switch ((int)message->err) {
	case RD_KAFKA_RESP_ERR__PARTITION_EOF:
		take_end(reader, lane, message);
		return 0;
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
	case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
		return lost(reader, message->partition, err);
	default:
		error_set(&why, "topic %s, partition %d: %s%s", reader->spec->client.topic, (int)message->partition,
		          rd_kafka_message_errstr(message), client_cure(message->err));
		reader_health(reader, &why);
		return 0;
	}
}

void take_record(struct kafka_reader *reader, struct kafka_lane *lane, const rd_kafka_message_t *message,
                 struct record_batch *batch)
{
	struct partition *partition = &reader->partitions[message->partition];
	struct record *record = &batch->records[batch->count];
	rd_kafka_timestamp_type_t type;

	if (atomic_load_explicit(&reader->replaying, memory_order_relaxed)) {
		if (message->offset >= partition->to - 1)
			reached(lane, partition);
		if (message->offset >= partition->to)
			return;
	}
	*record = (struct record){
	        .value = {message->payload, message->len},
	        .key = {message->key, message->key_len},
	        .offset = message->offset,
	        .timestamp_ms = rd_kafka_message_timestamp(message, &type),
	        .partition = (uint32_t)message->partition,
	};
	if (reader->wants_headers)
		take_headers(lane, reader->spec->header_encoding, message, record);
	partition->after_record = message->offset + 1;
	atomic_store_explicit(&partition->position, message->offset + 1, memory_order_relaxed);
	batch->count++;
}

ssize_t take_queue(struct kafka_reader *reader, rd_kafka_queue_t *queue, rd_kafka_message_t **ret_messages, size_t max)
{
	return watched(WATCH_SOURCE, "reading from", reader->peer, CLIENT_CALL_MS,
	               rd_kafka_consume_batch_queue(queue, 0, ret_messages, max));
}

/* consume_batch_queue itself would wait for a full batch. */
void take_wait(struct kafka_lane *lane, int timeout_ms)
{
	struct pollfd poller = {.fd = lane->event_fd, .events = POLLIN};
	uint64_t events;

	if (poll(&poller, 1, timeout_ms) > 0 && read(lane->event_fd, &events, sizeof(events)) < 0)
		log_debug("eventfd", "unreadable=%d", lane->event_fd);
}

/* Once a batch, for whoever asks whether the log is still the same. */
static void note_seen(struct kafka_reader *reader, const struct record *record)
{
	pthread_mutex_lock(&reader->mutex);
	reader->seen = (struct kafka_seen){(int32_t)record->partition, record->offset, record->timestamp_ms};
	pthread_mutex_unlock(&reader->mutex);
}

void take_done(struct kafka_reader *reader, struct kafka_lane *lane, struct record_batch *batch, size_t messages,
               size_t bytes)
{
	if (batch->count)
		note_seen(reader, &batch->records[batch->count - 1]);
	reader_taken(reader, lane, messages, bytes);
	if (reader->wants_headers)
		place_headers(lane, batch);
}
