/*
 * The pods of a job: the runtime in a container of the restricted Pod Security Standard, the job file, secrets and code
 * as mounted files, and what spec.podTemplate adds. Inside operator/reconcile only.
 */
#ifndef STREAMJOB_POD_H
#define STREAMJOB_POD_H

#include "operator/reconcile/mounts.h"
#include "operator/reconcile/view.h"

#define STATUS_PORT 8080
/* What a pod gets beyond the job's own grace: the time from SIGTERM to the drain, and from the drain to the exit. */
#define GRACE_MARGIN_S 15
#define SCRATCH_BYTES  "1Gi" /* of each emptyDir; a pod that writes more is evicted */

/* The template of the Deployment, of that roll-out; NULL: without its number. The spec is good. */
json_t *pod_template(const struct view *view, const struct rollout *rollout);
/* The runtime's container, with these arguments, which it takes; and a pod with that one container, and the mounts of
 * `mounts`, which it takes. */
json_t *pod_container(const struct view *view, json_t *arguments);
json_t *pod_of_one(const struct view *view, json_t *one, struct mounts *mounts, int64_t grace_s);
/* {name, instance, component}: what selects the job's pods. */
json_t *pod_selector(const struct view *view);
/* The labels of a job's children. */
json_t *pod_labels(const struct view *view, const char *component);
/* Adds NOTE_JOB where the labels cannot hold the job's name. */
void pod_note_job(const struct view *view, json_t *metadata);

#endif
