/* What all parts of the source say of it: its health, whose the job is, that the lanes have to begin anew. */
#include <stdio.h>

#include "lib/base/log.h"
#include "lib/process/pause.h"
#include "runtime/kafka/start.h"

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
		pause_ms(ms < 10 ? ms : 10);
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

int reader_stop_partition(struct kafka_reader *reader, int32_t partition)
{
	return watched(WATCH_SOURCE, "the end of reading from", reader->peer, CLIENT_CALL_MS,
	               rd_kafka_consume_stop(reader->topic, partition));
}
