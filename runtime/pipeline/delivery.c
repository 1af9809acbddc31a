#include "runtime/pipeline/delivery.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/repeat.h"
#include "lib/process/condition.h"
#include "lib/process/pause.h"
#include "lib/process/watch.h"

#define RETRY_PAUSE_MS   100 /* between calls of a sink that asked for a retry; its own back-off comes before */
#define INSPECT_PAUSE_MS 500

struct sink_thread {
	struct delivery *delivery;
	struct sink *sink;
	struct sink_status *status;
	pthread_t thread;
	bool busy;
	const struct window_result *result; /* NULL with busy: open the sink */
	int outcome;                        /* 0 or -1, once no longer busy */
	struct error error;
	uint64_t left_out;         /* rows of the window that is being written */
	struct error left_out_why; /* of the first one */
	struct repeat rejections, rows_left_out;
	bool letter_failed; /* of any of them */
	struct error letter_error;
};

struct delivery {
	struct source *source;
	struct dead_letter *letters;
	struct stop *stop;
	struct status *job_status;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool ending;
	size_t threads_count;
	struct sink_thread threads[STATUS_SINKS_MAX];
};

/* A failed attempt of a sink, or NULL when one worked. Called on the sink's thread. */
static void report(void *context, const struct error *err)
{
	struct sink_thread *thread = context;
	struct status *status = thread->delivery->job_status;

	pthread_mutex_lock(&status->mutex);
	status_sink(status, thread->status, err);
	thread->status->failures += err != NULL;
	pthread_mutex_unlock(&status->mutex);
	if (!err)
		return;
	status_error(status, err);
	log_warn("sink attempt failed", "sink=\"%s\" error=\"%s\"", thread->sink->target, err->text);
}

/* A row of the window that is being written; within the sink's write, on its thread. */
static void leave_out(void *context, const struct window_result *result, size_t row, const char *reason)
{
	struct sink_thread *thread = context;
	struct dead_letter *letters = thread->delivery->letters;

	if (!thread->left_out++)
		error_set(&thread->left_out_why, "%s", reason);
	if (letters && !thread->letter_failed)
		thread->letter_failed = letters->ops->write_rows(letters, result, row, 1, thread->sink->target, reason,
		                                                 &thread->letter_error) < 0;
}

static int accepted(struct sink_thread *thread, struct error *err)
{
	struct status *status = thread->delivery->job_status;
	uint64_t unsaid = thread->left_out ? repeat_due(&thread->rows_left_out, thread->left_out,
	                                                clock_monotonic_ms(status->clock))
	                                   : 0;

	pthread_mutex_lock(&status->mutex);
	status_sink(status, thread->status, NULL);
	thread->status->left_out += thread->left_out;
	thread->status->accepted_sequence = thread->result->sequence;
	thread->status->accepted_wall_ms = clock_wall_ms(status->clock);
	pthread_mutex_unlock(&status->mutex);
	if (unsaid)
		log_warn("sink left rows out", "sink=\"%s\" sequence=%llu rows=%llu in_all=%llu error=\"%s\"",
		         thread->sink->target, (unsigned long long)thread->result->sequence, (unsigned long long)unsaid,
		         (unsigned long long)thread->rows_left_out.count, thread->left_out_why.text);
	if (!thread->letter_failed)
		return 0;
	*err = thread->letter_error;
	return error_prefix(err, "dead letter of a row that sink %s left out", thread->sink->target);
}

/* The window goes to the dead letter with the sink's words; the job goes on or fails by the sink's policy. */
static int rejected(struct sink_thread *thread, struct error *err)
{
	struct delivery *delivery = thread->delivery;
	struct status *status = delivery->job_status;
	struct dead_letter *letters = delivery->letters;
	struct error letter_error;
	uint64_t unsaid = repeat_due(&thread->rejections, 1, clock_monotonic_ms(status->clock));

	pthread_mutex_lock(&status->mutex);
	status_sink(status, thread->status, err);
	thread->status->rejected++;
	pthread_mutex_unlock(&status->mutex);
	status_error(status, err);
	if (unsaid == 1)
		log_error("sink rejected a window", "sink=\"%s\" sequence=%llu error=\"%s\"", thread->sink->target,
		          (unsigned long long)thread->result->sequence, err->text);
	else if (unsaid)
		log_error("sink rejected windows", "sink=\"%s\" windows=%llu in_all=%llu sequence=%llu error=\"%s\"",
		          thread->sink->target, (unsigned long long)unsaid,
		          (unsigned long long)thread->rejections.count, (unsigned long long)thread->result->sequence,
		          err->text);
	if (thread->sink->fail_on_rejected)
		return error_prefix(err, "sink %s rejected window %llu", thread->sink->target,
		                    (unsigned long long)thread->result->sequence);
	if (letters && letters->ops->write_rows(letters, thread->result, 0, thread->result->rows.rows,
	                                        thread->sink->target, err->text, &letter_error) < 0) {
		*err = letter_error;
		return error_prefix(err, "dead letter of a rejected window");
	}
	return 0;
}

static int write_window(struct sink_thread *thread, struct error *err)
{
	for (;;) {
		struct stop *stop = thread->delivery->stop;

		thread->left_out = 0;
		switch (thread->sink->ops->write(thread->sink, thread->result, stop, err)) {
		case SINK_ACCEPTED:
			return accepted(thread, err);
		case SINK_REJECTED:
			return rejected(thread, err);
		case SINK_FENCED:
			return COMMIT_AGAIN;
		case SINK_RETRY:
			break;
		}
		report(thread, err);
		if (stop_deadline_passed(thread->delivery->stop))
			return error_prefix(
			        err, "sink %s did not accept window %llu in time; the next start writes it again",
			        thread->sink->target, (unsigned long long)thread->result->sequence);
		pause_ms(RETRY_PAUSE_MS);
	}
}

static int open_sink(struct sink_thread *thread, struct error *err)
{
	struct delivery *delivery = thread->delivery;
	const struct source *source = delivery->source;
	const struct boundary *boundary = &source->boundary;
	struct sink_start start = {
	        .next_sequence = boundary->sequence + !boundary->pending,
	        .pending = boundary->pending,
	        .resumable = source->resumable,
	};
	struct status *status = delivery->job_status;

	snprintf(start.life, sizeof(start.life), "%s", source->life[0] ? source->life : "none");
	if (thread->sink->ops->open(thread->sink, &start, delivery->stop, err) < 0)
		return error_prefix(err, "sink %s", thread->sink->target);
	pthread_mutex_lock(&status->mutex);
	thread->status->opened = true;
	pthread_mutex_unlock(&status->mutex);
	return 0;
}

/* Meanwhile the sink does what is due by time. The mutex is held, but not while the sink works. */
static void wait_for_window(struct sink_thread *thread)
{
	struct delivery *delivery = thread->delivery;
	struct timespec until = condition_deadline(SINK_IDLE_MS);

	if (!thread->sink->ops->idle || !thread->status->opened) {
		pthread_cond_wait(&delivery->changed, &delivery->mutex);
		return;
	}
	if (pthread_cond_timedwait(&delivery->changed, &delivery->mutex, &until) != ETIMEDOUT)
		return;
	pthread_mutex_unlock(&delivery->mutex);
	thread->sink->ops->idle(thread->sink, delivery->stop);
	pthread_mutex_lock(&delivery->mutex);
}

static void *sink_run(void *argument)
{
	struct sink_thread *thread = argument;
	struct delivery *delivery = thread->delivery;

	watch_thread("sink %s", thread->sink->target);
	pthread_mutex_lock(&delivery->mutex);
	for (;;) {
		struct error err;
		int outcome;

		while (!thread->busy && !delivery->ending)
			wait_for_window(thread);
		if (!thread->busy)
			break;
		pthread_mutex_unlock(&delivery->mutex);
		outcome = thread->result ? write_window(thread, &err) : open_sink(thread, &err);
		pthread_mutex_lock(&delivery->mutex);
		thread->outcome = outcome;
		if (outcome < 0)
			thread->error = err;
		thread->busy = false;
		pthread_cond_broadcast(&delivery->changed);
	}
	pthread_mutex_unlock(&delivery->mutex);
	watch_thread_ends();
	return NULL;
}

/* Gives every sink `result` (NULL: open) and waits for all of them. */
static int run_sinks(struct delivery *delivery, const struct window_result *result, struct error *err)
{
	int outcome = 0;

	pthread_mutex_lock(&delivery->mutex);
	for (size_t i = 0; i < delivery->threads_count; i++) {
		delivery->threads[i].result = result;
		delivery->threads[i].busy = true;
	}
	pthread_cond_broadcast(&delivery->changed);
	for (size_t i = 0; i < delivery->threads_count; i++) {
		struct sink_thread *thread = &delivery->threads[i];

		while (thread->busy)
			pthread_cond_wait(&delivery->changed, &delivery->mutex);
		if (thread->outcome < 0 && outcome != COMMIT_AGAIN) {
			*err = thread->error;
			outcome = thread->outcome;
		}
	}
	pthread_mutex_unlock(&delivery->mutex);
	return outcome;
}

struct delivery *delivery_new(struct source *source, struct sink **sinks, size_t sinks_count,
                              struct dead_letter *letters, struct stop *stop, struct status *status, struct error *err)
{
	struct delivery *delivery = xcalloc(1, sizeof(*delivery));

	delivery->source = source;
	delivery->letters = letters;
	delivery->stop = stop;
	delivery->job_status = status;
	pthread_mutex_init(&delivery->mutex, NULL);
	condition_init(&delivery->changed);
	status_sinks(status, sinks, sinks_count);
	for (size_t i = 0; i < sinks_count; i++) {
		struct sink_thread *thread = &delivery->threads[i];

		*thread = (struct sink_thread){.delivery = delivery, .sink = sinks[i], .status = &status->sinks[i]};
		sinks[i]->report = report;
		sinks[i]->leave_out = leave_out;
		sinks[i]->report_context = thread;
		if (pthread_create(&thread->thread, NULL, sink_run, thread) != 0) {
			error_set(err, "cannot start a thread for sink %s: raise the process limit", sinks[i]->target);
			delivery_free(delivery);
			return NULL;
		}
		delivery->threads_count++;
	}
	if (run_sinks(delivery, NULL, err) < 0) {
		delivery_free(delivery);
		return NULL;
	}
	return delivery;
}

void delivery_free(struct delivery *delivery)
{
	if (!delivery)
		return;
	pthread_mutex_lock(&delivery->mutex);
	delivery->ending = true;
	pthread_cond_broadcast(&delivery->changed);
	pthread_mutex_unlock(&delivery->mutex);
	for (size_t i = 0; i < delivery->threads_count; i++) {
		pthread_join(delivery->threads[i].thread, NULL);
		delivery->threads[i].sink->report = NULL;
		delivery->threads[i].sink->leave_out = NULL;
	}
	pthread_mutex_destroy(&delivery->mutex);
	pthread_cond_destroy(&delivery->changed);
	free(delivery);
}

static int commit(struct delivery *delivery, const struct boundary *boundary, const int64_t *to, struct error *err)
{
	int outcome = delivery->source->ops->commit(delivery->source, boundary, to, err);

	if (outcome < 0) {
		error_prefix(err, "commit of window %llu", (unsigned long long)boundary->sequence);
		return outcome;
	}
	delivery->source->boundary = *boundary;
	return 0;
}

static int flush_letters(struct delivery *delivery, struct error *err)
{
	if (delivery->letters && delivery->letters->ops->flush(delivery->letters, delivery->stop, err) < 0)
		return error_prefix(err, "dead letter");
	return 0;
}

int delivery_window(struct delivery *delivery, const struct window_result *result, const int64_t *to, bool replay,
                    bool skip, struct error *err)
{
	struct boundary boundary = {true, result->sequence, result->start_ms, result->end_ms};
	int outcome = 0;

	if (skip && !replay) /* No sink sees it, so it has no number of its own: only the offsets move. */
		boundary = delivery->source->boundary;
	else if (!replay)
		outcome = commit(delivery, &boundary, to, err);
	if (!outcome && !skip)
		outcome = run_sinks(delivery, result, err);
	if (!outcome)
		outcome = flush_letters(delivery, err);
	boundary.pending = false;
	return outcome ? outcome : commit(delivery, &boundary, to, err);
}

/* One sink's answer. */
static int inspect_one(struct sink **sinks, size_t i, struct stop *stop, struct status *status, struct sink_held *held,
                       struct error *err)
{
	struct sink *sink = sinks[i];
	struct error said = {.text = ""};
	int answer;

	status_asks(status, (int)i, NULL);
	while ((answer = sink->ops->inspect(sink, stop, held, err)) == -1) {
		status_asks(status, (int)i, err);
		error_prefix(err, "sink %s, which may know an earlier life of the job, cannot be asked", sink->target);
		if (atomic_load(&stop->requested))
			return -1;
		if (strcmp(said.text, err->text) != 0)
			log_warn("the first start waits for a sink", "error=\"%s\"", err->text);
		said = *err;
		status_error(status, err);
		pause_ms(INSPECT_PAUSE_MS);
	}
	return answer < 0 ? error_prefix(err, "sink %s", sink->target) : 0;
}

int delivery_inspect(struct sink **sinks, size_t count, struct stop *stop, struct status *status,
                     struct sink_held *ret_held, struct error *err)
{
	int result = 0;

	status_sinks(status, sinks, count);
	for (size_t i = 0; i < count && !result; i++) {
		ret_held[i] = (struct sink_held){0};
		if (sinks[i]->ops->inspect)
			result = inspect_one(sinks, i, stop, status, &ret_held[i], err);
	}
	status_asks(status, -1, NULL);
	return result;
}
