/*
 * Whose the job is: what a process may do that finds this mark in the group. Pure: time is given.
 *
 * A newcomer takes the job over at once, for the fence makes whoever had it harmless; but it lets a drain come to its
 * end, and does not take it from a newer roll-out, but by order. A process that was fenced stands by until the mark
 * shows no more life, so two live processes settle instead of taking turns. Whoever fenced it may not have written its
 * mark yet, so a mark that has not changed says nothing for a moment.
 */
#ifndef STREAMJOB_KAFKA_CLAIM_H
#define STREAMJOB_KAFKA_CLAIM_H

#include "runtime/kafka/kafka.h"
#include "runtime/kafka/place.h"

enum claim { CLAIM_REFUSED = -1, CLAIM_TAKE, CLAIM_AFTER_DRAIN, CLAIM_STAND_BY, CLAIM_WAIT };

/* What has been seen of the mark, look after look. Boot time, milliseconds. */
struct claim_watch {
	bool looked;
	bool moved; /* since the first look */
	int64_t first_ms;
	bool seen; /* what follows is of a mark */
	char process[PLACE_PROCESS_MAX];
	enum place_state state;
	int64_t counter;
	int64_t state_since_ms;   /* first look at this process in this state */
	int64_t counter_since_ms; /* first look at this counter */
};
/* `mark` NULL: there is none. */
void claim_look(struct claim_watch *watch, const struct place *mark, int64_t now_ms);

/* Of what was looked at last. CLAIM_REFUSED: err says whose the job is and what to do. */
enum claim claim_judge(const struct claim_watch *watch, const struct place *mark, const struct job_identity *identity,
                       const char *group, int64_t now_ms, struct error *err);

#endif
