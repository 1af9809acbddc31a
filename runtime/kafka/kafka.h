/*
 * Kafka through librdkafka: source, sink and dead letter. The only room that knows librdkafka.
 *
 * Specs and the secrets directory outlive the objects. Contracts: runtime/port/port.h.
 */
#ifndef STREAMJOB_KAFKA_H
#define STREAMJOB_KAFKA_H

#include "lib/jobspec/jobspec.h"
#include "runtime/port/port.h"

/* Reads all partitions of the topic; its group's offsets are the job's state (docs/delivery.md). */
struct source *kafka_source_new(const struct kafka_source *spec, const char *secrets_dir, bool wants_headers);

/* One transaction a window. `sink_id`, which no other sink has, names the transactions and the progress group. */
struct sink *kafka_sink_new(const struct kafka_client *spec, const char *sink_id, const char *secrets_dir);
struct dead_letter *kafka_dead_letter_new(const struct kafka_client *spec, const char *secrets_dir);

#endif
