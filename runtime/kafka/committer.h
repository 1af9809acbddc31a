/*
 * The thread that commits the job's place: what the fire thread asks for, and between that the same place again, so
 * that the group does not expire, the mark stays alive and the lease is held. One thread does both, so that a repeat
 * never overwrites a boundary. Inside runtime/kafka only.
 */
#ifndef STREAMJOB_KAFKA_COMMITTER_H
#define STREAMJOB_KAFKA_COMMITTER_H

#include <pthread.h>

#include "runtime/kafka/fence.h"
#include "runtime/kafka/place.h"

/* Both in lengths of the lease: a process that has it repeats that often; one that stands by takes over after so long
 * without a repeat. */
#define LEASES_A_REPEAT  2
#define LEASES_TO_EXPIRE 6

struct committer {
	pthread_t thread;
	bool running;
	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t changed;
	bool asked, renew, ending; /* what is to be done */
	struct boundary boundary;  /* of `asked` */
	const int64_t *to;
	int over; /* nothing is committed any more: COMMIT_AGAIN, the fence is lost; -1, a commit was given up, in doubt
	           */
	struct error over_reason;
	_Atomic int64_t give_up_ms; /* boot time; set when the thread is to end */
	int64_t sent_ms;            /* boot time, before the last commit that was done was sent */
};

struct kafka_reader;
int committer_start(struct kafka_reader *reader, struct error *err);
/* The first commit is done: this process was not fenced, but where it was again since then. */
void committer_settled(struct kafka_reader *reader);
/* Ends the thread. `in_order`: says first that this process has ended, for at most ENDED_TIMEOUT_MS. */
void committer_stop(struct kafka_reader *reader, bool in_order);

/* source_ops.commit. */
int reader_commit(struct source *source, const struct boundary *boundary, const int64_t *to, struct error *err);
/* Commits the place again now, and waits until it was tried. Not the committer's own thread. */
void committer_repeat(struct kafka_reader *reader);
/* lease.renew. */
enum renewed reader_renew(void *context, struct error *err);

#endif
