/*
 * A partition's offsets, which a lane moves and the committer and the status read. Inside runtime/kafka only.
 */
#ifndef STREAMJOB_KAFKA_PARTITION_H
#define STREAMJOB_KAFKA_PARTITION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct rd_kafka_queue_s;
struct partition {
	_Atomic int64_t committed; /* -1: none yet */
	_Atomic int64_t position;  /* the next record that a lane will get */
	/* Between these two are no records but what nobody can read (markers of transactions, aborted records). Written
	 * by the lane, `gap_end` last; equal where there is none. */
	_Atomic int64_t gap_begin, gap_end;
	int64_t after_record;           /* the next offset after the last record that the lane got. The lane's alone */
	int64_t to;                     /* of the boundary that was written last; -1: none */
	bool reached;                   /* replaying: `to` was seen. The lane's alone */
	struct rd_kafka_queue_s *queue; /* of the lane or, in order, its own: where its records come */
};

/* `offset`, or past what nobody can read behind it. Any thread. */
int64_t partition_past_gap(const struct partition *partition, int64_t offset);
/* Everything up to `end` has been read. The lane's thread. */
void partition_end(struct partition *partition, int64_t end);
void partition_place(struct partition *partition, int64_t offset);

#endif
