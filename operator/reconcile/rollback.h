/*
 * A new spec with which data does not flow. By the progressDeadline, and where the cause is the job's own, that is said
 * (Stalled), and with `rollback: auto` the pods go back to the last spec with which data flowed. Inside
 * operator/reconcile only.
 *
 * That spec is kept in a ControllerRevision, as StatefulSets keep theirs: what is in one cannot be changed, and the
 * cluster's role `edit` may not write any; kept_code.h has the code of its functions. That the job went back is
 * status.rollback {generation, codeHash, at, reason, message}: it is written first, the pods follow, and another
 * generation or other code ends it. The pods get the bad spec's job file as an earlier one, so a window that it began
 * is finished (previous.h).
 */
#ifndef STREAMJOB_ROLLBACK_H
#define STREAMJOB_ROLLBACK_H

#include "lib/spec/read/load.h"
#include "operator/reconcile/plan.h"

struct view;
struct health;
struct plan;

struct rollback {
	bool active;
	int64_t generation; /* of the spec that the pods are to run */
	json_t *job;        /* the StreamJob as it would be with the good spec; NULL: not active, or there is none */
	json_t *code;       /* {ConfigMap: hash}: what its functions' ConfigMaps held, as far as copies are there */
	bool lost_code;     /* one of them holds something else now, and there is no copy */
	struct jobspecs jobs;
	struct problems problems;
};

/* Of a view whose own spec is read: puts the good one in its place where the job went back to it. */
void rollback_find(struct view *view);
void rollback_release(struct rollback *rollback);
/* Keeps the spec with which data flows, and no other. */
void plan_revision(struct plan *plan);
/* Since when the roll-out of the spec is under way, where data never flowed with it; 0: it did. */
/* Into Ready and Stalled, and health->rollback: status.rollback as it is to be. */
void rollback_judge(const struct view *view, struct health *health);

/* Whether what keeps data from flowing is the job's own (its image, function, spec) and not the world's. cause.c has
 * the table. */
bool cause_is_jobs(const struct view *view, const struct health *health);

#endif
