/* The Kafka sink's transactions: fence, progress, rows. */
#include "runtime/kafka/sink.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "runtime/kafka/refusal.h"

#define REQUEST_TIMEOUT_MS 10000
#define COMMIT_TIMEOUT_MS  30000
#define POLL_MS            100
#define GIVE_UP_MS         2000

static enum step step_of(rd_kafka_resp_err_t code)
{
	if (is_fenced(code))
		return STEP_FENCED;
	return refusal_of(code) == REFUSAL_NONE ? STEP_FAILED : STEP_REFUSED;
}

static enum step say(const struct kafka_sink *sink, rd_kafka_resp_err_t code, const char *doing, const char *words,
                     struct error *err)
{
	const char *cure = refusal_cure(code);

	error_set(err, "topic %s: %s: %s%s%s", sink->spec->client.topic, doing, words, cure[0] ? "; " : "", cure);
	return step_of(code);
}

/* Takes the error's words, destroys it. */
static enum step failed(const struct kafka_sink *sink, rd_kafka_error_t *error, const char *doing, struct error *err)
{
	rd_kafka_resp_err_t code = rd_kafka_error_code(error);
	enum step step;

	if (code == RD_KAFKA_RESP_ERR__FATAL)
		code = rd_kafka_fatal_error(sink->producer, NULL, 0);
	step = say(sink, code, doing, rd_kafka_error_string(error), err);
	rd_kafka_error_destroy(error);
	return step;
}

/* Where records are compressed, a larger one may be taken. */
static bool compresses(const struct kafka_sink *sink)
{
	const struct pairs *properties = &sink->spec->client.properties;

	for (size_t i = 0; i < properties->count; i++)
		if (!strncmp(properties->items[i].key, "compression.", 12))
			return true;
	return false;
}

/* From polls and flushes, on the sink's thread: a row is written, or not. */
static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *context)
{
	struct kafka_sink *sink = context;
	size_t row = (size_t)(uintptr_t)message->_private;

	(void)rk;
	if (!message->err)
		return;
	if (refusal_of(message->err) != REFUSAL_RECORD) {
		/* What was only given up for another one's sake says less than the other one. */
		if (!sink->failure || message->err > 0)
			sink->failure = message->err;
		return;
	}
	sink->refused_now++;
	if (!sink->single)
		return;
	if (!sink->refused)
		sink->refused = xcalloc(sink->rows, sizeof(*sink->refused));
	sink->refused_rows += !sink->refused[row];
	sink->refused[row] = message->err;
	if (refusal_is_size(message->err) && !compresses(sink) &&
	    (!sink->refused_bytes || message->len + message->key_len < sink->refused_bytes))
		sink->refused_bytes = message->len + message->key_len;
}

rd_kafka_conf_t *sink_producer_conf(const struct kafka_sink *sink, struct error *err)
{
	const struct setting settings[] = {
	        {"transactional.id", sink->id},
	        {"partitioner", "murmur2_random"},
	        {"linger.ms", "5"},
	        {"transaction.timeout.ms", "60000"},
	        {"message.max.bytes", SINK_RECORD_BYTES_MAX},
	        {NULL, NULL},
	};
	rd_kafka_conf_t *conf = client_conf(&sink->spec->client, sink->secrets_dir, settings, err);

	if (conf && sink->single)
		rd_kafka_conf_set(conf, "batch.num.messages", "1", NULL, 0);
	return conf;
}

/* Asked for by name, the topic is known before the first row: else that one waits for librdkafka's next look at it, a
 * second. What it says is left to the rows: a topic that was made just now may not be known everywhere yet. */
static void learn_topic(const struct kafka_sink *sink)
{
	rd_kafka_topic_t *topic = rd_kafka_topic_new(sink->producer, sink->spec->client.topic, NULL);
	const struct rd_kafka_metadata *metadata;

	if (!topic)
		return;
	if (watched(WATCH_SINK, "the request for the topic to", sink->peer, REQUEST_TIMEOUT_MS,
	            rd_kafka_metadata(sink->producer, 0, topic, &metadata, REQUEST_TIMEOUT_MS)) == 0)
		rd_kafka_metadata_destroy(metadata);
	rd_kafka_topic_destroy(topic);
}

enum step sink_connect(struct kafka_sink *sink, struct error *err)
{
	rd_kafka_conf_t *conf;
	rd_kafka_error_t *error;
	enum step step;

	if (sink->producer)
		return STEP_DONE;
	conf = sink_producer_conf(sink, err);
	if (!conf)
		return STEP_FAILED;
	rd_kafka_conf_set_opaque(conf, sink);
	rd_kafka_conf_set_dr_msg_cb(conf, delivered);
	sink->producer = client_new(RD_KAFKA_PRODUCER, conf, err);
	if (!sink->producer)
		return STEP_FAILED;
	error = watched(WATCH_SINK, "the taking of the topic from", sink->peer,
	                client_limit_ms(sink->producer, REQUEST_TIMEOUT_MS),
	                rd_kafka_init_transactions(sink->producer, REQUEST_TIMEOUT_MS));
	step = error ? failed(sink, error, "cannot start transactions", err) : STEP_DONE;
	if (step == STEP_DONE &&
	    progress_read(&sink->spec->client, sink->id, sink->secrets_dir, true, &sink->held, err) != PROGRESS_READ)
		step = STEP_FAILED;
	if (step == STEP_DONE)
		learn_topic(sink);
	else
		sink_disconnect(sink);
	return step;
}

void sink_disconnect(struct kafka_sink *sink)
{
	if (!sink->producer)
		return;
	rd_kafka_purge(sink->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	client_end(sink->producer, WATCH_SINK, &sink->spec->client, 0);
	sink->producer = NULL;
}

static void refuse_row(struct kafka_sink *sink, size_t row)
{
	if (!sink->refused)
		sink->refused = xcalloc(sink->rows, sizeof(*sink->refused));
	sink->refused[row] = RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
	sink->refused_rows++;
}

/* 0, or why no more can be produced in this transaction. */
static rd_kafka_resp_err_t produce_row(struct kafka_sink *sink, const struct window_result *result, size_t row)
{
	rd_kafka_resp_err_t code;

	if (sink->refused && sink->refused[row])
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	buffer_clear(&sink->key);
	buffer_clear(&sink->value);
	result_key_json(result, row, &sink->key);
	result_row_json(result, row, &sink->value);
	if (sink->refused_bytes && sink->key.size + sink->value.size >= sink->refused_bytes) {
		refuse_row(sink, row);
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	}
	do {
		code = rd_kafka_producev(sink->producer, RD_KAFKA_V_TOPIC(sink->spec->client.topic),
		                         RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
		                         RD_KAFKA_V_KEY(sink->key.data, sink->key.size),
		                         RD_KAFKA_V_VALUE(sink->value.data, sink->value.size),
		                         RD_KAFKA_V_OPAQUE((void *)(uintptr_t)row), RD_KAFKA_V_END);
		rd_kafka_poll(sink->producer, code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? POLL_MS : 0);
	} while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL && !stop_deadline_passed(sink->stop));
	if (code != RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
		return code;
	refuse_row(sink, row); /* larger than this client sends */
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* What became of each row. After one that failed the transaction cannot be committed, and librdkafka may hold those
 * behind it until the transaction's time is over, a minute: they are given up, in each round those that came back
 * since, and those that are under way when no answer came in GIVE_UP_MS. */
static rd_kafka_resp_err_t wait_for_rows(struct kafka_sink *sink)
{
	rd_kafka_resp_err_t waiting;
	int waited_ms = 0;

	do {
		if (sink->refused_now || sink->failure) {
			rd_kafka_purge(sink->producer,
			               RD_KAFKA_PURGE_F_QUEUE |
			                       (waited_ms < GIVE_UP_MS ? 0 : RD_KAFKA_PURGE_F_INFLIGHT));
			waited_ms += POLL_MS;
		}
		waiting = watched(WATCH_SINK, "the flush to", sink->peer, POLL_MS,
		                  rd_kafka_flush(sink->producer, POLL_MS));
	} while (waiting == RD_KAFKA_RESP_ERR__TIMED_OUT && !stop_deadline_passed(sink->stop));
	return waiting;
}

/* All of them, and what became of each. */
static enum step produce_rows(struct kafka_sink *sink, const struct window_result *result, struct error *err)
{
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR, waiting;

	sink->failure = RD_KAFKA_RESP_ERR_NO_ERROR;
	sink->refused_now = 0;
	/* A record a batch, each is judged by itself, and the more of them are found the better. */
	for (size_t row = 0; row < result->rows.rows && !code && !sink->failure && (sink->single || !sink->refused_now);
	     row++)
		code = produce_row(sink, result, row);
	waiting = wait_for_rows(sink);
	if (sink->refused_now) {
		/* Of a batch it is not known which one; another transaction, a record a batch, will tell. */
		sink->single = true;
		return STEP_AGAIN;
	}
	if (!sink->failure)
		sink->failure = code ? code : waiting;
	if (sink->failure == RD_KAFKA_RESP_ERR__FATAL)
		sink->failure = rd_kafka_fatal_error(sink->producer, NULL, 0);
	return sink->failure ? say(sink, sink->failure, "cannot write a row", rd_kafka_err2str(sink->failure), err)
	                     : STEP_DONE;
}

static enum step send_progress(struct kafka_sink *sink, const struct sink_held *held, struct error *err)
{
	rd_kafka_topic_partition_list_t *list = progress_list(sink->spec->client.topic, held);
	rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata_new(sink->id);
	rd_kafka_error_t *error =
	        watched(WATCH_SINK, "the commit to", sink->peer, client_limit_ms(sink->producer, COMMIT_TIMEOUT_MS),
	                rd_kafka_send_offsets_to_transaction(sink->producer, list, group, COMMIT_TIMEOUT_MS));

	rd_kafka_consumer_group_metadata_destroy(group);
	rd_kafka_topic_partition_list_destroy(list);
	return error ? failed(sink, error, "cannot add the progress to the transaction", err) : STEP_DONE;
}

enum step sink_transaction(struct kafka_sink *sink, const struct window_result *result, struct error *err)
{
	struct sink_held held = {.sequence = result->sequence};
	rd_kafka_error_t *error = rd_kafka_begin_transaction(sink->producer);
	enum step step;

	if (error)
		return failed(sink, error, "cannot begin a transaction", err);
	step = produce_rows(sink, result, err);
	if (step != STEP_DONE)
		return step;
	memcpy(held.life, sink->start.life, sizeof(held.life));
	step = send_progress(sink, &held, err);
	if (step != STEP_DONE)
		return step;
	error = watched(WATCH_SINK, "the commit to", sink->peer, client_limit_ms(sink->producer, COMMIT_TIMEOUT_MS),
	                rd_kafka_commit_transaction(sink->producer, COMMIT_TIMEOUT_MS));
	if (error)
		return failed(sink, error, "cannot commit the transaction", err);
	sink->held = held;
	return STEP_DONE;
}
