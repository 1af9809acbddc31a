/* The source as the lanes and the job see it. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "runtime/kafka/ordered.h"
#include "runtime/kafka/start.h"
#include "runtime/kafka/take.h"

static int reader_open(struct source *source, unsigned *lanes, struct stop *stop, struct error *err)
{
	struct kafka_reader *reader = (struct kafka_reader *)source;

	reader->stop = stop;
	if (reader_connect(reader, err) < 0 || reader_start(reader, err) < 0)
		return -1;
	if (*lanes > source->partitions)
		*lanes = (unsigned)source->partitions;
	if (*lanes > KAFKA_LANES_MAX)
		*lanes = KAFKA_LANES_MAX;
	reader->lanes_count = *lanes;
	source->ordered = source->wants_order && *lanes == 1 && source->partitions > 1 &&
	                  source->partitions <= ORDERED_PARTITIONS_MAX;
	reader->ordered = source->ordered ? ordered_new(source->partitions) : NULL;
	return 0;
}

static rd_kafka_resp_err_t seek(struct kafka_reader *reader, int32_t partition, int64_t to)
{
	return watched(WATCH_SOURCE, "the seek at", reader->peer, client_limit_ms(reader->rk, REQUEST_TIMEOUT_MS),
	               rd_kafka_seek(reader->topic, partition, to, REQUEST_TIMEOUT_MS));
}

/*
 * The partitions are stopped and started anew, with new queues: what the old ones held, and what was on its way to
 * them, cannot come any more.
 */
static int reader_rewind(struct source *source, struct error *err)
{
	struct kafka_reader *reader = (struct kafka_reader *)source;

	for (size_t p = 0; p < source->partitions; p++)
		if (reader_stop_partition(reader, (int32_t)p))
			return client_error(err, rd_kafka_last_error(), "cannot stop to read a partition");
	for (size_t p = 0; p < source->partitions; p++)
		partition_place(&reader->partitions[p], atomic_load(&reader->partitions[p].committed));
	for (unsigned l = 0; l < reader->lanes_count; l++)
		reader_close_lane(&reader->lanes[l]);
	if (reader->ordered)
		ordered_stop(reader->ordered);
	return reader_start_lanes(reader, err);
}

/* Lanes wait at the boundary and take nothing; what their queues hold is dropped by the seek. */
static int reader_resume(struct source *source, struct error *err)
{
	struct kafka_reader *reader = (struct kafka_reader *)source;

	for (size_t p = 0; p < source->partitions; p++) {
		struct partition *partition = &reader->partitions[p];
		int64_t to = atomic_load(&partition->committed);
		rd_kafka_resp_err_t code = seek(reader, (int32_t)p, to);

		while (code && !stop_deadline_passed(reader->stop)) {
			client_error(err, code, "cannot seek to the end of the replayed window");
			reader_health(reader, err);
			reader_pause(reader, RETRY_PAUSE_MS);
			code = seek(reader, (int32_t)p, to);
		}
		if (code)
			return client_error(err, code, "cannot seek to the end of the replayed window");
		partition_place(partition, to);
	}
	if (reader->ordered)
		ordered_reset(reader->ordered);
	atomic_store(&reader->replaying, false);
	return 0;
}

static size_t reader_status(struct source *source, struct partition_status *ret_status, size_t max)
{
	struct kafka_reader *reader = (struct kafka_reader *)source;
	size_t count = source->partitions < max ? source->partitions : max;

	for (size_t p = 0; p < count; p++) {
		const struct partition *partition = &reader->partitions[p];
		int64_t low, high = -1;

		if (rd_kafka_get_watermark_offsets(reader->rk, reader->spec->client.topic, (int32_t)p, &low, &high) ||
		    high < 0)
			high = -1;
		ret_status[p] =
		        (struct partition_status){reader->spec->client.topic, (int32_t)p,
		                                  partition_past_gap(partition, atomic_load(&partition->committed)),
		                                  atomic_load(&partition->position), high};
	}
	return count;
}

static int reader_healthy(struct source *source, struct error *err)
{
	struct kafka_reader *reader = (struct kafka_reader *)source;
	int result = 0;

	pthread_mutex_lock(&reader->mutex);
	if (reader->owner.standby)
		result = error_set(err, "%s", reader->owner.reason);
	else if (reader->unhealthy || reader->stuck)
		result = error_set(err, "%s", reader->unhealthy ? reader->health.text : reader->stuck_reason.text);
	pthread_mutex_unlock(&reader->mutex);
	return result;
}

static void reader_owner_status(struct source *source, struct source_owner *ret_owner)
{
	struct kafka_reader *reader = (struct kafka_reader *)source;

	pthread_mutex_lock(&reader->mutex);
	*ret_owner = reader->owner;
	pthread_mutex_unlock(&reader->mutex);
}

static void reader_close(struct source *source)
{
	struct kafka_reader *reader = (struct kafka_reader *)source;

	atomic_store(&reader->closing, true);
	if (reader->monitoring)
		pthread_join(reader->monitor, NULL);
	committer_stop(reader, source->ended_in_order);
	reader->identity->offset_jumps = atomic_load(&source->offset_jumps);
	for (unsigned l = 0; l < reader->lanes_count; l++)
		for (size_t p = l; p < source->partitions && reader->lanes[l].queue; p += reader->lanes_count)
			reader_stop_partition(reader, (int32_t)p);
	for (unsigned l = 0; l < reader->lanes_count; l++)
		reader_close_lane(&reader->lanes[l]);
	ordered_free(reader->ordered);
	reader_disconnect(reader);
	pthread_mutex_destroy(&reader->mutex);
	free(reader->partitions);
	free(reader);
}

/*
 * Before a window is begun: are its rows of the topic that the offsets are of? Those of one that was made anew
 * meanwhile would be read again from its first record.
 */
static int reader_commit_own(struct source *source, const struct boundary *boundary, const int64_t *to,
                             struct error *err)
{
	struct kafka_reader *reader = (struct kafka_reader *)source;

	if (!boundary->pending || !reader_other_topic(reader, err))
		return reader_commit(source, boundary, to, err);
	reader_found_anew(reader, err->text);
	return COMMIT_AGAIN;
}

static const struct source_ops reader_ops = {
        .name = "kafka",
        .open = reader_open,
        .begin = reader_begin,
        .take = reader_take,
        .give_back = ordered_give_back,
        .resume = reader_resume,
        .rewind = reader_rewind,
        .commit = reader_commit_own,
        .status = reader_status,
        .healthy = reader_healthy,
        .owner = reader_owner_status,
        .close = reader_close,
};

struct source *kafka_source_new(const struct kafka_source *spec, const char *secrets_dir, bool wants_headers,
                                const struct clock *clock, struct job_identity *identity)
{
	struct kafka_reader *reader = xcalloc(1, sizeof(*reader));

	reader->source.ops = &reader_ops;
	reader->source.resumable = true;
	reader->spec = spec;
	reader->peer = client_peer(&spec->client);
	reader->secrets_dir = secrets_dir;
	reader->wants_headers = wants_headers;
	reader->clock = clock;
	reader->identity = identity;
	atomic_store(&reader->source.offset_jumps, identity->offset_jumps);
	reader->round_ms = identity->drain_ms / 2 < ROUND_MS_MIN   ? ROUND_MS_MIN
	                   : identity->drain_ms / 2 > ROUND_MS_MAX ? ROUND_MS_MAX
	                                                           : (int)(identity->drain_ms / 2);
	reader->lease = (struct lease){.clock = clock, .renew = reader_renew, .context = reader};
	reader->source.lease = &reader->lease;
	pthread_mutex_init(&reader->mutex, NULL);
	for (size_t l = 0; l < KAFKA_LANES_MAX; l++)
		reader->lanes[l].event_fd = -1;
	return &reader->source;
}
