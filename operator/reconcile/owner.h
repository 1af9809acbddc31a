/*
 * Which pod speaks for the job. Two processes of a job may live at the same time: a pod that drains and the one after
 * it, a pod on a node that was cut off, a process outside of the cluster. The runtime lets one of them have the job;
 * the others stand by, and what they say of the job is not how the job is. Inside operator/reconcile only.
 */
#ifndef STREAMJOB_OWNER_H
#define STREAMJOB_OWNER_H

#include "operator/reconcile/view.h"

/* A pod that does not answer is still what it said last for so long: one lost answer is no transition. */
#define SILENT_MS 8000

/* For how long it has not answered, -1: it has, or has not been asked. */
int64_t pod_silent_ms(const struct view *view, const json_t *pod);
/* What the pod said, where that is recent and of the process that runs now; else NULL. */
const json_t *pod_document(const struct view *view, const json_t *pod);
bool document_stands_by(const json_t *document);
/*
 * Of the pods that are not being deleted the newest that does not stand by; else one that is being deleted and has the
 * job; else the newest that stands by. NULL: none but such as are being deleted.
 */
const json_t *speaking_pod(const struct view *view);
/* The newest pod that stands by, or NULL. */
const json_t *standby_pod(const struct view *view);
size_t standby_count(const struct view *view);

#endif
