/* Dead letters to a topic: the raw record under its own key, where it came from and why in the headers. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "runtime/kafka/client.h"
#include "runtime/kafka/kafka.h"

#define QUEUE_WAIT_MS  100
#define FLUSH_ROUND_MS 1000

struct kafka_dead_letter {
	struct dead_letter letters;
	const struct kafka_client *spec;
	const char *secrets_dir;
	struct stop *stop;
	rd_kafka_t *producer;
	pthread_mutex_t mutex; /* of failure */
	struct error failure;  /* of a record that the broker refused for good */
	bool failed;
};

/* From rd_kafka_poll and rd_kafka_flush: any lane's thread, or the fire thread. */
static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *context)
{
	struct kafka_dead_letter *letters = context;

	(void)rk;
	if (!message->err)
		return;
	pthread_mutex_lock(&letters->mutex);
	letters->failed = true;
	error_set(&letters->failure, "topic %s did not take a dead letter: %s", letters->spec->topic,
	          rd_kafka_err2str(message->err));
	pthread_mutex_unlock(&letters->mutex);
}

static int letters_open(struct dead_letter *base, struct stop *stop, struct error *err)
{
	static const struct setting settings[] = {{"enable.idempotence", "true"},
	                                          {"linger.ms", "20"},
	                                          {"message.timeout.ms", "0"}, /* tried until it is there */
	                                          {"queue.buffering.max.kbytes", "65536"},
	                                          {"allow.auto.create.topics", "false"},
	                                          {NULL, NULL}};
	struct kafka_dead_letter *letters = (struct kafka_dead_letter *)base;
	rd_kafka_conf_t *conf = client_conf(letters->spec, letters->secrets_dir, settings, err);

	if (!conf)
		return -1;
	letters->stop = stop;
	rd_kafka_conf_set_opaque(conf, letters);
	rd_kafka_conf_set_dr_msg_cb(conf, delivered);
	letters->producer = client_new(RD_KAFKA_PRODUCER, conf, err);
	return letters->producer ? 0 : -1;
}

static int failure(struct kafka_dead_letter *letters, struct error *err)
{
	int result = 0;

	pthread_mutex_lock(&letters->mutex);
	if (letters->failed) {
		*err = letters->failure;
		result = -1;
	}
	pthread_mutex_unlock(&letters->mutex);
	return result;
}

/* Produces; waits while the queue is full. The headers are the message's, or freed. */
static int produce(struct kafka_dead_letter *letters, struct slice key, struct slice value, rd_kafka_headers_t *headers,
                   struct error *err)
{
	rd_kafka_resp_err_t code;

	for (;;) {
		code = rd_kafka_producev(letters->producer, RD_KAFKA_V_TOPIC(letters->spec->topic),
		                         RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.data, key.size),
		                         RD_KAFKA_V_VALUE((void *)(uintptr_t)value.data, value.size),
		                         RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
		rd_kafka_poll(letters->producer, code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? QUEUE_WAIT_MS : 0);
		if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || stop_deadline_passed(letters->stop))
			break;
	}
	if (!code)
		return failure(letters, err);
	rd_kafka_headers_destroy(headers);
	return client_error(err, code, "cannot produce a dead letter");
}

static void add_header(rd_kafka_headers_t *headers, const char *name, const char *value)
{
	rd_kafka_header_add(headers, name, -1, value, -1);
}

static void add_number(rd_kafka_headers_t *headers, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	add_header(headers, name, text);
}

static int letters_write(struct dead_letter *base, const struct record *record, const char *topic, const char *reason,
                         struct error *err)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(7);

	add_header(headers, "streamjob.topic", topic);
	add_number(headers, "streamjob.partition", record->partition);
	add_number(headers, "streamjob.offset", record->offset);
	add_number(headers, "streamjob.timestamp", record->timestamp_ms);
	if (record->line)
		add_number(headers, "streamjob.line", (int64_t)record->line);
	if (record->element)
		add_number(headers, "streamjob.element", record->element);
	add_header(headers, "streamjob.reason", reason);
	return produce((struct kafka_dead_letter *)base, record->key, record->value, headers, err);
}

static int letters_write_rows(struct dead_letter *base, const struct window_result *result, size_t first, size_t rows,
                              const char *sink, const char *reason, struct error *err)
{
	/* A row a letter: a window may be larger than a record may be. */
	int outcome = 0;
	struct buffer value;

	buffer_init(&value);
	for (size_t row = first; row < first + rows && !outcome; row++) {
		rd_kafka_headers_t *headers = rd_kafka_headers_new(3);

		add_header(headers, "streamjob.sink", sink);
		add_number(headers, "streamjob.sequence", (int64_t)result->sequence);
		add_header(headers, "streamjob.reason", reason);
		buffer_clear(&value);
		result_row_json(result, row, &value);
		outcome = produce((struct kafka_dead_letter *)base, (struct slice){NULL, 0}, buffer_slice(&value),
		                  headers, err);
	}
	buffer_release(&value);
	return outcome;
}

static int letters_flush(struct dead_letter *base, struct stop *stop, struct error *err)
{
	struct kafka_dead_letter *letters = (struct kafka_dead_letter *)base;

	(void)stop;
	while (rd_kafka_flush(letters->producer, FLUSH_ROUND_MS)) {
		if (failure(letters, err) < 0)
			return -1;
		if (stop_deadline_passed(letters->stop))
			return error_set(err, "topic %s did not take %d dead letters in time", letters->spec->topic,
			                 rd_kafka_outq_len(letters->producer));
		log_warn("dead letters wait", "topic=%s letters=%d", letters->spec->topic,
		         rd_kafka_outq_len(letters->producer));
	}
	return failure(letters, err);
}

static void letters_close(struct dead_letter *base)
{
	struct kafka_dead_letter *letters = (struct kafka_dead_letter *)base;

	if (letters->producer) {
		rd_kafka_purge(letters->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
		rd_kafka_destroy(letters->producer);
	}
	pthread_mutex_destroy(&letters->mutex);
	free(letters);
}

static const struct dead_letter_ops letters_ops = {
        .name = "kafka",
        .open = letters_open,
        .write = letters_write,
        .write_rows = letters_write_rows,
        .flush = letters_flush,
        .close = letters_close,
};

struct dead_letter *kafka_dead_letter_new(const struct kafka_client *spec, const char *secrets_dir)
{
	struct kafka_dead_letter *letters = xcalloc(1, sizeof(*letters));

	letters->letters.ops = &letters_ops;
	letters->spec = spec;
	letters->secrets_dir = secrets_dir;
	pthread_mutex_init(&letters->mutex, NULL);
	return &letters->letters;
}
