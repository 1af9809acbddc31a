/*
 * Whether a status says enough more than the one that is there to be written now. Inside operator/reconcile only.
 */
#ifndef STREAMJOB_STATUS_DUE_H
#define STREAMJOB_STATUS_DUE_H

#include "operator/reconcile/plan.h"

/* `before` NULL: there is none. Plans the look at which it will be due, where it is not yet. */
bool status_is_due(struct plan *plan, const json_t *before, const json_t *status);

#endif
