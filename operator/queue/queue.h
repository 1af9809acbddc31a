/*
 * client-go's rate-limited work queue: keys, not events.
 *
 * A key waits once, however often it was added; one that is added while it is being worked on comes again after done.
 * Delayed adds keep the earliest time. Failures of a key back off exponentially, and all rate-limited adds together
 * pass a token bucket.
 *
 * Threads: any. Keys are copied.
 */
#ifndef STREAMJOB_QUEUE_H
#define STREAMJOB_QUEUE_H

#include "lib/base/buffer.h"
#include "lib/base/clock.h"

#define QUEUE_KEYS_MAX 1000000 /* waiting, delayed or in work; more is a leak: adds past it are dropped and counted */

/* Zeros mean the values that stand here. */
struct queue_options {
	const char *name; /* label of the metrics; outlives the queue */
	const struct clock *clock;
	int64_t backoff_ms_min; /* 5 */
	int64_t backoff_ms_max; /* 1000000 */
	double rate;            /* 10 rate-limited adds a second */
	double burst;           /* 100 */
};

struct queue;
struct queue *queue_new(const struct queue_options *options);
/* No thread may be in the queue any more. */
void queue_free(struct queue *queue);

void queue_add(struct queue *queue, const char *name);
void queue_add_after(struct queue *queue, const char *name, int64_t delay_ms);
/* After the key's back-off and the bucket's turn, whichever is later. */
void queue_add_rate_limited(struct queue *queue, const char *name);
/* The key's failures are over: its back-off starts anew. */
void queue_forget(struct queue *queue, const char *name);
unsigned queue_requeues(struct queue *queue, const char *name);

/* Waits for a key (free()). NULL: shut down and nothing is left to do. */
char *queue_get(struct queue *queue);
/* Work on a key that queue_get gave is over. */
void queue_done(struct queue *queue, const char *name);

/*
 * Adds are ignored from now on, delayed keys are dropped, waiting ones are still given out: queue_get returns NULL once
 * none waits. With `drain`, waits until every key that is in work is done.
 */
void queue_shut_down(struct queue *queue, bool drain);

size_t queue_depth(struct queue *queue);
/* Milliseconds since the oldest key in work was given out, 0: none is. For the liveness probe. */
int64_t queue_longest_running_ms(struct queue *queue);
/* workqueue_depth, _adds_total, _queue_duration_seconds, _work_duration_seconds, _unfinished_work_seconds,
 * _longest_running_processor_seconds, _retries_total; label name. */
void queue_metrics(struct queue *queue, struct buffer *out);

#endif
