/*
 * What a pod template may ask for only where the installation allows it: another ServiceAccount than the job's own,
 * which has no rights, and tokens of it. Inside operator/reconcile only.
 */
#ifndef STREAMJOB_ALLOWED_H
#define STREAMJOB_ALLOWED_H

#include "operator/reconcile/view.h"

/* Of `job` in the view's installation. What is not allowed becomes problems. */
void allowed_check(const struct view *view, const json_t *job, struct problems *problems);

#endif
