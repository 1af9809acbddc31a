/*
 * The Kafka sink: one transaction a window. In the same transaction the window's sequence is committed as the offset of
 * the progress group at partition 0 of the sink's own topic, so the sink knows by itself what it has, whatever happened
 * to the reply of a commit, and whichever cluster the source is on.
 *
 * After any failure the producer is made anew: init_transactions fences and ends what was left, and the progress says
 * what became of it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "runtime/kafka/client.h"
#include "runtime/kafka/kafka.h"

#define REQUEST_TIMEOUT_MS 10000
#define COMMIT_TIMEOUT_MS  30000
#define QUEUE_WAIT_MS      100
#define RETRY_PAUSE_MS     500 /* between attempts that failed at once */
#define ID_BYTES_MAX       512

struct kafka_sink {
	struct sink sink;
	const struct kafka_client *spec;
	const char *secrets_dir;
	struct stop *stop;
	char transactional_id[ID_BYTES_MAX], progress_group[ID_BYTES_MAX], target[ID_BYTES_MAX];
	rd_kafka_t *producer; /* NULL: to be made by the next write */
	bool resumable, fenced;
	uint64_t next_sequence; /* of the first window of this run */
	uint64_t progress;      /* the newest window in the topic */
	struct buffer key, value;
};

static rd_kafka_topic_partition_list_t *progress_list(const struct kafka_sink *sink)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

	rd_kafka_topic_partition_list_add(list, sink->spec->topic, 0);
	return list;
}

/* Takes the error's words, destroys it; is -1. */
static int failed(struct kafka_sink *sink, rd_kafka_error_t *error, const char *doing, struct error *err)
{
	rd_kafka_resp_err_t code = rd_kafka_error_code(error);

	sink->fenced = code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
	               code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
	error_set(err, "topic %s: %s: %s", sink->spec->topic, doing, rd_kafka_error_string(error));
	rd_kafka_error_destroy(error);
	return -1;
}

/* The committed progress, by a consumer handle of its own; -1: unknown. */
static int read_progress(struct kafka_sink *sink, struct error *err)
{
	const struct setting settings[] = {
	        {"group.id", sink->progress_group}, {"isolation.level", "read_committed"}, {NULL, NULL}};
	const struct kafka_client plain = {.bootstrap_servers = sink->spec->bootstrap_servers,
	                                   .security = sink->spec->security};
	rd_kafka_conf_t *conf = client_conf(&plain, sink->secrets_dir, settings, err);
	rd_kafka_t *consumer = conf ? client_new(RD_KAFKA_CONSUMER, conf, err) : NULL;
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_resp_err_t code;

	if (!consumer)
		return -1;
	list = progress_list(sink);
	code = rd_kafka_committed(consumer, list, REQUEST_TIMEOUT_MS);
	if (!code)
		code = list->elems[0].err;
	if (!code)
		sink->progress = list->elems[0].offset < 0 ? 0 : (uint64_t)list->elems[0].offset;
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_destroy(consumer);
	return code ? client_error(err, code, "cannot read the sink's progress") : 0;
}

/* What an earlier life of the job wrote beyond where this one begins does not count. */
static void judge_progress(struct kafka_sink *sink)
{
	if (sink->progress <= sink->next_sequence && sink->resumable)
		return;
	if (sink->resumable)
		log_warn("the sink is ahead of the job: its source was set back",
		         "topic=%s sink=%" PRIu64 " job=%" PRIu64, sink->spec->topic, sink->progress,
		         sink->next_sequence);
	sink->progress = sink->next_sequence - 1;
}

static rd_kafka_conf_t *producer_conf(const struct kafka_sink *sink, struct error *err)
{
	const struct setting settings[] = {
	        {"transactional.id", sink->transactional_id},
	        {"partitioner", "murmur2_random"},
	        {"linger.ms", "5"},
	        {"transaction.timeout.ms", "60000"},
	        {NULL, NULL},
	};

	return client_conf(sink->spec, sink->secrets_dir, settings, err);
}

static int connect_producer(struct kafka_sink *sink, bool first, struct error *err)
{
	rd_kafka_conf_t *conf = producer_conf(sink, err);
	rd_kafka_error_t *error;

	sink->producer = conf ? client_new(RD_KAFKA_PRODUCER, conf, err) : NULL;
	if (!sink->producer)
		return -1;
	error = rd_kafka_init_transactions(sink->producer, REQUEST_TIMEOUT_MS);
	if (error) {
		failed(sink, error, "cannot start transactions", err);
	} else if (read_progress(sink, err) == 0) {
		if (first)
			judge_progress(sink);
		return 0;
	}
	rd_kafka_destroy(sink->producer);
	sink->producer = NULL;
	return -1;
}

static void drop_producer(struct kafka_sink *sink)
{
	if (sink->producer)
		rd_kafka_destroy(sink->producer);
	sink->producer = NULL;
}

static int kafka_sink_open(struct sink *base, const struct sink_start *start, struct stop *stop, struct error *err)
{
	struct kafka_sink *sink = (struct kafka_sink *)base;
	rd_kafka_conf_t *conf = producer_conf(sink, err);

	if (!conf)
		return -1; /* a wrong property or a missing secret: waiting does not mend it */
	rd_kafka_conf_destroy(conf);
	sink->stop = stop;
	sink->next_sequence = start->next_sequence;
	sink->resumable = start->resumable;
	while (connect_producer(sink, true, err) < 0) {
		if (atomic_load(&stop->requested) || stop_deadline_passed(sink->stop))
			return -1;
		if (base->report)
			base->report(base->report_context, err);
		nanosleep(&(struct timespec){.tv_nsec = RETRY_PAUSE_MS * 1000000L}, NULL);
	}
	if (base->report)
		base->report(base->report_context, NULL);
	return 0;
}

static int produce_row(struct kafka_sink *sink, const struct window_result *result, size_t row, struct error *err)
{
	rd_kafka_resp_err_t code;

	buffer_clear(&sink->key);
	buffer_clear(&sink->value);
	result_key_json(result, row, &sink->key);
	result_row_json(result, row, &sink->value);
	for (;;) {
		code = rd_kafka_producev(sink->producer, RD_KAFKA_V_TOPIC(sink->spec->topic),
		                         RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
		                         RD_KAFKA_V_KEY(sink->key.data, sink->key.size),
		                         RD_KAFKA_V_VALUE(sink->value.data, sink->value.size), RD_KAFKA_V_END);
		if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || stop_deadline_passed(sink->stop))
			break;
		rd_kafka_poll(sink->producer, QUEUE_WAIT_MS);
	}
	return code ? client_error(err, code, "cannot produce a row") : 0;
}

static int send_progress(struct kafka_sink *sink, uint64_t sequence, struct error *err)
{
	rd_kafka_topic_partition_list_t *list = progress_list(sink);
	rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata_new(sink->progress_group);
	rd_kafka_error_t *error;

	list->elems[0].offset = (int64_t)sequence;
	error = rd_kafka_send_offsets_to_transaction(sink->producer, list, group, COMMIT_TIMEOUT_MS);
	rd_kafka_consumer_group_metadata_destroy(group);
	rd_kafka_topic_partition_list_destroy(list);
	return error ? failed(sink, error, "cannot add the progress to the transaction", err) : 0;
}

static int write_transaction(struct kafka_sink *sink, const struct window_result *result, struct error *err)
{
	rd_kafka_error_t *error = rd_kafka_begin_transaction(sink->producer);

	if (error)
		return failed(sink, error, "cannot begin a transaction", err);
	for (size_t row = 0; row < result->rows.rows; row++)
		if (produce_row(sink, result, row, err) < 0)
			return -1;
	if (send_progress(sink, result->sequence, err) < 0)
		return -1;
	error = rd_kafka_commit_transaction(sink->producer, COMMIT_TIMEOUT_MS);
	return error ? failed(sink, error, "cannot commit the transaction", err) : 0;
}

static enum sink_outcome kafka_sink_write(struct sink *base, const struct window_result *result, struct stop *stop,
                                          struct error *err)
{
	struct kafka_sink *sink = (struct kafka_sink *)base;

	(void)stop;
	if (!sink->producer && connect_producer(sink, false, err) < 0)
		return sink->fenced ? SINK_REJECTED : SINK_RETRY;
	if (result->sequence <= sink->progress)
		return SINK_ACCEPTED;
	if (write_transaction(sink, result, err) == 0) {
		sink->progress = result->sequence;
		return SINK_ACCEPTED;
	}
	drop_producer(sink);
	if (!sink->fenced)
		return SINK_RETRY;
	error_prefix(err, "another instance of this job writes this sink");
	return SINK_REJECTED;
}

static void kafka_sink_close(struct sink *base)
{
	struct kafka_sink *sink = (struct kafka_sink *)base;

	drop_producer(sink);
	buffer_release(&sink->key);
	buffer_release(&sink->value);
	free(sink);
}

static const struct sink_ops kafka_sink_ops = {
        .name = "kafka",
        .open = kafka_sink_open,
        .write = kafka_sink_write,
        .close = kafka_sink_close,
};

struct sink *kafka_sink_new(const struct kafka_client *spec, const char *sink_id, const char *secrets_dir)
{
	struct kafka_sink *sink = xcalloc(1, sizeof(*sink));

	sink->sink.ops = &kafka_sink_ops;
	sink->sink.target = sink->target;
	sink->sink.fail_on_rejected = true; /* a window that is left out would be lost */
	sink->spec = spec;
	sink->secrets_dir = secrets_dir;
	snprintf(sink->transactional_id, sizeof(sink->transactional_id), "%s", sink_id);
	snprintf(sink->progress_group, sizeof(sink->progress_group), "%s", sink_id);
	snprintf(sink->target, sizeof(sink->target), "kafka %s", spec->topic);
	buffer_init(&sink->key);
	buffer_init(&sink->value);
	return &sink->sink;
}
