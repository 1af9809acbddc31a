/*
 * How a plan is put together. Inside operator/reconcile only.
 */
#ifndef STREAMJOB_STEPS_H
#define STREAMJOB_STEPS_H

#include "operator/reconcile/view.h"

/* Steps beyond PLAN_STEPS_MAX wait for the next look. Takes `object`. */
void plan_step(struct plan *plan, enum verb verb, enum kind kind, json_t *object);
/* Takes `note`. */
void plan_event(struct plan *plan, bool warning, const char *reason, json_t *note);
/* Looks again after so long, or sooner. */
void plan_again(struct plan *plan, int64_t ms);
void plan_delete(struct plan *plan, enum kind kind, const json_t *live);
/* Applies `desired`, which it takes, where `live` is not so already; `live` may be NULL. */
void plan_apply(struct plan *plan, enum kind kind, json_t *desired, const json_t *live);
/* Nothing but the number of pods is made right. */
void plan_scale(struct plan *plan, const json_t *live, int replicas);
/* Deletes what an earlier StreamJob of this name left under the name; true where there was something. */
bool plan_leftover(struct plan *plan, enum kind kind, const char *name);

bool job_has_finalizer(const struct view *view);
/* Adds our finalizer, or takes it away. */
void plan_finalizer(struct plan *plan, bool present);

/* How many pods the spec asks for, and how many it may have now: none while others still drain. */
int pods_wanted(const struct view *view);
int pods_allowed(const struct view *view);

/* The part of the plan for a StreamJob that is being deleted. */
void plan_deletion(struct plan *plan);

#endif
