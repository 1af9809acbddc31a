/*
 * The Kafka source's state, shared by source.c (open, commit, status), start.c (where to begin), take.c (lanes) and
 * wake.c. Inside runtime/kafka only.
 *
 * All partitions are read by one handle with librdkafka's simple consumer: the job knows where each begins, and no
 * group membership delays a start. The group only keeps offsets.
 */
#ifndef STREAMJOB_KAFKA_SOURCE_H
#define STREAMJOB_KAFKA_SOURCE_H

#include <pthread.h>

#include "runtime/kafka/boundary.h"
#include "runtime/kafka/client.h"
#include "runtime/kafka/kafka.h"

#define KAFKA_LANES_MAX     64
#define PARTITIONS_MAX      10000
#define REQUEST_TIMEOUT_MS  5000
#define RETRY_PAUSE_MS      500
#define MONITOR_INTERVAL_MS 2000

struct partition {
	_Atomic int64_t committed; /* -1: none yet */
	_Atomic int64_t position;  /* the next record that a lane will get */
	int64_t to;                /* of the boundary that was written last; -1: none */
	bool reached;              /* replaying: `to` was seen. The lane's alone */
};

struct kafka_lane {
	rd_kafka_queue_t *queue;
	int event_fd; /* readable when the queue was empty and is not any more */
	rd_kafka_message_t *messages[BATCH_ROWS_MAX];
	size_t messages_count;
	struct buffer headers; /* of the current batch, where they are wanted */
	size_t unreached;      /* partitions of this lane that are still replaying */
	bool boundary_said;
	size_t taken_rows, taken_bytes; /* since it has woken the brokers' threads */
};

struct kafka_reader {
	struct source source;
	const struct kafka_source *spec;
	const char *secrets_dir;
	bool wants_headers;
	struct stop *stop;
	rd_kafka_t *rk;
	rd_kafka_topic_t *topic;
	size_t wake_rows, wake_bytes; /* half of what a lane's queue holds */
	struct partition *partitions;
	unsigned lanes_count;
	struct kafka_lane lanes[KAFKA_LANES_MAX];
	_Atomic bool replaying;
	pthread_t monitor;
	bool monitoring;
	_Atomic bool closing;
	pthread_mutex_t mutex; /* of what follows */
	bool unhealthy;
	struct error health, last_error;
};

/* The source cannot go on, or can again (NULL). Logs changes. */
void reader_health(struct kafka_reader *reader, const struct error *err);
void reader_pause(const struct kafka_reader *reader, int64_t ms);

/* The client handle and its topic. Passwords, certificates and authorities are read from their files each time. */
int reader_connect(struct kafka_reader *reader, struct error *err);
void reader_disconnect(struct kafka_reader *reader);
/* Finds partitions, positions and the boundary; retries until stop. */
int reader_start(struct kafka_reader *reader, struct error *err);
/* The log's first and next offset of a partition. */
int reader_range(struct kafka_reader *reader, int32_t partition, int64_t *ret_low, int64_t *ret_high,
                 struct error *err);
/* Records at `from` are gone from a log of low to high: an error by policy, or the earliest offset. */
int reader_offset_loss(struct kafka_reader *reader, int32_t partition, int64_t from, int64_t low, int64_t high,
                       int64_t *ret_offset, struct error *err);

/* A lane has taken that much: wakes the brokers' threads when they may be waiting for it (wake.c). */
void reader_taken(struct kafka_reader *reader, struct kafka_lane *lane, size_t rows, size_t bytes);
void reader_wake_limits(struct kafka_reader *reader);

enum take reader_take(struct source *source, unsigned number, struct record_batch *batch, int timeout_ms,
                      struct error *err);
int reader_commit(struct source *source, const struct boundary *boundary, const int64_t *to, struct error *err);

#endif
