/*
 * The children that a good spec asks for, whole, as they are applied. Inside operator/reconcile only.
 */
#ifndef STREAMJOB_DESIRED_H
#define STREAMJOB_DESIRED_H

#include "operator/reconcile/place.h"
#include "operator/reconcile/view.h"

/* In this order; the Deployment when all it needs is there, the budget last: it may be left out. */
extern const enum kind desired_kinds[];
#define DESIRED_KINDS 6

json_t *desired_child(const struct view *view, enum kind kind, int replicas);
/* The ConfigMap that says so, at that time. */
json_t *desired_place(const struct view *view, const struct place *place, int64_t written_ms);
/* The ControllerRevision of that name that keeps `pods`, a part of a spec. */
/* A copy of the code in a ConfigMap, as VERB_COPY_CODE wants it: without what it is to hold. */
json_t *desired_code(const struct view *view, const char *name, const char *config_map, const char *hash);
json_t *desired_revision(const struct view *view, const char *name, const json_t *pods, const json_t *code);

#endif
