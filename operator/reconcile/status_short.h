/*
 * The status of a job of which not all children are known, since the operator has no room for them: what was said of it
 * last stays, but that Ready is Unknown.
 */
#ifndef STREAMJOB_STATUS_SHORT_H
#define STREAMJOB_STATUS_SHORT_H

#include "operator/reconcile/plan.h"

/* As plan_status; `words`: why. NULL where it says so already. */
json_t *plan_status_short(struct plan *plan, const char *words);

#endif
