/* What the two ways of taking records share. Inside runtime/kafka only; the lane's thread. */
#ifndef STREAMJOB_KAFKA_TAKE_H
#define STREAMJOB_KAFKA_TAKE_H

#include "runtime/kafka/source.h"

enum take reader_take(struct source *source, unsigned number, struct record_batch *batch, int timeout_ms,
                      struct error *err);

/* Adds it to the batch, but for what is past the boundary that is replayed. */
void take_record(struct kafka_reader *reader, struct kafka_lane *lane, const rd_kafka_message_t *message,
                 struct record_batch *batch);
/* A message that is no record. */
int take_event(struct kafka_reader *reader, struct kafka_lane *lane, const rd_kafka_message_t *message,
               struct error *err);
/* Waits for a queue of the lane to have something. */
ssize_t take_queue(struct kafka_reader *reader, rd_kafka_queue_t *queue, rd_kafka_message_t **ret_messages, size_t max);
void take_wait(struct kafka_lane *lane, int timeout_ms);
/* The batch is whole. `messages` of `bytes` were taken for it. */
void take_done(struct kafka_reader *reader, struct kafka_lane *lane, struct record_batch *batch, size_t messages,
               size_t bytes);

#endif
