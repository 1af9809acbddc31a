/* Where a job begins: partitions, committed offsets, the last boundary, and whether the log still has them. */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "runtime/kafka/source.h"

int reader_range(struct kafka_reader *reader, int32_t partition, int64_t *ret_low, int64_t *ret_high, struct error *err)
{
	rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(reader->rk, reader->spec->client.topic, partition,
	                                                            ret_low, ret_high, REQUEST_TIMEOUT_MS);

	if (code)
		return error_set(err, "cannot find the offsets of topic %s, partition %d: %s",
		                 reader->spec->client.topic, (int)partition, rd_kafka_err2str(code));
	return 0;
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

/* How many partitions the topic has; 0 and why where it cannot be known yet. */
static size_t count_partitions(struct kafka_reader *reader, struct error *err)
{
	const struct kafka_client *client = &reader->spec->client;
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t code = rd_kafka_metadata(reader->rk, 0, reader->topic, &metadata, REQUEST_TIMEOUT_MS);
	size_t count = 0;

	if (code) {
		error_set(err, "no answer from Kafka at %s: %s", client->bootstrap_servers, rd_kafka_err2str(code));
		return 0;
	}
	if (metadata->topic_cnt == 1 && !metadata->topics[0].err)
		count = (size_t)metadata->topics[0].partition_cnt;
	if (!count)
		error_set(err, "topic %s at %s: %s; create it, or correct source.kafka.topic", client->topic,
		          client->bootstrap_servers,
		          metadata->topic_cnt ? rd_kafka_err2str(metadata->topics[0].err) : "unknown topic");
	rd_kafka_metadata_destroy(metadata);
	return count;
}

static rd_kafka_topic_partition_list_t *partition_list(struct kafka_reader *reader)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)reader->source.partitions);

	for (size_t p = 0; p < reader->source.partitions; p++)
		rd_kafka_topic_partition_list_add(list, reader->spec->client.topic, (int32_t)p);
	return list;
}

/* Takes what the group holds into partitions and boundary. 1: there was something; 0: a first start. */
static int take_committed(struct kafka_reader *reader, const rd_kafka_topic_partition_list_t *list)
{
	bool any = false;

	for (int i = 0; i < list->cnt; i++) {
		const rd_kafka_topic_partition_t *item = &list->elems[i];
		struct partition *partition = &reader->partitions[item->partition];
		struct boundary boundary;
		int64_t to;

		partition->to = -1;
		atomic_store(&partition->committed, item->offset < 0 ? -1 : item->offset);
		if (item->offset < 0)
			continue;
		any = true;
		if (!boundary_parse((struct slice){item->metadata, item->metadata_size}, &boundary, &to))
			continue;
		if (boundary.sequence > reader->source.boundary.sequence)
			reader->source.boundary = boundary;
		if (boundary.pending)
			partition->to = to;
	}
	return any;
}

/* A boundary is written for all partitions in one request; one that has another sequence was added later. */
static int read_committed(struct kafka_reader *reader, struct error *err)
{
	rd_kafka_topic_partition_list_t *list = partition_list(reader);
	rd_kafka_resp_err_t code = rd_kafka_committed(reader->rk, list, REQUEST_TIMEOUT_MS);
	int result;

	for (int i = 0; i < list->cnt && !code; i++)
		code = list->elems[i].err;
	result = code ? error_set(err, "cannot read the offsets of group %s: %s", reader->spec->group_id,
	                          rd_kafka_err2str(code))
	              : take_committed(reader, list);
	rd_kafka_topic_partition_list_destroy(list);
	return result;
}

/* Partitions without a committed offset begin where startingOffsets says, or, in a topic that grew, at their beginning.
 */
static int place(struct kafka_reader *reader, bool first_start, bool *ret_moved, struct error *err)
{
	for (size_t p = 0; p < reader->source.partitions; p++) {
		struct partition *partition = &reader->partitions[p];
		int64_t low, high, committed = atomic_load(&partition->committed);

		if (reader_range(reader, (int32_t)p, &low, &high, err) < 0)
			return -1;
		if (committed < 0) {
			bool latest = first_start && reader->spec->starting_offsets == START_LATEST;

			committed = latest ? high : low;
			*ret_moved = true;
		} else if (committed < low || committed > high || partition->to > high) {
			if (reader_offset_loss(reader, (int32_t)p, committed, low, high, &committed, err) < 0)
				return -2;
			partition->to =
			        reader->source.boundary.pending && partition->to >= committed ? partition->to : -1;
			*ret_moved = true;
		}
		atomic_store(&partition->committed, committed);
		atomic_store(&partition->position, committed);
	}
	return 0;
}

/* 0: ready; -1: not yet; -2: waiting will not help. */
static int try_start(struct kafka_reader *reader, struct error *err)
{
	bool moved = false;
	int any;

	reader->source.partitions = count_partitions(reader, err);
	if (!reader->source.partitions)
		return -1;
	if (reader->source.partitions > PARTITIONS_MAX) {
		error_set(err, "topic %s has %zu partitions; at most %d are supported", reader->spec->client.topic,
		          reader->source.partitions, PARTITIONS_MAX);
		return -2;
	}
	free(reader->partitions);
	reader->partitions = xcalloc(reader->source.partitions, sizeof(*reader->partitions));
	reader->source.boundary = (struct boundary){0};
	any = read_committed(reader, err);
	if (any < 0)
		return -1;
	any = place(reader, !any, &moved, err);
	return any < 0 ? any : moved ? 1 : 0;
}

/* What was resolved is written down at once: else a crash in the first window would skip rows. */
static int write_start(struct kafka_reader *reader, struct error *err)
{
	int64_t *to = xcalloc(reader->source.partitions, sizeof(*to));
	int result;

	for (size_t p = 0; p < reader->source.partitions; p++)
		to[p] = reader->partitions[p].to;
	result = reader_commit(&reader->source, &reader->source.boundary, to, err);
	free(to);
	return result;
}

#define VERSION_WITH_STRICT_SCRAM 0x020601ff /* docs/decisions/scram.md */

static const char *scram_hint(const char *text)
{
	if (rd_kafka_version() >= VERSION_WITH_STRICT_SCRAM || !strstr(text, "SCRAM"))
		return "";
	return "; where the password is right: this librdkafka cannot do SCRAM with Kafka 4.0 and later, use PLAIN "
	       "over TLS or a client certificate";
}

/* What librdkafka last said of the connection ("Authentication failed …") makes a time-out a reason. */
static void add_last_error(struct kafka_reader *reader, struct error *err)
{
	struct error told = *err;

	rd_kafka_poll(reader->rk, 0);
	pthread_mutex_lock(&reader->mutex);
	if (reader->last_error.text[0])
		error_set(err, "%s; last error: %s%s", told.text, reader->last_error.text,
		          scram_hint(reader->last_error.text));
	pthread_mutex_unlock(&reader->mutex);
}

int reader_start(struct kafka_reader *reader, struct error *err)
{
	for (;;) {
		int result = try_start(reader, err);

		if (result == 1)
			return write_start(reader, err);
		if (result == 0)
			return 0;
		if (result == -2 || atomic_load(&reader->stop->requested))
			return -1;
		add_last_error(reader, err);
		reader_health(reader, err);
		reader_pause(reader, RETRY_PAUSE_MS);
		/* Anew: perhaps a secret was mended. */
		reader_disconnect(reader);
		if (reader_connect(reader, err) < 0)
			return -1;
	}
}
