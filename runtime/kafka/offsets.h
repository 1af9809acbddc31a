/*
 * What the job's group holds, and where the job stands by it. Inside runtime/kafka only.
 */
#ifndef STREAMJOB_KAFKA_OFFSETS_H
#define STREAMJOB_KAFKA_OFFSETS_H

#include "runtime/kafka/source.h"

/* What the partitions say together. */
struct found {
	size_t with_offset, by_hand;
	bool jumped; /* they are of another log: the job begins with the first record of this one */
	bool whole;  /* the mark is there */
	struct place mark;
	uint64_t newest;     /* the largest sequence */
	bool accepted;       /* a partition says that the newest was accepted */
	size_t newest_count; /* partitions that have it */
};

/* Partition by partition, sorted. `stable`: an open transaction's commits are waited for, not passed by. NULL: not to
 * be had now. */
rd_kafka_topic_partition_list_t *reader_offsets(struct kafka_reader *reader, bool stable, struct error *err);
/* Into the partitions and reader->place: boundary and life, a new life where there is none to go on with. 0; -1: not to
 * be had now; -2: waiting will not help. */
int reader_find_place(struct kafka_reader *reader, struct found *found, struct error *err);

#endif
