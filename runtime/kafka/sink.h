/*
 * The Kafka sink's own state, and its transactions. Inside runtime/kafka only; the sink's thread, also librdkafka's
 * delivery reports, which come from polls and flushes.
 */
#ifndef STREAMJOB_KAFKA_SINK_H
#define STREAMJOB_KAFKA_SINK_H

#include "runtime/kafka/client.h"
#include "runtime/kafka/progress.h"
#include "runtime/port/wait.h"

/* Below what brokers take as a whole request (socket.request.max.bytes, 100 MiB): one that is larger ends the
 * connection without a word. What a topic takes is the broker's to say. */
#define SINK_RECORD_BYTES_MAX "67108864"

struct kafka_sink {
	struct sink sink;
	const struct kafka_sink_spec *spec;
	const char *secrets_dir;
	struct stop *stop;
	const char *id; /* of the transactions and of the group that keeps the progress */
	char *target;
	const char *peer;     /* for the watchdog */
	rd_kafka_t *producer; /* NULL: to be made by the next write */
	struct sink_start start;
	struct sink_held held; /* the newest window in the topic */
	uint64_t ahead;        /* held at the start, and no window of what comes; 0: none */
	struct backoff backoff;
	struct error last_error;
	uint64_t fenced_sequence; /* the window that another producer interrupted, where there is no lease to ask */
	struct buffer key, value;

	/* Of the window that is being written: */
	uint64_t sequence;
	size_t rows;
	rd_kafka_resp_err_t *refused; /* of each row; NULL: none is */
	size_t refused_rows;
	size_t refused_bytes;        /* a row of so many is too large, whatever else; 0: unknown */
	bool single;                 /* a record a batch: only so a refusal is of one row */
	rd_kafka_resp_err_t failure; /* of a delivery that is no row's own */
	size_t refused_now;          /* in this transaction */
};

enum step {
	STEP_DONE,
	STEP_FAILED,  /* it may pass */
	STEP_AGAIN,   /* at once, differently: rows were found that can never be written */
	STEP_REFUSED, /* it cannot */
	STEP_FENCED
};

/* The transactional fence and then the progress, where there is no producer. */
enum step sink_connect(struct kafka_sink *sink, struct error *err);
void sink_disconnect(struct kafka_sink *sink);
/* One transaction: the window's rows but for the refused ones, and the progress. */
enum step sink_transaction(struct kafka_sink *sink, const struct window_result *result, struct error *err);
/* A configuration of the producer; NULL and why. */
rd_kafka_conf_t *sink_producer_conf(const struct kafka_sink *sink, struct error *err);

#endif
