/*
 * The runtime's container in a pod, as the kubelet reports it.
 */
#ifndef STREAMJOB_CONTAINER_H
#define STREAMJOB_CONTAINER_H

#include "operator/reconcile/object.h"

/* Its element of status.containerStatuses; NULL where the kubelet has not reported one. */
const json_t *container_status(const json_t *pod);
/* RFC 3339 since when it runs, "" where it does not. */
const char *container_running_since(const json_t *pod);
/* How often it was started anew: tells one process from the next without comparing two machines' clocks. */
int64_t container_restarts(const json_t *pod);

/* Appends "container C of pod P ended (why, exit code, restarts): its last words". `ended` is a `terminated` of it. */
void container_print_end(const json_t *pod, const json_t *container, const json_t *ended, struct buffer *text);

#endif
