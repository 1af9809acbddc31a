/*
 * What stands between a lane's source and its batches: records that are arrays become those of their elements, and rows
 * that cannot be judged without those that follow them wait for these. Where neither is the matter, the batch of the
 * source goes through as it is.
 *
 * The elements of a record have its offset, key, timestamp and headers. One lane's alone.
 */
#ifndef STREAMJOB_LANE_FEED_H
#define STREAMJOB_LANE_FEED_H

#include "runtime/record/cut.h"

struct feed {
	struct record_batch taken; /* what the source gave, of which `next` come next */
	size_t next;
	bool cutting; /* taken.records[next] is an array, of which `done` bytes are done with */
	struct cutter cutter;
	size_t done;
	struct record back[BATCH_ROWS_MAX]; /* to come again, before the others */
	size_t back_count;
	struct arena bytes[2]; /* of those that came back over a take, in turns */
	unsigned turn;
};

struct feed *feed_new(int64_t record_bytes);
void feed_free(struct feed *feed);

/* Whether the source's batch has to go through the feed; else it is what the lane works on. */
bool feed_wanted(const struct feed *feed, const struct record_batch *taken);
void feed_put(struct feed *feed, const struct record_batch *taken);
/* The next batch; false where nothing is left, or only what came back and not all of the input is there. */
bool feed_next(struct feed *feed, bool complete, struct record_batch *ret_batch);
/* Those of the batch from `from` on come again, when more is there. */
void feed_back(struct feed *feed, const struct record_batch *batch, size_t from);
/* Before the source's next take: what came back is kept. */
void feed_hold(struct feed *feed);

#endif
