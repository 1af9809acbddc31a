/* What the broker says of the log: its range, and the topic. */
#include <inttypes.h>

#include "lib/base/log.h"
#include "runtime/kafka/start.h"

bool reader_asks_again(const struct kafka_reader *reader, rd_kafka_resp_err_t code, int *rounds)
{
	bool late = code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT;

	return late && ++*rounds < REQUEST_TIMEOUT_MS / reader->round_ms && !atomic_load(&reader->stop->requested);
}

int reader_range(struct kafka_reader *reader, int32_t partition, int64_t *ret_low, int64_t *ret_high, struct error *err)
{
	rd_kafka_resp_err_t code;
	int rounds = 0;

	do {
		code = watched(WATCH_SOURCE, "the request for offsets to", reader->peer,
		               client_limit_ms(reader->rk, reader->round_ms),
		               rd_kafka_query_watermark_offsets(reader->rk, reader->spec->client.topic, partition,
		                                                ret_low, ret_high, reader->round_ms));
	} while (reader_asks_again(reader, code, &rounds));
	if (code)
		return error_set(err, "cannot find the offsets of topic %s, partition %d: %s%s",
		                 reader->spec->client.topic, (int)partition, rd_kafka_err2str(code), client_cure(code));
	return 0;
}

/* `which`: RD_KAFKA_OFFSET_BEGINNING or _END, which are the times that Kafka's ListOffsets knows for them: one request
 * a broker, where the call above sends two a partition. */
static int list_offsets(struct kafka_reader *reader, int64_t which, int64_t *ret_offsets, struct error *err)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)reader->source.partitions);
	const char *topic = reader->spec->client.topic;
	rd_kafka_resp_err_t code;
	int result = 0;

	for (size_t p = 0; p < reader->source.partitions; p++)
		rd_kafka_topic_partition_list_add(list, topic, (int32_t)p)->offset = which;
	code = watched(WATCH_SOURCE, "the request for offsets to", reader->peer,
	               client_limit_ms(reader->rk, REQUEST_TIMEOUT_MS),
	               rd_kafka_offsets_for_times(reader->rk, list, REQUEST_TIMEOUT_MS));
	if (code)
		result = error_set(err, "cannot find the offsets of topic %s: %s%s", topic, rd_kafka_err2str(code),
		                   client_cure(code));
	for (int i = 0; i < list->cnt && !result; i++) {
		const rd_kafka_topic_partition_t *item = &list->elems[i];

		if (item->err || item->offset < 0)
			result = error_set(err, "cannot find the offsets of topic %s, partition %d: %s%s", topic,
			                   (int)item->partition, rd_kafka_err2str(item->err), client_cure(item->err));
		else
			ret_offsets[item->partition] = item->offset;
	}
	rd_kafka_topic_partition_list_destroy(list);
	return result;
}

int reader_ranges(struct kafka_reader *reader, int64_t *ret_low, int64_t *ret_high, struct error *err)
{
	if (list_offsets(reader, RD_KAFKA_OFFSET_BEGINNING, ret_low, err) < 0)
		return -1;
	return list_offsets(reader, RD_KAFKA_OFFSET_END, ret_high, err);
}

int reader_offset_loss(struct kafka_reader *reader, int32_t partition, int64_t from, int64_t low, int64_t high,
                       int64_t *ret_offset, struct error *err)
{
	const char *topic = reader->spec->client.topic;

	if (reader->spec->on_offset_loss == OFFSET_LOSS_FAIL)
		return error_set(
		        err,
		        "offset %" PRId64 " of topic %s, partition %d, is lost: the log has %" PRId64 " to %" PRId64
		        " (retention, or the topic was made anew); set source.kafka.onOffsetLoss: earliest to go on "
		        "from there, or another groupId to begin anew",
		        from, topic, (int)partition, low, high);
	atomic_fetch_add(&reader->source.offset_jumps, 1);
	log_warn("offset lost, jumping to the earliest", "topic=%s partition=%d from=%" PRId64 " to=%" PRId64, topic,
	         (int)partition, from, low);
	*ret_offset = low;
	return 0;
}

rd_kafka_resp_err_t reader_metadata(struct kafka_reader *reader, const struct rd_kafka_metadata **ret_metadata)
{
	return watched(WATCH_SOURCE, "the request for the topic to", reader->peer, reader->round_ms,
	               rd_kafka_metadata(reader->rk, 0, reader->topic, ret_metadata, reader->round_ms));
}
