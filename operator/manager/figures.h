/*
 * What /metrics says of each StreamJob: its conditions and figures as the last version of its status has them, and the
 * figures as the poller last read them, which are newer (a status is written once in --figures). Threads: any.
 */
#ifndef STREAMJOB_FIGURES_H
#define STREAMJOB_FIGURES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"

#define FIGURES_TOLD_MS 60000 /* what a pod said that has been silent for longer is no news */

struct figures;
struct figures *figures_new(void);
void figures_free(struct figures *figures);

/* The store has this version of the job, namespace/name; NULL: it is gone. */
void figures_seen(struct figures *figures, const char *key, const json_t *job);
/* A pod that has the job said so, at now_ms (monotonic). */
void figures_told(struct figures *figures, const char *key, const json_t *document, int64_t now_ms);
/* Of the jobs that `wanted` wants. */
void figures_metrics(struct figures *figures, bool (*wanted)(void *context, const char *key), void *context,
                     int64_t now_ms, struct buffer *out);

#endif
