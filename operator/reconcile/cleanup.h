/*
 * The clean-up of a StreamJob that is deleted: a batch Job of the runtime, which deletes the groups of the Pushgateway
 * sinks. It needs nothing that the API server's garbage collector takes with the StreamJob, for a deletion in the
 * foreground takes all of that at once: it has no owner (it goes by its ttlSecondsAfterFinished), the account of the
 * namespace, and the job file in an annotation of its pod. Inside operator/reconcile only.
 */
#ifndef STREAMJOB_CLEANUP_H
#define STREAMJOB_CLEANUP_H

#include "operator/reconcile/view.h"

enum cleanup_stage { CLEANUP_NONE, CLEANUP_RUNS, CLEANUP_DONE, CLEANUP_FAILED };
struct cleanup {
	enum cleanup_stage stage;
	const json_t *job;   /* the batch Job; NULL */
	bool pod_stays;      /* it has ended, but another container of its pod, a sidecar, has not */
	struct buffer words; /* why it has failed or gets nowhere; empty */
};

void cleanup_look(const struct view *view, struct cleanup *ret_cleanup);
void cleanup_release(struct cleanup *cleanup);

/* Its name: of this very StreamJob, so that it is never mistaken for that of an earlier one. */
void cleanup_name(const struct view *view, char ret_name[NAME_MAX_BYTES + 1]);
/* The job file that it works on, as text: that which ran last, else that of the spec; false where there is neither. */
bool cleanup_file(const struct view *view, struct buffer *text);
/* "curl -X DELETE 'URL'" for each group of the job, by "; "; no passwords. */
void cleanup_by_hand(const struct jobspec *spec, struct buffer *text);

/* The batch Job, and the template of its pod: of spec.podTemplate only what the runtime's container needs to run. */
json_t *desired_cleanup(const struct view *view, const struct jobspec *file, const char *text, int64_t seconds);

#endif
