/*
 * What of a StreamJob no other may have: its consumer group, and the groups that it pushes to. Two that name one are
 * found by an index over all that the operator sees (manager/group_index.h); the earlier one holds it.
 */
#ifndef STREAMJOB_GROUPS_H
#define STREAMJOB_GROUPS_H

#include <jansson.h>
#include <stdbool.h>

struct view;

/*
 * {key: words}: of each group a text that is the same for all jobs that mean it, and what to call it in a sentence. A
 * consumer group has a key for each bootstrap server. Servers are compared without default ports, without
 * ".svc.cluster.local", and with the namespace where they name a Service of it.
 */
json_t *groups_of(const json_t *job);
#define GROUP_KEY_CONSUMER "consumer " /* how keys of consumer groups begin */

/*
 * Its place among those that name a group, a string: the least holds it. First whose default consumer group it is: no
 * other job, in whatever namespace, keeps that one from it. Then who has had it (status.consumerGroup), then by age,
 * then by name.
 */
json_t *groups_rank(const json_t *job);

/*
 * observed.sharers is an array of {job: "namespace/name", key, words, earlier}, `earlier` where that one holds the
 * group. What keeps the job from being started: the consumer group is another's. NULL: nothing does.
 */
const json_t *groups_holder(const struct view *view);
/* The consumer group that is the job's from now on, for its status; NULL: none, or not its own. */
json_t *groups_kept(const struct view *view);
/* It does: the job is not to be suspended, and nothing is written for it. */
bool groups_hold_back(const struct view *view);
/* All of it as a sentence, "" where nothing is shared; the caller's. */
char *groups_words(const struct view *view);

#endif
