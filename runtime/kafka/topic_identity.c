#include "runtime/kafka/topic_identity.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "runtime/kafka/start.h"

#define VERSION_WITH_TOPIC_IDS 0x020300ff

#if RD_KAFKA_VERSION >= VERSION_WITH_TOPIC_IDS

#define STOPPING_TIMEOUT_MS 500 /* what a drain waits for the topic's id */

static void take_id(rd_kafka_event_t *event, char id[PLACE_TOPIC_ID_MAX])
{
	const rd_kafka_DescribeTopics_result_t *result = rd_kafka_event_DescribeTopics_result(event);
	size_t count = 0;
	const rd_kafka_TopicDescription_t **topics =
	        result ? rd_kafka_DescribeTopics_result_topics(result, &count) : NULL;
	const rd_kafka_Uuid_t *uuid;

	if (count != 1 || rd_kafka_error_code(rd_kafka_TopicDescription_error(topics[0])))
		return;
	uuid = rd_kafka_TopicDescription_topic_id(topics[0]);
	if (uuid && (rd_kafka_Uuid_most_significant_bits(uuid) || rd_kafka_Uuid_least_significant_bits(uuid)))
		snprintf(id, PLACE_TOPIC_ID_MAX, "%s", rd_kafka_Uuid_base64str(uuid));
}

static int describe(struct kafka_reader *reader, int timeout_ms, char ret_id[PLACE_TOPIC_ID_MAX], struct error *err)
{
	const char *name = reader->spec->client.topic;
	rd_kafka_TopicCollection_t *topics = rd_kafka_TopicCollection_of_topic_names(&name, 1);
	rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(reader->rk, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(reader->rk);
	char id[PLACE_TOPIC_ID_MAX] = "";
	rd_kafka_resp_err_t code;
	rd_kafka_event_t *event;
	char why[256];

	rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why, sizeof(why));
	rd_kafka_DescribeTopics(reader->rk, topics, options, queue);
	event = watched(WATCH_SOURCE, "the request for the topic to", reader->peer, timeout_ms,
	                rd_kafka_queue_poll(queue, timeout_ms));
	code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
	if (!code)
		take_id(event, id);
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_TopicCollection_destroy(topics);
	if (code && code != RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE)
		return error_set(err, "cannot describe topic %s: %s%s", name, rd_kafka_err2str(code),
		                 client_cure(code));
	memcpy(ret_id, id, sizeof(id));
	return 0;
}

int reader_topic_id(struct kafka_reader *reader, char ret_id[PLACE_TOPIC_ID_MAX], struct error *err)
{
	return describe(reader, REQUEST_TIMEOUT_MS, ret_id, err);
}

bool reader_other_topic(struct kafka_reader *reader, struct error *ret_why)
{
	int timeout_ms = atomic_load(&reader->stop->requested) ? STOPPING_TIMEOUT_MS : reader->round_ms;
	const char *before = reader->topic_id;
	char id[PLACE_TOPIC_ID_MAX];
	struct error err;

	if (!before[0] || describe(reader, timeout_ms, id, &err) < 0 || !id[0] || !strcmp(id, before))
		return false;
	error_write(ret_why, "its id was %s and is %s", before, id);
	return true;
}

struct topic_watch {
	struct kafka_reader *reader;
};

bool topic_watch_changed(struct topic_watch *watch, struct error *ret_why)
{
	return reader_other_topic(watch->reader, ret_why);
}

void topic_watch_free(struct topic_watch *watch)
{
	free(watch);
}

#else

#define FETCH_TIMEOUT_MS 2000

int reader_topic_id(struct kafka_reader *reader, char ret_id[PLACE_TOPIC_ID_MAX], struct error *err)
{
	(void)reader;
	(void)err;
	ret_id[0] = '\0';
	return 0;
}

bool reader_other_topic(struct kafka_reader *reader, struct error *ret_why)
{
	(void)reader;
	(void)ret_why;
	return false;
}

struct topic_watch {
	struct kafka_reader *reader;
	rd_kafka_t *rk;
	rd_kafka_topic_t *topic;
};

static bool connect_watch(struct topic_watch *watch)
{
	static const struct setting settings[] = {
	        {"auto.offset.reset", "error"},         {"enable.auto.commit", "false"},
	        {"queued.max.messages.kbytes", "1024"}, {"queued.min.messages", "1"},
	        {"fetch.message.max.bytes", "1024"},    {"reconnect.backoff.max.ms", "2000"},
	        {"allow.auto.create.topics", "false"},  {NULL, NULL}};
	const struct kafka_client *client = &watch->reader->spec->client;
	struct error err;
	rd_kafka_conf_t *conf;

	if (watch->topic)
		return true;
	conf = client_conf(client, watch->reader->secrets_dir, settings, &err);
	watch->rk = conf ? client_new(RD_KAFKA_CONSUMER, conf, &err) : NULL;
	if (watch->rk)
		watch->topic = rd_kafka_topic_new(watch->rk, client->topic, NULL);
	return watch->topic != NULL;
}

/* The record at exactly that offset has another time stamp. */
static bool other_record(struct topic_watch *watch, const struct kafka_seen *seen, struct error *why)
{
	rd_kafka_message_t *message;
	rd_kafka_timestamp_type_t type;
	int64_t timestamp_ms;
	bool other = false;

	if (!connect_watch(watch) || rd_kafka_consume_start(watch->topic, seen->partition, seen->offset))
		return false;
	message = watched(WATCH_SOURCE, "reading from", watch->reader->peer, FETCH_TIMEOUT_MS,
	                  rd_kafka_consume(watch->topic, seen->partition, FETCH_TIMEOUT_MS));
	if (message && !message->err && message->offset == seen->offset) {
		timestamp_ms = rd_kafka_message_timestamp(message, &type);
		other = timestamp_ms != seen->timestamp_ms;
		if (other)
			error_write(why,
			            "the record at offset %" PRId64 " of partition %d had the time stamp %" PRId64
			            " and has %" PRId64,
			            seen->offset, (int)seen->partition, seen->timestamp_ms, timestamp_ms);
	}
	if (message)
		rd_kafka_message_destroy(message);
	watch_begin(WATCH_SOURCE, "the end of reading from", watch->reader->peer, CLIENT_CALL_MS);
	rd_kafka_consume_stop(watch->topic, seen->partition);
	watch_end();
	return other;
}

bool topic_watch_changed(struct topic_watch *watch, struct error *ret_why)
{
	struct kafka_reader *reader = watch->reader;
	struct kafka_seen seen;
	int64_t low, high;
	struct error err;

	pthread_mutex_lock(&reader->mutex);
	seen = reader->seen;
	pthread_mutex_unlock(&reader->mutex);
	if (seen.timestamp_ms <= 0 || reader_range(reader, seen.partition, &low, &high, &err) < 0)
		return false;
	if (high <= seen.offset) {
		error_write(ret_why, "the log of partition %d ends at %" PRId64 ", and offset %" PRId64 " was read",
		            (int)seen.partition, high, seen.offset);
		return true;
	}
	return low <= seen.offset && other_record(watch, &seen, ret_why);
}

void topic_watch_free(struct topic_watch *watch)
{
	if (watch->topic)
		rd_kafka_topic_destroy(watch->topic);
	if (watch->rk)
		client_end(watch->rk, WATCH_SOURCE, &watch->reader->spec->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	free(watch);
}

#endif

struct topic_watch *topic_watch_new(struct kafka_reader *reader)
{
	struct topic_watch *watch = xcalloc(1, sizeof(*watch));

	watch->reader = reader;
	return watch;
}

void reader_found_anew(struct kafka_reader *reader, const char *why)
{
	struct error err;

	if (atomic_exchange(&reader->identity->topic_anew, true))
		return;
	if (reader->spec->on_offset_loss == OFFSET_LOSS_FAIL) {
		reader_made_anew(reader, why, &err);
		atomic_store(&reader->made_anew, true);
		committer_repeat(reader); /* so that the next start knows it too */
		reader_interrupt(reader, &err);
		return;
	}
	log_warn("the topic was made anew: the job begins with its first record", "topic=\"%s\" why=\"%s\"",
	         reader->spec->client.topic, why);
	reader_interrupt(reader, NULL);
}
