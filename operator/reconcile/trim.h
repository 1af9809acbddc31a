/*
 * What the stores keep of an object: what is read of it, so that a store's size is that of the jobs and not of what
 * somebody hangs on to objects that carry our labels.
 *
 *   kind                what is kept beside the metadata                 who reads it
 *   StreamJob           all                                              load.h, status.c, rollback.c, groups.c
 *   ServiceAccount      automountServiceAccountToken                     differs.c
 *   NetworkPolicy       spec                                             differs.c
 *   Service             of spec: clusterIP, publishNotReadyAddresses,    differs.c
 *                       selector, ports
 *   ConfigMap           of data: a job file, or a place; immutable       previous.c, cleanup.c, place.c, differs.c
 *   Deployment          spec and status of the job's own, by its name    differs.c, view.c, rollout.c, health.c
 *   Job                 status                                           cleanup.c, poller.c
 *   ControllerRevision  revision, data                                   rollback.c
 *   PodDisruptionBudget spec                                             differs.c
 *   ReplicaSet          nothing                                          belongs.c
 *   Pod                 of spec: nodeName, hostNetwork, the runtime's    owner.c, pod_failing.c, pod_lost.c, poller.c
 *                       port; of status what a person is told
 *
 * Of the metadata: name, namespace, UID, versions, times, the controller, and those labels and annotations that the
 * operator knows. Of a StreamJob's all but managedFields, for a problem's line is that of what kubectl shows: long
 * values of annotations are cut to as many lines.
 *
 * A part that the operator would not write so large (TRIM_PART_MAX) is left out, and is drift then; of a pod's
 * containers the ends of their messages stay. A job file
 * and a last good spec are as large as their StreamJob made them: a larger one is kept where the name has its hash.
 *
 * First among the owners stands an index that is no object, whose UID is "namespace/job" of the instance label: so
 * children are found by name, those of an earlier StreamJob too.
 */
#ifndef STREAMJOB_TRIM_H
#define STREAMJOB_TRIM_H

#include <jansson.h>

#include "operator/reconcile/kind.h"

#define TRIM_PART_MAX ((size_t)16 * 1024) /* bytes of compact JSON */

/*
 * Whether an object with our label is kept at all: children that a StreamJob controls; Pods, ReplicaSets and batch Jobs
 * that name a job. What lost its owner is as one that is not there: to write it finds out whose it is (perform.h).
 */
bool trim_keeps(enum kind kind, const json_t *object);
void trim_object(enum kind kind, json_t *object);

#endif
