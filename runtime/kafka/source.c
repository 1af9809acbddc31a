#include "runtime/kafka/ordered.h"
#include "runtime/kafka/start.h"
#include "runtime/kafka/take.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"

/* Small, so that records are still in the cache when a lane takes them: docs/decisions/fetch-sizes.md. */
static const struct setting *settings(const struct kafka_source *spec, struct setting *out)
{
	static const struct setting fixed[] = {
	        {"enable.auto.commit", "false"},
	        {"enable.auto.offset.store", "false"},
	        {"auto.offset.reset", "error"},
	        {"isolation.level", "read_committed"},
	        {"enable.partition.eof", "true"},
	        {"queued.max.messages.kbytes", "4096"},
	        {"queued.min.messages", "32768"},
	        {"fetch.message.max.bytes", "524288"},
	        {"fetch.max.bytes", "1048576"},
	        {"fetch.wait.max.ms", "50"},
	        {"fetch.error.backoff.ms", "100"},
	        {"reconnect.backoff.max.ms", "2000"},
	        {"topic.metadata.refresh.interval.ms", "60000"},
	        {"allow.auto.create.topics", "false"},
	};
	size_t count = sizeof(fixed) / sizeof(fixed[0]);

	memcpy(out, fixed, sizeof(fixed));
	out[count++] = (struct setting){"group.id", spec->group_id};
	out[count] = (struct setting){NULL, NULL};
	return out;
}

void reader_health(struct kafka_reader *reader, const struct error *err)
{
	bool changed;

	pthread_mutex_lock(&reader->mutex);
	changed = reader->unhealthy != (err != NULL) || (err && strcmp(reader->health.text, err->text) != 0);
	reader->unhealthy = err != NULL;
	if (err)
		reader->health = *err;
	pthread_mutex_unlock(&reader->mutex);
	if (changed && err)
		log_warn("source not healthy", "error=\"%s\"", err->text);
	else if (changed)
		log_info("source healthy again", "topic=%s", reader->spec->client.topic);
}

void reader_pause(const struct kafka_reader *reader, int64_t ms)
{
	for (; ms > 0 && !atomic_load(&reader->closing); ms -= 10)
		nanosleep(&(struct timespec){.tv_nsec = (ms < 10 ? ms : 10) * 1000000L}, NULL);
}

/* librdkafka's errors of the whole client; on the monitor's thread, which polls. */
static void client_failed(rd_kafka_t *rk, int code, const char *reason, void *context)
{
	struct kafka_reader *reader = context;

	(void)rk;
	pthread_mutex_lock(&reader->mutex);
	error_set(&reader->last_error, "%s: %s", rd_kafka_err2name((rd_kafka_resp_err_t)code), reason);
	pthread_mutex_unlock(&reader->mutex);
	log_debug("librdkafka error", "code=%s reason=\"%s\"", rd_kafka_err2name((rd_kafka_resp_err_t)code), reason);
}

static void close_lane(struct kafka_lane *lane)
{
	for (size_t i = 0; i < lane->messages_count; i++)
		rd_kafka_message_destroy(lane->messages[i]);
	if (lane->queue)
		rd_kafka_queue_destroy(lane->queue);
	if (lane->event_fd >= 0)
		close(lane->event_fd);
	buffer_release(&lane->headers);
	lane->queue = NULL;
	lane->event_fd = -1;
	lane->messages_count = lane->unreached = 0;
	lane->boundary_said = false;
}

rd_kafka_queue_t *reader_queue(const struct kafka_reader *reader, const struct kafka_lane *lane, size_t partition)
{
	return reader->ordered ? ordered_queue(reader->ordered, partition) : lane->queue;
}

static int start_lane(struct kafka_reader *reader, unsigned number, struct error *err)
{
	struct kafka_lane *lane = &reader->lanes[number];

	lane->queue = rd_kafka_queue_new(reader->rk);
	lane->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	buffer_init(&lane->headers);
	if (lane->event_fd < 0)
		return error_set(err, "cannot make an eventfd: %s", strerror(errno));
	rd_kafka_queue_io_event_enable(lane->queue, lane->event_fd, &(uint64_t){1}, sizeof(uint64_t));
	if (reader->ordered)
		ordered_start(reader->ordered, reader->rk, lane->event_fd);
	for (size_t p = number; p < reader->source.partitions; p += reader->lanes_count) {
		struct partition *partition = &reader->partitions[p];

		partition->reached = partition->to <= atomic_load(&partition->committed);
		lane->unreached += !partition->reached;
		if (rd_kafka_consume_start_queue(reader->topic, (int32_t)p, atomic_load(&partition->committed),
		                                 reader_queue(reader, lane, p)))
			return client_error(err, rd_kafka_last_error(), "cannot start to read a partition");
	}
	return 0;
}

int reader_start_lanes(struct kafka_reader *reader, struct error *err)
{
	atomic_store(&reader->replaying, reader->source.boundary.pending);
	for (unsigned l = 0; l < reader->lanes_count; l++)
		if (start_lane(reader, l, err) < 0)
			return -1;
	return 0;
}

void reader_disconnect(struct kafka_reader *reader)
{
	fence_free(reader->fence);
	if (reader->topic)
		rd_kafka_topic_destroy(reader->topic);
	if (reader->rk)
		client_end(reader->rk, WATCH_SOURCE, &reader->spec->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	reader->fence = NULL;
	reader->topic = NULL;
	reader->rk = NULL;
}

int reader_connect(struct kafka_reader *reader, struct error *err)
{
	struct setting list[32];
	rd_kafka_conf_t *conf =
	        client_conf(&reader->spec->client, reader->secrets_dir, settings(reader->spec, list), err);

	if (!conf)
		return -1;
	pthread_mutex_lock(&reader->mutex);
	reader->last_error.text[0] = '\0'; /* of an earlier handle */
	pthread_mutex_unlock(&reader->mutex);
	rd_kafka_conf_set_opaque(conf, reader);
	rd_kafka_conf_set_error_cb(conf, client_failed);
	reader->rk = client_new(RD_KAFKA_CONSUMER, conf, err);
	if (!reader->rk)
		return -1;
	reader_wake_limits(reader);
	reader->fence =
	        fence_new(&reader->spec->client, reader->spec->group_id, reader->secrets_dir, reader->round_ms, err);
	if (!reader->fence)
		return -1;
	reader->topic = rd_kafka_topic_new(reader->rk, reader->spec->client.topic, NULL);
	return reader->topic ? 0 : client_error(err, rd_kafka_last_error(), "cannot use the topic");
}

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

int reader_stop_partition(struct kafka_reader *reader, int32_t partition)
{
	return watched(WATCH_SOURCE, "the end of reading from", reader->peer, CLIENT_CALL_MS,
	               rd_kafka_consume_stop(reader->topic, partition));
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
		close_lane(&reader->lanes[l]);
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

void reader_owner(struct kafka_reader *reader, const char *process, const char *reason)
{
	struct source_owner *owner = &reader->owner;
	bool changed;

	pthread_mutex_lock(&reader->mutex);
	changed = strcmp(owner->process, process) != 0 || owner->standby != (reason != NULL) ||
	          strcmp(owner->reason, reason ? reason : "") != 0;
	if (changed)
		owner->since_wall_ms = clock_wall_ms(reader->clock);
	owner->standby = reason != NULL;
	owner->unfenced = !reason && !reader->fence;
	snprintf(owner->process, sizeof(owner->process), "%s", process);
	snprintf(owner->reason, sizeof(owner->reason), "%s", reason ? reason : "");
	pthread_mutex_unlock(&reader->mutex);
	if (changed && reason)
		log_warn("not the owner of the job", "group=\"%s\" reason=\"%s\"", reader->spec->group_id, reason);
	else if (changed)
		log_info("the job is this process's", "group=\"%s\" process=\"%s\"", reader->spec->group_id, process);
}

void reader_interrupt(struct kafka_reader *reader, const struct error *failure)
{
	struct source *source = &reader->source;

	if (atomic_exchange(&source->interrupted, true))
		return;
	if (failure) {
		source->failure = *failure;
		atomic_store(&source->failed, true);
	}
	if (source->interrupt)
		source->interrupt(source->interrupt_context);
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
		close_lane(&reader->lanes[l]);
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
