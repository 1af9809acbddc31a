/*
 * The hand-over of partial windows from the lanes to the fire thread, and back when they are empty again.
 *
 * A lane fills one partial at a time and puts it when its window has passed; the fire thread collects the partials of
 * the oldest window once every lane has passed it. Each lane has PARTIALS_PER_LANE partials: a lane that has none free
 * waits, so memory is bounded when sinks are away. One mutex, taken once a window and lane.
 */
#ifndef STREAMJOB_HANDOVER_H
#define STREAMJOB_HANDOVER_H

#include <pthread.h>

#include "lib/base/error.h"
#include "lib/spec/field/jobspec.h"
#include "runtime/window/keyed_table.h"
#include "runtime/window/tumbling.h"

#define PARTIALS_PER_LANE    2
#define LANES_MAX            64
#define HANDOVER_INTERRUPTED (-2)

/* One lane's share of one window. */
struct partial {
	unsigned lane; /* whose it is */
	struct window window;
	bool replay;          /* the pending window of an earlier run, rebuilt from exactly its rows */
	uint64_t rows;        /* that this lane took from the source for it, filtered and bad ones too */
	int64_t *next_offset; /* per partition: the offset after the last row taken, -1: none */
	struct budget budget;
	struct keyed_table *table;
	struct partial *next;
};

struct handover_lane {
	struct partial partials[PARTIALS_PER_LANE];
	struct partial *free;
	struct partial *ready, **ready_tail; /* oldest window first */
	int64_t open_start_ms;               /* no window that starts before this will come any more */
	bool finished;
};

struct handover {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned lanes_count;
	size_t partitions;
	bool failed, interrupted, replay_abandoned;
	struct error error; /* the first failure of any thread */
	struct error end;   /* what is said when all is collected; empty: nothing */
	struct handover_lane lanes[LANES_MAX];
};

/* The table of partial i of lane l has the number l * PARTIALS_PER_LANE + i. */
void handover_init(struct handover *handover, unsigned lanes_count, size_t partitions,
                   const struct aggregation *aggregations, size_t aggregations_count, const struct limits_spec *limits);
void handover_release(struct handover *handover);

/* Lanes. The next empty partial, opened for `window`; waits for a free one. NULL when the job has failed. */
struct partial *handover_open(struct handover *handover, unsigned lane, struct window window);
void handover_put(struct handover *handover, unsigned lane, struct partial *partial);
/* The lane will put no more. `partial` is one it gives up, or NULL. */
void handover_finish(struct handover *handover, unsigned lane, struct partial *partial);

/* Any thread: the job fails with this error, unless it has failed already; everyone who waits is woken. */
void handover_fail(struct handover *handover, const struct error *err);
/* Any thread: when all that was put is collected, the job fails with this error. */
void handover_end_with(struct handover *handover, const struct error *err);
/* Any thread: everything that is not accepted yet is dropped, and the job goes back to what is committed. */
void handover_interrupt(struct handover *handover);
/* Failed or interrupted: the lanes end. */
bool handover_over(struct handover *handover);
bool handover_interrupted(struct handover *handover);

/*
 * The fire thread. Waits for the oldest window to be whole: ret_partials gets those of the lanes that had one, returns
 * how many; 0: every lane has finished and all is collected; -1: failed, err says why; or HANDOVER_INTERRUPTED.
 */
int handover_collect(struct handover *handover, struct partial **ret_partials, struct error *err);
/* Empties the partials and gives them back to their lanes. */
void handover_return(struct handover *handover, struct partial **partials, size_t count);

#endif
