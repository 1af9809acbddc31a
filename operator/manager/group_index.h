/*
 * Which StreamJobs name which consumer groups and Pushgateway groups (reconcile/groups.h), over all namespaces that the
 * operator sees. Threads: any.
 */
#ifndef STREAMJOB_GROUP_INDEX_H
#define STREAMJOB_GROUP_INDEX_H

#include <jansson.h>

struct group_index;
struct group_index *group_index_new(void);
void group_index_free(struct group_index *index);

/*
 * The job is as it is there now, or gone. Returns the keys ("namespace/name") of the others whose status that changes:
 * who holds a group that it came to or left, and where it held one itself all that name it. An array of the caller's.
 */
json_t *group_index_put(struct group_index *index, const json_t *job);
json_t *group_index_remove(struct group_index *index, const json_t *job);
/*
 * observed.sharers of the job, an array of the caller's: of each group that it does not hold the holder; of each that
 * it holds the next few.
 */
#define GROUP_SHARERS_MAX 5
json_t *group_index_sharers(struct group_index *index, const json_t *job);

#endif
