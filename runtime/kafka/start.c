/* Where a job begins: partitions, committed offsets, the last boundary, and whether the log still has them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "runtime/kafka/offsets.h"
#include "runtime/kafka/start.h"

/* How many partitions the topic has; 0 and why where it cannot be known yet. */
static size_t count_partitions(struct kafka_reader *reader, struct error *err)
{
	const struct kafka_client *client = &reader->spec->client;
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t code;
	size_t count = 0;
	int rounds = 0;

	do {
		code = reader_metadata(reader, &metadata);
	} while (reader_asks_again(reader, code, &rounds));
	if (code) {
		error_set(err, "no answer from Kafka at %s: %s", client->bootstrap_servers, rd_kafka_err2str(code));
		return 0;
	}
	if (metadata->topic_cnt == 1 && !metadata->topics[0].err)
		count = (size_t)metadata->topics[0].partition_cnt;
	code = metadata->topic_cnt ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
	if (!count)
		error_set(err, "topic %s at %s: %s%s", client->topic, client->bootstrap_servers, rd_kafka_err2str(code),
		          code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
		                  ? client_cure(code)
		                  : "; create it, or correct source.kafka.topic");
	rd_kafka_metadata_destroy(metadata);
	return count;
}

/* Partitions without a committed offset begin where startingOffsets says, or, in a topic that grew, at their beginning.
 */
static int place_partition(struct kafka_reader *reader, int32_t number, bool first_start, int64_t low, int64_t high,
                           struct error *err)
{
	struct partition *partition = &reader->partitions[number];
	int64_t committed = atomic_load(&partition->committed);

	if (committed < 0) {
		committed = first_start && reader->spec->starting_offsets == START_LATEST ? high : low;
	} else if (committed < low || committed > high || partition->to > high) {
		if (reader_offset_loss(reader, number, committed, low, high, &committed, err) < 0)
			return -2;
		partition->to = partition->to >= committed && partition->to <= high ? partition->to : -1;
	}
	partition_place(partition, committed);
	return 0;
}

static int place_partitions(struct kafka_reader *reader, bool first_start, struct error *err)
{
	size_t count = reader->source.partitions;
	int64_t *low = xcalloc(count, sizeof(*low)), *high = xcalloc(count, sizeof(*high));
	int result = reader_ranges(reader, low, high, err);

	for (size_t p = 0; p < count && !result; p++)
		result = place_partition(reader, (int32_t)p, first_start, low[p], high[p], err);
	free(low);
	free(high);
	return result;
}

/* 0; -1: not yet, or the fence was lost meanwhile; -2. A broker without transactions leaves the job without a fence. */
static int take_fence(struct kafka_reader *reader, struct error *err)
{
	enum fence_outcome outcome;
	int rounds = 0;

	do {
		outcome = fence_take(reader->fence, reader->round_ms, err);
	} while (outcome == FENCE_RETRY && reader_asks_again(reader, RD_KAFKA_RESP_ERR__TIMED_OUT, &rounds));
	switch (outcome) {
	case FENCE_DONE:
		return 0;
	case FENCE_NONE:
		log_warn("the broker has no transactions: nothing keeps a second process of this job away",
		         "group=\"%s\" error=\"%s\"", reader->spec->group_id, err->text);
		fence_free(reader->fence);
		reader->fence = NULL;
		return 0;
	case FENCE_RETRY:
	case FENCE_DENIED:
	case FENCE_LOST:
		break;
	}
	return -1;
}

/* What a process before this one may have under way at a sink that cannot be fenced, counted from the fence on. */
static void set_lease(struct kafka_reader *reader, const struct found *found, int64_t fenced_ms)
{
	const struct place *mark = &found->mark;
	struct job_identity *identity = reader->identity;

	if (found->whole && strcmp(mark->process, identity->process) != 0)
		identity->quiet_ms = fenced_ms + mark->lease_ms + mark->request_ms;
	atomic_store(&reader->lease.until_ms, INT64_MIN);
	atomic_store(&reader->lease.quiet_ms, identity->quiet_ms);
}

static void fill_place(struct kafka_reader *reader, const struct found *found)
{
	struct place *place = &reader->place;
	const struct job_identity *identity = reader->identity;

	snprintf(place->owner, sizeof(place->owner), "%s", identity->owner);
	snprintf(place->process, sizeof(place->process), "%s", identity->process);
	snprintf(place->query, sizeof(place->query), "%s", identity->query);
	memcpy(place->topic_id, reader->topic_id, sizeof(place->topic_id));
	place->state = PLACE_RUNNING;
	place->lease_ms = reader->spec->lease_ms;
	place->request_ms = reader->source.request_timeout_ms;
	place->drain_ms = identity->drain_ms;
	place->rollout = identity->rollout;
	place->counter = found->mark.counter;
	reader->source.boundary = place->boundary;
	memcpy(reader->source.life, place->life, sizeof(place->life));
}

static bool first_start(const struct found *found)
{
	return !found->with_offset && !found->jumped;
}

/* 0: ready; -1: not yet; -2: waiting will not help. */
static int try_start(struct kafka_reader *reader, struct error *err)
{
	struct found found = {0};
	int64_t fenced_ms;
	int result;

	reader->source.partitions = count_partitions(reader, err);
	if (!reader->source.partitions)
		return -1;
	if (reader->source.partitions > PARTITIONS_MAX) {
		error_set(err, "topic %s has %zu partitions; at most %d are supported", reader->spec->client.topic,
		          reader->source.partitions, PARTITIONS_MAX);
		return -2;
	}
	free(reader->partitions);
	reader->partitions = xcalloc(reader->source.partitions, sizeof(*reader->partitions));
	result = reader_claim(reader, err);
	if (!result)
		result = take_fence(reader, err);
	fenced_ms = clock_boot_ms(reader->clock);
	if (!result)
		result = reader_topic_id(reader, reader->topic_id, err);
	if (!result)
		result = reader_find_place(reader, &found, err);
	if (!result)
		result = place_partitions(reader, first_start(&found), err);
	if (result)
		return result;
	set_lease(reader, &found, fenced_ms);
	fill_place(reader, &found);
	reader->source.first_start = first_start(&found);
	reader->jumped = found.jumped;
	return 0;
}

#define VERSION_WITH_STRICT_SCRAM 0x020601ff /* docs/decisions/scram.md */

static const char *scram_hint(const char *text)
{
	if (rd_kafka_version() >= VERSION_WITH_STRICT_SCRAM || !strstr(text, "SCRAM"))
		return "";
	return "; where the password is right: this librdkafka cannot do SCRAM with Kafka 4.0 and later, use PLAIN "
	       "over TLS or a client certificate";
}

/* What librdkafka last said of the connection ("Authentication failed …") makes a time-out a reason. */
static void add_last_error(struct kafka_reader *reader, struct error *err)
{
	struct error told = *err;

	rd_kafka_poll(reader->rk, 0);
	pthread_mutex_lock(&reader->mutex);
	if (reader->last_error.text[0])
		error_set(err, "%s; last error: %s%s", told.text, reader->last_error.text,
		          scram_hint(reader->last_error.text));
	pthread_mutex_unlock(&reader->mutex);
}

int reader_start(struct kafka_reader *reader, struct error *err)
{
	for (;;) {
		int result = try_start(reader, err);

		if (result == 0)
			return 0;
		if (result == -2 || atomic_load(&reader->stop->requested))
			return -1;
		add_last_error(reader, err);
		reader_health(reader, err);
		reader_pause(reader, RETRY_PAUSE_MS);
		/* Anew: perhaps a secret was mended. */
		reader_disconnect(reader);
		if (reader_connect(reader, err) < 0)
			return -1;
	}
}
