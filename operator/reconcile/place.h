/*
 * The job's place in its source, as the operator knows it last: the life that its offsets have and the newest committed
 * window. The status keeps it, and a ConfigMap hands it to the pods as a file, so that a start whose offsets the broker
 * has dropped is not taken for a first start, however long the job was suspended. Inside operator/reconcile only.
 */
#ifndef STREAMJOB_PLACE_H
#define STREAMJOB_PLACE_H

#include "operator/reconcile/steps.h"

#define PLACE_FILE    "known.json" /* {"life": "...", "sequence": N} */
#define PLACE_WRITTEN "writtenAt"  /* RFC 3339 */
/* A pod reads the file when it starts. A life is written at once, a sequence so often, and before the pods go. */
#define PLACE_MS 300000

struct place {
	const char *life; /* "": none is known */
	int64_t sequence;
	const char *spec_hash; /* of the job file of the pod that last had the job: a window may be pending under it */
};

/* What the pod that has the job says, or where none does, what the status has. */
void place_known(const struct view *view, struct place *ret_place);
/* Brings the ConfigMap up to that. */
void plan_place(struct plan *plan);

#endif
