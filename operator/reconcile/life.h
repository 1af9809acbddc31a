/*
 * What a person asks of a job's life beside its spec: to be paused, started again, suspended; and a source that has an
 * end. Inside operator/reconcile only.
 */
#ifndef STREAMJOB_LIFE_H
#define STREAMJOB_LIFE_H

#include "operator/reconcile/health.h"
#include "operator/reconcile/view.h"

/* The annotation asks that nothing is written but the status. */
bool life_is_paused(const struct view *view);
/* The nonce of the restart that was asked for last: the pods are replaced when it changes; "" where there is none. */
const char *life_restart(const struct view *view);
/* The source has come to its end under this job file, and no restart was asked for since. */
bool life_has_ended(const struct view *view);
/* The same of a pod that says so; its document may be NULL. */
bool document_has_ended(const json_t *document);

/* Of a job that is to have no pods, once it has none; and of a paused one. */
void life_judge_ended(const struct view *view, struct health *health);
void life_judge_paused(const struct view *view, struct health *health);
/* It has ended by what was found, and the status before did not say so. */
bool life_ends_now(const struct view *view, const struct health *health);
/* status.completed, a new reference, or NULL. */
json_t *life_completed(const struct view *view, const struct health *health);

#endif
