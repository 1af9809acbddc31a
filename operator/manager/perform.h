/*
 * Carries out a step of a plan: one write, and before a creation one look whether the name is free.
 */
#ifndef STREAMJOB_PERFORM_H
#define STREAMJOB_PERFORM_H

#include "operator/kube/kube.h"
#include "operator/reconcile/plan.h"

/* An object that is gone already is deleted; one that belongs to someone else is KUBE_INVALID. */
int perform(struct kube_client *client, const struct step *step, struct kube_error *err);
/* Applies a StreamJob's status. */
int perform_status(struct kube_client *client, const json_t *object, struct kube_error *err);

#endif
