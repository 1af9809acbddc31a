/*
 * The records of several partitions in the order of a clock that the caller reads from them (source.h: ordered). Each
 * partition has a queue of its own; a batch is of one partition, that whose clock is least, and what of it is past the
 * clocks of the others is given back and comes again.
 *
 * A partition that has been read to its end holds nobody up. One that gives nothing though it is not at its end does,
 * for at most ORDER_WAIT_MS. Inside runtime/kafka only; the lane's thread.
 */
#ifndef STREAMJOB_KAFKA_ORDERED_H
#define STREAMJOB_KAFKA_ORDERED_H

#include "runtime/kafka/source.h"

#define ORDERED_PARTITIONS_MAX 256 /* of a topic; each may keep what a fetch has brought in memory */
#define ORDERED_ROWS_MAX       256 /* of a batch */
#define ORDER_WAIT_MS          60000

struct ordered *ordered_new(size_t partitions);
void ordered_free(struct ordered *ordered);
/* Before the partitions are read, again after ordered_stop. The queues wake whoever waits for `event_fd`. */
void ordered_start(struct ordered *ordered, rd_kafka_t *rk, int event_fd);
/* Nothing of what the queues held comes any more. */
void ordered_stop(struct ordered *ordered);
/* The partitions were set to other places; no lane takes. */
void ordered_reset(struct ordered *ordered);
rd_kafka_queue_t *ordered_queue(const struct ordered *ordered, size_t partition);

enum take ordered_take(struct kafka_reader *reader, struct kafka_lane *lane, struct record_batch *batch, int timeout_ms,
                       struct error *err);
void ordered_give_back(struct source *source, const struct record_batch *batch, size_t from, int64_t clock_ms);

#endif
