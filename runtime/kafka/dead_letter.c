/*
 * Dead letters to a topic: the raw record under its own key, where it came from and why in the headers.
 *
 * A letter that is too large for the topic is cut, again and again until it fits, and says so in a header; its place
 * and its reason are always kept. Which one of a batch was too large is not known, so that a small one is first sent
 * whole once more, alone.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/repeat.h"
#include "lib/base/text.h"
#include "runtime/kafka/client.h"
#include "runtime/kafka/kafka.h"
#include "runtime/kafka/letter.h"
#include "runtime/kafka/refusal.h"

#define QUEUE_WAIT_MS    100
#define FLUSH_ROUND_MS   1000
#define BATCH_BYTES      65536 /* so that few letters share the fate of one that is too large */
#define BATCH_BYTES_TEXT "65536"
#define LETTER_BYTES_MAX "33554432" /* 32 MiB: of one letter; half of the queue. The topic's limit is the broker's */

struct kafka_dead_letter {
	struct dead_letter letters;
	const struct kafka_client *spec;
	const char *peer; /* for the watchdog */
	const char *secrets_dir;
	struct stop *stop;
	rd_kafka_t *producer;
	rd_kafka_topic_t
	        *topic; /* held so that it is known before the first letter, which else waits a second for it */
	pthread_mutex_t sending;  /* held while a letter is sent alone, and to send any other */
	struct repeat cut;        /* with `sending` */
	_Atomic int64_t waits_ms; /* monotonic: when it was last said that letters wait */
	pthread_mutex_t mutex;    /* of what follows */
	struct error failure;     /* of a record that the broker refused for good */
	bool failed;
	struct letter *refused; /* to be sent again */
};

static int refuse(const struct kafka_dead_letter *letters, rd_kafka_resp_err_t code, const rd_kafka_headers_t *headers,
                  struct error *err)
{
	const char *cure = refusal_cure(code);
	struct buffer place;

	buffer_init(&place);
	letter_place(headers, &place);
	error_set(err, "topic %s did not take the dead letter of %s: %s%s%s%s", letters->spec->topic, place.data,
	          rd_kafka_err2str(code), refusal_is_size(code) ? ", though it was cut to its headers" : "",
	          cure[0] ? "; " : "", cure);
	buffer_release(&place);
	return -1;
}

/* From rd_kafka_poll and rd_kafka_flush: any lane's thread, a sink's, or the fire thread. */
static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *context)
{
	struct kafka_dead_letter *letters = context;
	rd_kafka_headers_t *headers = NULL;

	(void)rk;
	if (!message->err)
		return;
	rd_kafka_message_headers(message, &headers);
	pthread_mutex_lock(&letters->mutex);
	if (refusal_is_size(message->err) && (message->len || message->key_len)) {
		struct letter *letter = letter_of(message, headers);

		letter->next = letters->refused;
		letters->refused = letter;
	} else {
		letters->failed = true;
		refuse(letters, message->err, headers, &letters->failure);
	}
	pthread_mutex_unlock(&letters->mutex);
}

static int letters_open(struct dead_letter *base, struct stop *stop, struct error *err)
{
	static const struct setting settings[] = {{"enable.idempotence", "true"},
	                                          {"linger.ms", "20"},
	                                          {"message.timeout.ms", "0"}, /* tried until it is there */
	                                          {"message.max.bytes", LETTER_BYTES_MAX},
	                                          {"batch.size", BATCH_BYTES_TEXT},
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
	if (!letters->producer)
		return -1;
	letters->topic = rd_kafka_topic_new(letters->producer, letters->spec->topic, NULL);
	return 0;
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

/* Waits while the queue is full. Where it is accepted, the headers are the message's. */
static rd_kafka_resp_err_t send_letter(struct kafka_dead_letter *letters, struct slice key, struct slice value,
                                       rd_kafka_headers_t *headers, bool alone)
{
	rd_kafka_resp_err_t code;

	do {
		code = rd_kafka_producev(letters->producer, RD_KAFKA_V_TOPIC(letters->spec->topic),
		                         RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.data, key.size),
		                         RD_KAFKA_V_VALUE((void *)(uintptr_t)value.data, value.size),
		                         RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(alone ? letters : NULL),
		                         RD_KAFKA_V_END);
		rd_kafka_poll(letters->producer, code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? QUEUE_WAIT_MS : 0);
	} while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL && !stop_deadline_passed(letters->stop));
	return code;
}

/* Whoever flushes, at most one line a minute. */
static void say_waiting(struct kafka_dead_letter *letters)
{
	int64_t now_ms = clock_monotonic_ms(letters->stop->clock), said_ms = atomic_load(&letters->waits_ms);

	if (now_ms - said_ms < REPEAT_MS || !atomic_compare_exchange_strong(&letters->waits_ms, &said_ms, now_ms))
		return;
	log_warn("dead letters wait", "topic=%s letters=%d", letters->spec->topic,
	         rd_kafka_outq_len(letters->producer));
}

static int flush_queue(struct kafka_dead_letter *letters, struct error *err)
{
	while (watched(WATCH_SINK, "the flush of dead letters to", letters->peer, FLUSH_ROUND_MS,
	               rd_kafka_flush(letters->producer, FLUSH_ROUND_MS))) {
		if (failure(letters, err) < 0)
			return -1;
		if (stop_deadline_passed(letters->stop))
			return error_set(err, "topic %s did not take %d dead letters in time", letters->spec->topic,
			                 rd_kafka_outq_len(letters->producer));
		say_waiting(letters);
	}
	return failure(letters, err);
}

/* With `sending`. */
static void cut(struct kafka_dead_letter *letters, struct letter *letter)
{
	struct buffer place;
	uint64_t unsaid;

	if (!letter_cut(letter))
		return;
	unsaid = repeat_due(&letters->cut, 1, clock_monotonic_ms(letters->stop->clock));
	if (!unsaid)
		return;
	buffer_init(&place);
	letter_place(letter->headers, &place);
	log_warn("a dead letter is cut, for its topic takes none so large",
	         "topic=%s letter=\"%s\" letters=%llu in_all=%llu remedy=\"raise max.message.bytes of the topic\"",
	         letters->spec->topic, place.data, (unsigned long long)unsaid, (unsigned long long)letters->cut.count);
	buffer_release(&place);
}

/* Alone in its batch. The letter is used up. With `sending`. */
static int send_again(struct kafka_dead_letter *letters, struct letter *letter, struct error *err)
{
	rd_kafka_resp_err_t code;
	int result = 0;

	if (letter->alone || letter->key.size + letter->value.size > BATCH_BYTES)
		cut(letters, letter);
	for (;;) {
		code = send_letter(letters, letter->key, letter->value, letter->headers, true);
		if (!refusal_is_size(code) || !(letter->key.size + letter->value.size))
			break;
		cut(letters, letter); /* more than this client sends */
	}
	if (code)
		result = refuse(letters, code, letter->headers, err);
	else
		letter->headers = NULL;
	letter_free(letter);
	return result ? result : flush_queue(letters, err);
}

/* All that were refused so far, until each is taken. */
static int send_refused(struct kafka_dead_letter *letters, struct error *err)
{
	int result = 0;

	pthread_mutex_lock(&letters->sending);
	while (!result) {
		struct letter *letter;

		pthread_mutex_lock(&letters->mutex);
		letter = letters->refused;
		letters->refused = letter ? letter->next : NULL;
		pthread_mutex_unlock(&letters->mutex);
		if (!letter)
			break;
		result = flush_queue(letters, err);
		if (!result)
			result = send_again(letters, letter, err);
		else
			letter_free(letter);
	}
	pthread_mutex_unlock(&letters->sending);
	return result;
}

/* The headers are used up. */
static int produce(struct kafka_dead_letter *letters, struct slice key, struct slice value, rd_kafka_headers_t *headers,
                   struct error *err)
{
	rd_kafka_resp_err_t code;
	int result = 0;

	pthread_mutex_lock(&letters->sending);
	code = send_letter(letters, key, value, headers, false);
	pthread_mutex_unlock(&letters->sending);
	if (refusal_is_size(code)) { /* more than this client sends */
		const rd_kafka_message_t message = {.key = (void *)(uintptr_t)key.data,
		                                    .key_len = key.size,
		                                    .payload = (void *)(uintptr_t)value.data,
		                                    .len = value.size};
		struct letter *letter = letter_of(&message, headers);

		pthread_mutex_lock(&letters->mutex);
		letter->next = letters->refused;
		letters->refused = letter;
		pthread_mutex_unlock(&letters->mutex);
	} else if (code) {
		result = refuse(letters, code, headers, err);
	}
	if (code)
		rd_kafka_headers_destroy(headers);
	if (!result)
		result = send_refused(letters, err);
	return result ? result : failure(letters, err);
}

static int letters_write(struct dead_letter *base, const struct record *record, const char *topic, const char *reason,
                         struct error *err)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(7);

	letter_header(headers, "streamjob.topic", topic);
	letter_number(headers, "streamjob.partition", record->partition);
	letter_number(headers, "streamjob.offset", record->offset);
	letter_number(headers, "streamjob.timestamp", record->timestamp_ms);
	if (record->line)
		letter_number(headers, "streamjob.line", (int64_t)record->line);
	if (record->element)
		letter_number(headers, "streamjob.element", record->element);
	letter_header(headers, "streamjob.reason", reason);
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

		letter_header(headers, "streamjob.sink", sink);
		letter_number(headers, "streamjob.sequence", (int64_t)result->sequence);
		letter_header(headers, "streamjob.reason", reason);
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
	if (flush_queue(letters, err) < 0 || send_refused(letters, err) < 0)
		return -1;
	return failure(letters, err);
}

static void letters_close(struct dead_letter *base)
{
	struct kafka_dead_letter *letters = (struct kafka_dead_letter *)base;

	if (letters->topic)
		rd_kafka_topic_destroy(letters->topic);
	if (letters->producer) {
		rd_kafka_purge(letters->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
		client_end(letters->producer, WATCH_SINK, letters->spec, 0);
	}
	while (letters->refused) {
		struct letter *letter = letters->refused;

		letters->refused = letter->next;
		letter_free(letter);
	}
	pthread_mutex_destroy(&letters->sending);
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
	letters->peer = client_peer(spec);
	letters->secrets_dir = secrets_dir;
	atomic_store(&letters->waits_ms, INT64_MIN / 2);
	pthread_mutex_init(&letters->sending, NULL);
	pthread_mutex_init(&letters->mutex, NULL);
	return &letters->letters;
}
