/*
 * The number of a roll-out. Each change of what the pods run raises it by one, forward or back, so a process knows
 * whether another one is of an earlier roll-out than its own. Inside operator/reconcile only.
 */
#ifndef STREAMJOB_ROLLOUT_H
#define STREAMJOB_ROLLOUT_H

#include "operator/reconcile/object.h"

struct view;

struct rollout {
	int64_t number;                       /* 0: none */
	char template_hash[OBJECT_HASH_SIZE]; /* of the pods' template without its number */
	bool begins;                          /* the Deployment, which had no pods, gets them */
};

/*
 * Of a good spec, the roll-out that its pods belong to: that which is deployed, or was when there was a Deployment,
 * where the template is the same, else the next one. The first one's number is the time at which the StreamJob was
 * created, in milliseconds, so that one that is deleted and made anew, also in another cluster, goes on above those of
 * before.
 */
void rollout_next(const struct view *view, struct rollout *ret_rollout);
/* Of what is deployed, or was where there is no Deployment. */
void rollout_last(const struct view *view, struct rollout *ret_rollout);

#endif
