/*
 * The poller's thread, and where it and others hand in what is known of a pod.
 */
#ifndef STREAMJOB_POLLER_H
#define STREAMJOB_POLLER_H

#include "operator/manager/manager.h"

void *poller_thread(void *context);
/* What a pod of that job, its container started `restarts` times anew, said or did not; `report` as in struct observed,
 * a reference taken. From any thread. */
void manager_told(struct manager *manager, const char *uid, const char *key, int64_t restarts, json_t *report);

#endif
