/*
 * Delivery: one window at a time to every sink, between the two commits of decision 6.
 *
 *   commit(pending: window n ends at `to`) -> every sink has accepted window n -> dead letters safe -> commit(accepted)
 *
 * Each sink has a thread of its own, so a slow one does not hold up the others' writes of the same window. A sink that
 * asks for a retry is called again until it accepts or the stop's deadline is over.
 */
#ifndef STREAMJOB_DELIVERY_H
#define STREAMJOB_DELIVERY_H

#include "runtime/pipeline/status.h"
#include "runtime/port/port.h"

struct delivery;

/* Opens the sinks (each on its thread) and waits for all. NULL where one failed; the sinks stay the caller's. */
struct delivery *delivery_new(struct source *source, struct sink **sinks, size_t sinks_count,
                              struct dead_letter *letters, struct stop *stop, struct status *status, struct error *err);
/* On a first start, before any sink is opened: what each holds of an earlier life of this job. Asks again until each
 * has answered, or stop. */
int delivery_inspect(struct sink **sinks, size_t count, struct stop *stop, struct status *status,
                     struct sink_held *ret_held, struct error *err);
/* Ends the threads; does not close sinks. */
void delivery_free(struct delivery *delivery);

/*
 * Delivers a window. `replay`: its pending boundary is written already. An empty window is not shown to the sinks
 * when `skip`. 0: accepted and committed; -1: not accepted, offsets unmoved, err says why; COMMIT_AGAIN: as source.h
 * says.
 */
int delivery_window(struct delivery *delivery, const struct window_result *result, const int64_t *to, bool replay,
                    bool skip, struct error *err);

#endif
