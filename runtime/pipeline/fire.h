/*
 * Firing a window: combine the lanes' partials, finalize every group, HAVING, sort by key. Fire thread only.
 */
#ifndef STREAMJOB_FIRE_H
#define STREAMJOB_FIRE_H

#include "lib/spec/query/query.h"
#include "runtime/pipeline/calls.h"
#include "runtime/pipeline/handover.h"
#include "runtime/pipeline/status.h"
#include "runtime/pipeline/aggregations.h"
#include "runtime/port/result.h"

#define FIRE_INTERRUPTED (-2)

struct fire;

/* `query` is the fire thread's own, compiled with `functions` (NULL: the job has none). */
struct fire *fire_new(const struct jobspec *job, struct query *query, struct calls *functions, struct status *status);
void fire_free(struct fire *fire);

/*
 * The result of the window whose partials these are; window and sequence are the caller's to set. The first partial
 * becomes the sum of all. With onEmpty: zero every known group is in it. -1: a limit was reached;
 * FIRE_INTERRUPTED: a function failed.
 */
int fire_window(struct fire *fire, struct partial **partials, size_t count, struct window_result *result,
                struct error *err);
/* After the window's delivery: the functions forget its accumulators. 0 or FIRE_INTERRUPTED. */
int fire_done(struct fire *fire, struct partial **partials, size_t count, struct error *err);
void fire_result_release(struct window_result *result);

/* What the tables that it fires are made of. */
const struct aggregations *fire_aggregations(const struct fire *fire);

#endif
