/*
 * What the gateway holds of a job, out of its answer to GET /api/v1/metrics. Inside runtime/pushgateway only.
 */
#ifndef STREAMJOB_PUSHGATEWAY_HELD_H
#define STREAMJOB_PUSHGATEWAY_HELD_H

#include <jansson.h>

#include "runtime/port/sink.h"
#include "runtime/pushgateway/families.h"

#define STALE_GROUPS_MAX 64

struct held {
	struct sink_held window;       /* life "": the group has no window, or one of nobody knows which life */
	char *stale[STALE_GROUPS_MAX]; /* paths (/metrics/job/…) of groups that this job pushed and no sink names now
	                                */
	size_t stale_count;
};

enum held_read {
	HELD_FOREIGN = -2, /* the group is not one that this version can go on from */
	HELD_FAILED = -1,  /* no such answer */
	HELD_READ = 0
};

/*
 * Of the group with exactly the sink's job and grouping key: which window it is, and the counters' totals into
 * `families` (NULL: not wanted), as of the window before `next_sequence`. `job`: whose sinks name the groups that are
 * not stale; `life`: of the job's place, whose groups they are.
 */
enum held_read held_read(const struct jobspec *job, const struct pushgateway_sink *spec, const char *life,
                         uint64_t next_sequence, struct slice answer, struct families *families, struct held *ret_held,
                         struct error *err);
void held_release(struct held *held);
/* The family's labels in its own order, as the snapshot renders them; one that is missing is empty. */
void held_labels(const struct family *family, const json_t *labels, struct buffer *out);

#endif
