/*
 * Whether a pod is the job's: a label says it of anybody's. The chain of controllers leads from the pod over a
 * ReplicaSet and the Deployment to the StreamJob, each by UID, and the ReplicaSet is the one that the Deployment's
 * controller has made for the revision that the Deployment is at; of two that say so, the one that was there first.
 */
#ifndef STREAMJOB_BELONGS_H
#define STREAMJOB_BELONGS_H

#include "operator/reconcile/object.h"

/* `replica_sets`: an array, NULL where they are not known: then the label counts. `deployment`: the job's; NULL: none.
 */
bool pod_belongs(const json_t *pod, const json_t *replica_sets, const json_t *deployment);
/* Why a pod is not asked though it is the job's, NULL: it may be asked. `is_inside`: the operator runs in a pod. */
const char *pod_address_trouble(const json_t *pod, bool is_inside);

#endif
