/*
 * What a pod's template leaves out of the Pod Security Standard "restricted", filled in; what it says stays. What it
 * says against the standard is refused before (lib/spec/check/check_standard.c). Inside operator/reconcile only.
 */
#ifndef STREAMJOB_FILL_H
#define STREAMJOB_FILL_H

#include "operator/reconcile/view.h"

#define RUNTIME_GROUP 65532 /* of the runtime's image; Dockerfile.runtime */

/* After spec.podTemplate was merged: of the pod, and of every container beside the runtime's. */
void fill_restricted(json_t *template);
/*
 * A volume of the template that outlives the pod belongs to root when it is new. Where the job writes files, and the
 * template names no fsGroup, the kubelet gives the runtime's group to such volumes. Before the merge.
 */
void fill_group(const struct view *view, json_t *template);

#endif
