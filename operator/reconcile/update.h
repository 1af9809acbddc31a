/*
 * Roll-outs that nobody asked the job for: a new operator or default image makes other pods of the same spec. All jobs
 * would be replaced at once, so each waits for its turn (operator/manager/waves.h). Inside operator/reconcile only.
 *
 * status.update {until, wasReady} is the turn: it is written first, then the Deployment; it goes when data flows again,
 * and stays where a job that was Ready is not so, which halts the others. New jobs, and what was asked of a job itself
 * (its spec, its annotations, its code), wait for nothing.
 */
#ifndef STREAMJOB_UPDATE_H
#define STREAMJOB_UPDATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct view;
struct health;

struct update {
	bool by_operator; /* the template differs from what is deployed, and nobody asked for that */
	bool held;        /* the Deployment stays as it is */
	bool lost;        /* held for ever: the spec that the job went back to is not there */
	bool claims;      /* held, but its turn has come: the status is to say so */
	bool running;     /* it is its turn: status.update */
	bool was_ready;
	int64_t until_ms;
};

/* Of a view whose roll-out is known. */
void update_find(const struct view *view, struct update *ret_update);
/* status.update as it is to be, or NULL: there is none. */
json_t *update_json(const struct view *view, const struct health *health);
/* Into the condition Updated. */
void update_judge(const struct view *view, struct health *health);

#endif
