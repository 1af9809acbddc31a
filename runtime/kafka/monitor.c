/*
 * Looks after the topic while lanes read it: whether the brokers and the topic are there, also while nothing comes;
 * whether partitions were added; and whether a transaction that nobody ends holds the reading back.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "runtime/kafka/start.h"

#define INTERVAL_MS 2000
#define IDENTITY_MS 5000  /* between two looks at whether the topic is still the same */
#define STUCK_MS    10000 /* records are there and cannot be read for so long: a transaction is open */

/* Of one partition, while more is in the log than can be read. */
struct held {
	int64_t position, since_ms; /* monotonic; 0: not held */
};

/* Whether the topic is there. */
static bool check_health(struct kafka_reader *reader)
{
	const struct kafka_client *client = &reader->spec->client;
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t code = reader_metadata(reader, &metadata);
	struct error err;

	if (!code) {
		code = metadata->topic_cnt ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
		if (!code && (size_t)metadata->topics[0].partition_cnt > reader->source.partitions &&
		    !atomic_load(&reader->stop->requested)) {
			log_info("partitions were added to the topic: the job begins again from its place, with them",
			         "topic=\"%s\" partitions=%d before=%zu", client->topic,
			         metadata->topics[0].partition_cnt, reader->source.partitions);
			reader_interrupt(reader, NULL);
		}
		rd_kafka_metadata_destroy(metadata);
	}
	if (!code) {
		reader_health(reader, NULL);
		return true;
	}
	pthread_mutex_lock(&reader->mutex);
	error_set(&err, "topic %s at %s: %s%s%s%s", client->topic, client->bootstrap_servers, rd_kafka_err2str(code),
	          client_cure(code), reader->last_error.text[0] ? "; last error: " : "", reader->last_error.text);
	pthread_mutex_unlock(&reader->mutex);
	reader_health(reader, &err);
	pthread_mutex_lock(&reader->mutex);
	client_refresh(reader->rk, client, reader->secrets_dir); /* perhaps the password was changed */
	pthread_mutex_unlock(&reader->mutex);
	return false;
}

static bool is_over(const struct kafka_reader *reader)
{
	return atomic_load(&reader->closing) || stop_deadline_passed(reader->stop);
}

/* Is the end of what can be read where the lane stands, and before the end of the log? */
static bool is_held(struct kafka_reader *reader, int32_t number, int64_t position)
{
	int64_t low, cached_high = -1, stable_end;
	struct error err;

	if (rd_kafka_get_watermark_offsets(reader->rk, reader->spec->client.topic, number, &low, &cached_high) ||
	    cached_high <= position)
		return false;
	return reader_range(reader, number, &low, &stable_end, &err) == 0 && stable_end <= position;
}

static void say_stuck(struct kafka_reader *reader, int32_t number, int64_t position, int64_t for_ms)
{
	const struct kafka_client *client = &reader->spec->client;
	bool changed;

	pthread_mutex_lock(&reader->mutex);
	changed = !reader->stuck;
	reader->stuck = true;
	error_set(&reader->stuck_reason,
	          "the source waits behind offset %" PRId64 " of topic %s, partition %d, for %" PRId64
	          " s: a transaction is open there. Find its producer with kafka-transactions.sh --bootstrap-server %s "
	          "describe-producers --topic %s --partition %d, and end it with kafka-transactions.sh "
	          "--bootstrap-server %s abort --topic %s --partition %d --start-offset %" PRId64,
	          position, client->topic, (int)number, for_ms / 1000, client->bootstrap_servers, client->topic,
	          (int)number, client->bootstrap_servers, client->topic, (int)number, position);
	if (changed)
		log_warn("source not healthy", "error=\"%s\"", reader->stuck_reason.text);
	pthread_mutex_unlock(&reader->mutex);
}

static void check_transactions(struct kafka_reader *reader, struct held *held)
{
	int64_t now_ms = clock_monotonic_ms(reader->clock);
	bool stuck = false;

	for (size_t p = 0; p < reader->source.partitions && !is_over(reader); p++) {
		int64_t position = atomic_load(&reader->partitions[p].position);

		if (held[p].position != position || !held[p].since_ms) {
			held[p] = (struct held){position, now_ms};
		} else if (now_ms - held[p].since_ms >= STUCK_MS && !stuck && is_held(reader, (int32_t)p, position)) {
			stuck = true;
			say_stuck(reader, (int32_t)p, position, now_ms - held[p].since_ms);
		}
	}
	pthread_mutex_lock(&reader->mutex);
	if (reader->stuck && !stuck)
		log_info("source healthy again", "topic=\"%s\"", reader->spec->client.topic);
	reader->stuck = stuck;
	pthread_mutex_unlock(&reader->mutex);
}

static void *monitor(void *context)
{
	struct kafka_reader *reader = context;
	struct held *held = xcalloc(reader->source.partitions, sizeof(*held));
	struct topic_watch *watch = topic_watch_new(reader);
	struct error why;
	int64_t looked_ms = clock_monotonic_ms(reader->clock);
	bool healthy;

	watch_thread("monitor");
	while (!is_over(reader)) {
		rd_kafka_poll(reader->rk, 0);
		healthy = check_health(reader);
		if (healthy)
			check_transactions(reader, held);
		if (healthy && clock_monotonic_ms(reader->clock) - looked_ms >= IDENTITY_MS) {
			if (topic_watch_changed(watch, &why))
				reader_found_anew(reader, why.text);
			looked_ms = clock_monotonic_ms(reader->clock);
		}
		reader_pause(reader, INTERVAL_MS);
	}
	topic_watch_free(watch);
	free(held);
	watch_thread_ends();
	return NULL;
}

int reader_monitor_start(struct kafka_reader *reader, struct error *err)
{
	if (pthread_create(&reader->monitor, NULL, monitor, reader) != 0)
		return error_set(err, "cannot start a thread for the monitor: raise the process limit");
	reader->monitoring = true;
	return 0;
}
