/*
 * Events, events.k8s.io/v1: what happens again within RECORDER_SERIES_MS is one Event whose series counts. A failure to
 * write one is logged and forgotten. Threads: any, each with a client of its own.
 */
#ifndef STREAMJOB_RECORDER_H
#define STREAMJOB_RECORDER_H

#include "lib/base/clock.h"
#include "operator/kube/kube.h"
#include "operator/reconcile/plan.h"

#define RECORDER_SERIES_MS  600000 /* client-go's, too */
#define RECORDER_COUNT_MS   30000  /* a series is written at most so often */
#define RECORDER_EVENTS_MAX 4096   /* remembered; past it all are forgotten */

struct recorder;
/* `identity`: of this process; outlives the recorder, as the clock does. */
struct recorder *recorder_new(const struct clock *clock, const char *identity);
void recorder_free(struct recorder *recorder);
void recorder_record(struct recorder *recorder, struct kube_client *client, const json_t *job,
                     const struct event *event);

#endif
