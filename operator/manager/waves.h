/*
 * Whose turn it is to get what a new operator or default image makes of a job (operator/reconcile/update.h): at most
 * --max-updating jobs at a time, in the order of namespace and name, and none while a job that got it was Ready before
 * and is not by its deadline. A turn is noted in status.update of the job before anything else is written.
 *
 * Nothing here outlives the process, and nothing need: turns are read from the statuses as they are watched, who waits
 * is said by each look, and no turn is given before every job has had one. So after a restart, or with a stale store
 * after a change of the leader, the same jobs come first. Threads: any.
 */
#ifndef STREAMJOB_WAVES_H
#define STREAMJOB_WAVES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"

struct waves_limit {
	int64_t count; /* jobs; 0: a share of all */
	int64_t percent;
};
/* "25" or "10%"; false: neither. */
bool waves_limit_parse(const char *text, struct waves_limit *ret_limit);

struct waves;
struct waves *waves_new(struct waves_limit limit);
void waves_free(struct waves *waves);

/* The store has this version of the job; NULL: it is gone. */
void waves_seen(struct waves *waves, const char *key, const json_t *job);
/* A look found that the job waits for its turn, or not. */
void waves_note(struct waves *waves, const char *key, bool waits);
bool waves_may_update(struct waves *waves, const char *key);
/* The first job for which the rest waits, a string of the caller's own, or NULL. */
json_t *waves_halted(struct waves *waves);
/* Nothing is under way, so no turn need be given. */
bool waves_are_idle(struct waves *waves);
/* Gives turns. `keys`: all jobs, sorted. The keys that are to be looked at for it, an array of the caller's own. */
json_t *waves_turn(struct waves *waves, const json_t *keys, int64_t wall_ms);
void waves_metrics(struct waves *waves, struct buffer *out);

#endif
