/*
 * Why pods do not start, in the words of the kubelet: Events are read of a pod that waits, when the pod has changed and
 * after pauses that double, on a thread of its own, so that a slow API server keeps no pod from being asked.
 */
#ifndef STREAMJOB_EXPLAINER_H
#define STREAMJOB_EXPLAINER_H

#include "operator/manager/manager.h"

struct explainer;
struct explainer *explainer_start(struct manager *manager);
/* The pods that wait: {uid: {namespace, name, key, restarts, version}}, taken. In place of those before. */
void explainer_give(struct explainer *explainer, json_t *pods);
/* Ends the thread; frees it. */
void explainer_stop(struct explainer *explainer);

#endif
