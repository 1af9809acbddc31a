/*
 * The start of a Kafka source: the job is taken over, and found where it stands. Inside runtime/kafka only.
 */
#ifndef STREAMJOB_KAFKA_START_H
#define STREAMJOB_KAFKA_START_H

#include "runtime/kafka/source.h"

/* Takes the job over and finds partitions, positions and the boundary; retries until stop. */
int reader_start(struct kafka_reader *reader, struct error *err);
int reader_begin(struct source *source, const struct sink_held *known, size_t count, struct error *err);
/* No more records of it come. Not 0: rd_kafka_last_error says why. */
int reader_stop_partition(struct kafka_reader *reader, int32_t partition);
/* A request brought nothing in time: once more, up to REQUEST_TIMEOUT_MS, and not during a stop. */
bool reader_asks_again(const struct kafka_reader *reader, rd_kafka_resp_err_t code, int *rounds);
/* The log's first and next offset of a partition. */
int reader_range(struct kafka_reader *reader, int32_t partition, int64_t *ret_low, int64_t *ret_high,
                 struct error *err);
/* Of the topic; the caller's, by rd_kafka_metadata_destroy. */
rd_kafka_resp_err_t reader_metadata(struct kafka_reader *reader, const struct rd_kafka_metadata **ret_metadata);
/* Of all partitions, in few requests. */
int reader_ranges(struct kafka_reader *reader, int64_t *ret_low, int64_t *ret_high, struct error *err);
/* Records at `from` are gone from a log of low to high: an error by policy, or the earliest offset. */
int reader_offset_loss(struct kafka_reader *reader, int32_t partition, int64_t from, int64_t low, int64_t high,
                       int64_t *ret_offset, struct error *err);

/* The error that says so, and what to do. */
void reader_made_anew(const struct kafka_reader *reader, const char *why, struct error *err);

/* Waits until the job may be taken. 0: it may; -1: not to be known now, or stop; -2: waiting will not help. */
int reader_claim(struct kafka_reader *reader, struct error *err);

#endif
