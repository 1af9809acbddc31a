/*
 * The Kafka source's state, shared by source.c (open, rewind, status), connect.c (the handle), start.c and begin.c
 * (where to begin), claim.c (whose the job is), committer.c (commits), monitor.c, lanes.c (their queues), take.c and
 * ordered.c over message.c (records), wake.c; below them all reader.c and log_range.c. Inside runtime/kafka only.
 *
 * All partitions are read by one handle with librdkafka's simple consumer: the job knows where each begins, and no
 * group membership delays a start. The group only keeps offsets. That one process has the job is the fence's work.
 */
#ifndef STREAMJOB_KAFKA_SOURCE_H
#define STREAMJOB_KAFKA_SOURCE_H

#include "runtime/kafka/committer.h"
#include "runtime/kafka/kafka.h"
#include "runtime/kafka/partition.h"
#include "runtime/kafka/topic_identity.h"

#define KAFKA_LANES_MAX    64
#define PARTITIONS_MAX     10000
#define REQUEST_TIMEOUT_MS 5000
#define ROUND_MS_MIN       1000
#define ROUND_MS_MAX       REQUEST_TIMEOUT_MS
#define LOOK_MS            100 /* for the stop, and whether something is due */
#define RETRY_PAUSE_MS     500

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

/* A record that a lane got: of the newest batch. */
struct kafka_seen {
	int32_t partition;
	int64_t offset, timestamp_ms; /* 0: none yet */
};

struct kafka_reader {
	struct source source;
	const struct kafka_source *spec;
	const char *secrets_dir;
	const struct clock *clock;
	struct job_identity *identity;
	bool wants_headers;
	struct stop *stop;
	rd_kafka_t *rk;
	rd_kafka_topic_t *topic;
	const char *peer;                  /* for the watchdog */
	char topic_id[PLACE_TOPIC_ID_MAX]; /* as it was at the start; "": not known */
	int round_ms; /* of one call of librdkafka, which a stop has to wait for: half of the time that a drain has */
	struct fence *fence;          /* NULL after start: the broker has no transactions */
	struct place place;           /* as it was committed last; the committer's from begin on */
	size_t wake_rows, wake_bytes; /* half of what a lane's queue holds */
	struct partition *partitions;
	unsigned lanes_count;
	struct kafka_lane lanes[KAFKA_LANES_MAX];
	struct ordered *ordered; /* NULL: the lanes take what comes; else there is one lane */
	_Atomic bool replaying;
	struct lease lease;
	struct committer committer;
	pthread_t monitor;
	bool monitoring; /* it runs */
	_Atomic bool closing;
	bool jumped;            /* by reader_start: to the first record of a topic that was made anew */
	_Atomic bool made_anew; /* the topic was, while the job ran: the place says so from then on */
	pthread_mutex_t mutex;  /* of what follows */
	bool unhealthy, stuck;
	struct error health, last_error, stuck_reason;
	struct source_owner owner;
	struct kafka_seen seen;
};

/* The source cannot go on, or can again (NULL). Logs changes. */
void reader_health(struct kafka_reader *reader, const struct error *err);
void reader_pause(const struct kafka_reader *reader, int64_t ms);
/* What the lanes have is void: see source.h. `failure`: the job is to fail. Any thread. */
void reader_interrupt(struct kafka_reader *reader, const struct error *failure);
/* Who has the job, for status: `reason` NULL where it is this process. */
void reader_owner(struct kafka_reader *reader, const char *process, const char *reason);

/* The client handles and the topic. Passwords, certificates and authorities are read from their files each time. */
int reader_connect(struct kafka_reader *reader, struct error *err);
void reader_disconnect(struct kafka_reader *reader);

/* The lanes read from the partitions' positions. */
int reader_start_lanes(struct kafka_reader *reader, struct error *err);
void reader_close_lane(struct kafka_lane *lane);

/* Looks after the topic on a thread of its own: health, partitions that were added, transactions left open. */
int reader_monitor_start(struct kafka_reader *reader, struct error *err);

/* A lane has taken that much: wakes the brokers' threads when they may be waiting for it (wake.c). */
void reader_taken(struct kafka_reader *reader, struct kafka_lane *lane, size_t rows, size_t bytes);
void reader_wake_limits(struct kafka_reader *reader);

#endif
