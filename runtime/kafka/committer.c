#include "runtime/kafka/committer.h"

#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/process/condition.h"
#include "runtime/kafka/source.h"

#define ENDED_TIMEOUT_MS 5000
#define DENIED_PAUSE_MS  2000 /* before a commit is tried again that the job's user has no right to */

static void wait_ms(struct committer *committer, int64_t ms)
{
	struct timespec until = condition_deadline(ms);

	pthread_cond_timedwait(&committer->changed, &committer->mutex, &until);
}

static int64_t boot_ms(const struct kafka_reader *reader)
{
	return clock_boot_ms(reader->clock);
}

/* `to` NULL: the same place again. */
static rd_kafka_topic_partition_list_t *offsets_of(const struct kafka_reader *reader, const struct place *place,
                                                   const int64_t *to)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)reader->source.partitions);
	struct buffer text;

	buffer_init(&text);
	for (size_t p = 0; p < reader->source.partitions; p++) {
		const struct partition *partition = &reader->partitions[p];
		rd_kafka_topic_partition_t *item =
		        rd_kafka_topic_partition_list_add(list, reader->spec->client.topic, (int32_t)p);
		int64_t committed = atomic_load(&partition->committed), end = committed;

		if (partition->to >= 0)
			end = partition->to;
		else if (to && to[p] >= 0)
			end = to[p];
		buffer_clear(&text);
		place_format(place, p == 0, end, &text);
		item->offset = place->boundary.pending ? committed : partition_past_gap(partition, end);
		item->metadata = xmalloc(text.size);
		memcpy(item->metadata, text.data, text.size);
		item->metadata_size = text.size;
	}
	buffer_release(&text);
	return list;
}

/* What the broker has acknowledged becomes what we know. */
static void committed(struct kafka_reader *reader, const struct place *place, const int64_t *to,
                      const rd_kafka_topic_partition_list_t *list)
{
	for (int i = 0; i < list->cnt; i++) {
		struct partition *partition = &reader->partitions[list->elems[i].partition];

		if (!place->boundary.pending && partition->to >= 0)
			partition->to = -1;
		else if (place->boundary.pending && partition->to < 0 && to)
			partition->to = to[i] >= 0 ? to[i] : list->elems[i].offset;
		atomic_store(&partition->committed, list->elems[i].offset);
	}
	reader->place = *place;
}

/* Without a fence. librdkafka's own wait would know no deadline. */
static enum fence_outcome plain_commit(struct kafka_reader *reader, const rd_kafka_topic_partition_list_t *list,
                                       struct error *err)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(reader->rk);
	rd_kafka_resp_err_t code = rd_kafka_commit_queue(reader->rk, list, queue, NULL, NULL);
	rd_kafka_event_t *event = code ? NULL
	                               : watched(WATCH_SOURCE, "the commit to", reader->peer, reader->round_ms,
	                                         rd_kafka_queue_poll(queue, reader->round_ms));

	if (!code)
		code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
	if (event) {
		const rd_kafka_topic_partition_list_t *done = rd_kafka_event_topic_partition_list(event);

		for (int i = 0; done && i < done->cnt && !code; i++)
			code = done->elems[i].err;
		rd_kafka_event_destroy(event);
	}
	rd_kafka_queue_destroy(queue);
	if (!code)
		return FENCE_DONE;
	error_set(err, "cannot commit to group %s: %s%s", reader->spec->group_id, rd_kafka_err2str(code),
	          client_cure(code));
	return client_cure(code)[0] ? FENCE_DENIED : FENCE_RETRY;
}

/* After a failure: no round is begun that could not end in time. */
static bool given_up(const struct kafka_reader *reader)
{
	return clock_monotonic_ms(reader->stop->clock) > atomic_load(&reader->stop->deadline_ms) - reader->round_ms ||
	       boot_ms(reader) >= atomic_load(&reader->committer.give_up_ms);
}

static bool comes_again(enum fence_outcome outcome)
{
	return outcome == FENCE_RETRY || outcome == FENCE_DENIED;
}

/* One place, again and again until it is committed. 0, -1: no more time, COMMIT_AGAIN: lost. */
static int commit_place(struct kafka_reader *reader, const struct place *place, const int64_t *to, struct error *err)
{
	rd_kafka_topic_partition_list_t *list = offsets_of(reader, place, to);
	enum fence_outcome outcome;
	int64_t sent_ms;
	bool failing = false;

	for (;;) {
		sent_ms = boot_ms(reader);
		outcome = reader->fence ? fence_commit(reader->fence, list, reader->round_ms, err)
		                        : plain_commit(reader, list, err);
		if (!comes_again(outcome) || given_up(reader))
			break;
		failing = true;
		reader_health(reader, err);
		reader_pause(reader, outcome == FENCE_DENIED ? DENIED_PAUSE_MS : LOOK_MS);
	}
	if (outcome == FENCE_DONE) {
		committed(reader, place, to, list);
		atomic_store(&reader->lease.until_ms, sent_ms + reader->spec->lease_ms);
		reader->committer.sent_ms = sent_ms;
		if (failing)
			reader_health(reader, NULL);
	}
	rd_kafka_topic_partition_list_destroy(list);
	return outcome == FENCE_DONE ? 0 : comes_again(outcome) ? -1 : COMMIT_AGAIN;
}

/*
 * What a commit that was given up did, nobody knows, so none may follow. Or the fence is gone: why, the next opening
 * finds out from the mark.
 */
static void end_commits(struct kafka_reader *reader, int over, const struct error *err)
{
	reader->committer.over = over;
	reader->committer.over_reason = *err;
	if (over != COMMIT_AGAIN)
		return;
	reader->identity->fenced = true;
	log_warn("the job is not this process's any more, or the broker says so", "group=\"%s\" error=\"%s\"",
	         reader->spec->group_id, err->text);
	atomic_store(&reader->lease.until_ms, INT64_MIN);
	reader_interrupt(reader, NULL);
}

void committer_settled(struct kafka_reader *reader)
{
	struct committer *committer = &reader->committer;

	pthread_mutex_lock(&committer->mutex);
	if (!committer->over)
		reader->identity->fenced = false;
	pthread_mutex_unlock(&committer->mutex);
}

static enum place_state state_now(const struct kafka_reader *reader)
{
	return atomic_load(&reader->stop->requested) ? PLACE_DRAINING : PLACE_RUNNING;
}

static bool repeat_due(const struct kafka_reader *reader)
{
	const struct committer *committer = &reader->committer;

	return committer->renew || reader->place.anew != atomic_load(&reader->made_anew) ||
	       state_now(reader) != reader->place.state ||
	       boot_ms(reader) - committer->sent_ms >= LEASES_A_REPEAT * reader->spec->lease_ms;
}

/* What is to be done next, with the mutex held; it is given up meanwhile. */
static void work(struct kafka_reader *reader)
{
	struct committer *committer = &reader->committer;
	struct place place = reader->place;
	const int64_t *to = committer->asked ? committer->to : NULL;
	bool asked = committer->asked;
	struct error err;
	int result;

	if (asked)
		place.boundary = committer->boundary;
	place.state = committer->ending ? PLACE_ENDED : state_now(reader);
	place.anew = atomic_load(&reader->made_anew);
	if (committer->ending && lease_quiet(&reader->lease))
		place.lease_ms = place.request_ms = 0;
	place.counter++;
	pthread_mutex_unlock(&committer->mutex);
	result = commit_place(reader, &place, to, &err);
	pthread_mutex_lock(&committer->mutex);
	committer->renew = false;
	if (result < 0)
		end_commits(reader, result, &err);
	if (asked)
		committer->asked = false;
	pthread_cond_broadcast(&committer->changed);
}

static void *committer_run(void *context)
{
	struct kafka_reader *reader = context;
	struct committer *committer = &reader->committer;

	watch_thread("committer");
	pthread_mutex_lock(&committer->mutex);
	while (!committer->over && !committer->ending) {
		if (committer->asked || (repeat_due(reader) && !stop_deadline_passed(reader->stop)))
			work(reader);
		else
			wait_ms(committer, LOOK_MS);
	}
	pthread_mutex_unlock(&committer->mutex);
	watch_thread_ends();
	return NULL;
}

int committer_start(struct kafka_reader *reader, struct error *err)
{
	struct committer *committer = &reader->committer;

	pthread_mutex_init(&committer->mutex, NULL);
	condition_init(&committer->changed);
	committer->sent_ms = boot_ms(reader);
	atomic_store(&committer->give_up_ms, INT64_MAX);
	if (pthread_create(&committer->thread, NULL, committer_run, reader) != 0)
		return error_set(err, "cannot start a thread for the commits: raise the process limit");
	committer->running = true;
	return 0;
}

void committer_stop(struct kafka_reader *reader, bool in_order)
{
	struct committer *committer = &reader->committer;

	if (!committer->running)
		return;
	pthread_mutex_lock(&committer->mutex);
	committer->ending = true;
	atomic_store(&committer->give_up_ms, boot_ms(reader) + ENDED_TIMEOUT_MS);
	pthread_cond_broadcast(&committer->changed);
	pthread_mutex_unlock(&committer->mutex);
	pthread_join(committer->thread, NULL);
	pthread_mutex_lock(&committer->mutex);
	if (in_order && !committer->over)
		work(reader);
	pthread_mutex_unlock(&committer->mutex);
	pthread_mutex_destroy(&committer->mutex);
	pthread_cond_destroy(&committer->changed);
	committer->running = false;
}

int reader_commit(struct source *source, const struct boundary *boundary, const int64_t *to, struct error *err)
{
	struct kafka_reader *reader = (struct kafka_reader *)source;
	struct committer *committer = &reader->committer;
	int result;

	pthread_mutex_lock(&committer->mutex);
	committer->boundary = *boundary;
	committer->to = to;
	committer->asked = true;
	pthread_cond_broadcast(&committer->changed);
	while (committer->asked && !committer->over)
		pthread_cond_wait(&committer->changed, &committer->mutex);
	result = committer->over ? committer->over : 0;
	if (result < 0)
		*err = committer->over_reason;
	committer->asked = false;
	pthread_mutex_unlock(&committer->mutex);
	return result;
}

void committer_repeat(struct kafka_reader *reader)
{
	struct committer *committer = &reader->committer;

	pthread_mutex_lock(&committer->mutex);
	committer->renew = true;
	pthread_cond_broadcast(&committer->changed);
	while (committer->renew && !committer->over && !committer->ending && !stop_deadline_passed(reader->stop))
		wait_ms(committer, LOOK_MS);
	pthread_mutex_unlock(&committer->mutex);
}

enum renewed reader_renew(void *context, struct error *err)
{
	struct kafka_reader *reader = context;
	struct committer *committer = &reader->committer;
	enum renewed renewed;

	pthread_mutex_lock(&committer->mutex);
	while (!lease_held(&reader->lease) && !committer->over && !stop_deadline_passed(reader->stop)) {
		committer->renew = true;
		pthread_cond_broadcast(&committer->changed);
		wait_ms(committer, LOOK_MS);
	}
	renewed = lease_held(&reader->lease) ? RENEWED : committer->over == COMMIT_AGAIN ? RENEWED_FENCED : RENEWED_NOT;
	if (renewed == RENEWED_FENCED)
		*err = committer->over_reason;
	else if (renewed == RENEWED_NOT)
		error_set(err,
		          "the job's place in group %s cannot be committed again in time, so another process may "
		          "have it",
		          reader->spec->group_id);
	pthread_mutex_unlock(&committer->mutex);
	return renewed;
}
