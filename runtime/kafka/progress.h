/*
 * What a Kafka sink has: the number of its newest window as the offset of a group of its own, at partition 0 of its
 * topic, with the life beside it as metadata: "streamjob 1 life=…". Inside runtime/kafka only.
 */
#ifndef STREAMJOB_KAFKA_PROGRESS_H
#define STREAMJOB_KAFKA_PROGRESS_H

#include <librdkafka/rdkafka.h>

#include "lib/spec/field/jobspec.h"
#include "runtime/port/sink.h"

#define PROGRESS_TEXT_MAX 128

/* A list of the one partition, with what is to be kept; the caller's. */
rd_kafka_topic_partition_list_t *progress_list(const char *topic, const struct sink_held *held);

enum progress_read { PROGRESS_FOREIGN = -2, PROGRESS_FAILED = -1, PROGRESS_READ = 0 };
/* The committed one, by a consumer handle of its own. FOREIGN: this version cannot go on from it. `stable`: final, once
 * the fence is taken; without it a transaction that a process before this one, which may stand still, has left open is
 * passed by and not waited for. */
enum progress_read progress_read(const struct kafka_client *client, const char *group, const char *secrets_dir,
                                 bool stable, struct sink_held *ret_held, struct error *err);

#endif
