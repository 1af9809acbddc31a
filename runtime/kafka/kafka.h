/*
 * Kafka through librdkafka: source, sink and dead letter. The only room that knows librdkafka.
 *
 * Specs and the secrets directory outlive the objects. Contracts: runtime/port/port.h.
 */
#ifndef STREAMJOB_KAFKA_H
#define STREAMJOB_KAFKA_H

#include "lib/spec/read/load.h"
#include "runtime/port/port.h"

/* Who this process is, for the mark in the group's offsets (docs/delivery.md). Outlives the source. */
struct job_identity {
	const char *owner;   /* CLUSTER/NAMESPACE/NAME */
	const char *process; /* one of its kind */
	const char *query;   /* jobspec_query_hash */
	int64_t drain_ms;
	int64_t rollout;        /* 0: none */
	struct sink_held known; /* what the operator knows of an earlier life; "" where nothing */
	const char *take_over;  /* the owner whose job may be taken; NULL: none */
	bool drop_pending;      /* a window that another query began is given up */
	const char *drop_query; /* only where that one began it; NULL: whichever did */
	/* Kept from one opening to the next: */
	uint64_t offset_jumps;   /* so far */
	_Atomic bool topic_anew; /* the offsets are of another log */
	bool fenced;             /* another process took the job from this one */
	int64_t quiet_ms;        /* as lease.quiet_ms */
	/* Set by an opening that failed as another query had begun the window that is pending. "": none. */
	char pending_query[JOBSPEC_QUERY_HASH_BYTES];
	uint64_t pending_sequence;
	char passed[128]; /* the process that such an opening has fenced: its drain is not waited for again */
};

/* How each life begins that begins at this place. */
void kafka_life_place(const char *group, const char *topic, char ret_place[LIFE_BYTES_MAX]);

/* Reads all partitions of the topic; its group's offsets are the job's state (docs/delivery.md). */
struct source *kafka_source_new(const struct kafka_source *spec, const char *secrets_dir, bool wants_headers,
                                const struct clock *clock, struct job_identity *identity);

/* One transaction a window. `sink_id`, which no other sink has, names the transactions and the progress group. */
struct sink *kafka_sink_new(const struct kafka_sink_spec *spec, const char *sink_id, const char *secrets_dir);
struct dead_letter *kafka_dead_letter_new(const struct kafka_client *spec, const char *secrets_dir);

#endif
