#include "runtime/pipeline/status.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/data/civil.h"
#include "lib/process/watch.h"
#include "runtime/pipeline/functions.h"

void status_init(struct status *status, const struct jobspec *job, const struct clock *clock)
{
	memset(status, 0, sizeof(*status));
	pthread_mutex_init(&status->mutex, NULL);
	losses_init(&status->losses, job, clock);
	status->job = job;
	status->clock = clock;
	job_clock_init(&status->job_clock, clock);
	status->started_ms = clock_monotonic_ms(clock);
	recent_init(&status->recent, status->started_ms);
	atomic_store(&status->open_start_ms, INT64_MIN);
	atomic_store(&status->open_end_ms, INT64_MIN);
	atomic_store(&status->oldest_end_ms, INT64_MIN);
}

void status_release(struct status *status)
{
	for (size_t i = 0; i < status->sinks_count; i++)
		free(status->sinks[i].target);
	job_clock_release(&status->job_clock);
	losses_release(&status->losses);
	pthread_mutex_destroy(&status->mutex);
}

void status_phase(struct status *status, enum phase phase)
{
	atomic_store(&status->phase, phase);
}

void status_error(struct status *status, const struct error *err)
{
	pthread_mutex_lock(&status->mutex);
	status->last_error = err ? *err : (struct error){.text = ""};
	status->last_error_wall_ms = err ? clock_wall_ms(status->clock) : 0;
	pthread_mutex_unlock(&status->mutex);
}

void status_sink(struct status *status, struct sink_status *sink, const struct error *err)
{
	if (err && !sink->failing)
		sink->failing_wall_ms = clock_wall_ms(status->clock);
	sink->failing = err != NULL;
	if (err)
		sink->error = *err;
}

void status_sinks(struct status *status, struct sink *const *sinks, size_t count)
{
	pthread_mutex_lock(&status->mutex);
	for (size_t i = 0; i < status->sinks_count; i++)
		free(status->sinks[i].target);
	for (size_t i = 0; i < count; i++) {
		status->sinks[i].target = xstrdup(sinks[i]->target);
		status->sinks[i].opened = status->sinks[i].failing = false;
	}
	status->sinks_count = count;
	status->asked = NULL;
	pthread_mutex_unlock(&status->mutex);
}

void status_asks(struct status *status, int i, const struct error *err)
{
	struct sink_status *sink = i < 0 ? NULL : &status->sinks[i];

	pthread_mutex_lock(&status->mutex);
	if (sink && status->asked != sink)
		status->asked_wall_ms = clock_wall_ms(status->clock);
	status->asked = sink;
	if (sink)
		status_sink(status, sink, err);
	pthread_mutex_unlock(&status->mutex);
}

void status_functions(struct status *status, struct functions *functions)
{
	pthread_mutex_lock(&status->mutex);
	status->functions = functions;
	if (functions)
		functions->hide_values = !status->losses.show_values;
	pthread_mutex_unlock(&status->mutex);
}

void status_source(struct status *status, struct source *source, bool open)
{
	pthread_mutex_lock(&status->mutex);
	status->connecting = open ? NULL : source;
	status->source = open ? source : NULL;
	pthread_mutex_unlock(&status->mutex);
}

struct status_counts status_counts(const struct status *status)
{
	struct status_counts sum = {0};

	for (size_t l = 0; l < LANES_MAX; l++) {
		const struct lane_counts *lane = &status->lanes[l];

		sum.rows_in += atomic_load_explicit(&lane->rows_in, memory_order_relaxed);
		sum.filtered += atomic_load_explicit(&lane->filtered, memory_order_relaxed);
		sum.bad += atomic_load_explicit(&lane->bad, memory_order_relaxed);
		sum.bad_fields += atomic_load_explicit(&lane->bad_fields, memory_order_relaxed);
		sum.tombstones += atomic_load_explicit(&lane->tombstones, memory_order_relaxed);
		sum.late += atomic_load_explicit(&lane->late, memory_order_relaxed);
		sum.dropped += atomic_load_explicit(&lane->dropped, memory_order_relaxed);
		sum.dead_lettered += atomic_load_explicit(&lane->dead_lettered, memory_order_relaxed);
	}
	return sum;
}

int64_t status_lag(struct status *status, int64_t *ret_in_windows)
{
	struct partition_status *partitions = xmalloc(STATUS_PARTITIONS_MAX * sizeof(*partitions));
	int64_t lag = -1, in_windows = 0;
	size_t count = 0;

	pthread_mutex_lock(&status->mutex);
	if (status->source)
		count = status->source->ops->status(status->source, partitions, STATUS_PARTITIONS_MAX);
	pthread_mutex_unlock(&status->mutex);
	for (size_t i = 0; i < count; i++) {
		if (partitions[i].end < 0 || partitions[i].committed < 0)
			continue;
		lag = (lag < 0 ? 0 : lag) + partitions[i].end - partitions[i].committed;
		if (partitions[i].position > partitions[i].committed)
			in_windows += partitions[i].position - partitions[i].committed;
	}
	free(partitions);
	*ret_in_windows = in_windows;
	return lag;
}

/* Offsets and all other sinks wait for it: which, since when, and why. */
static int sink_fails(const struct sink_status *sink, struct error *err)
{
	struct buffer since;

	buffer_init(&since);
	civil_format(&since, sink->failing_wall_ms);
	error_write(err, "sink %s, since %.*s: %s", sink->target, SLICE_ARG(buffer_slice(&since)), sink->error.text);
	buffer_release(&since);
	return -1;
}

static int sinks_ready(struct status *status, struct error *err)
{
	int result = 0;

	pthread_mutex_lock(&status->mutex);
	for (size_t i = 0; i < status->sinks_count && !result; i++) {
		const struct sink_status *sink = &status->sinks[i];

		if (sink->failing)
			result = sink_fails(sink, err);
		else if (!sink->opened)
			result = error_set(err, "sink %s is not open yet", sink->target);
	}
	pthread_mutex_unlock(&status->mutex);
	return result;
}

static int functions_ready(struct status *status, struct error *err)
{
	int result;

	pthread_mutex_lock(&status->mutex);
	result = status->functions ? functions_healthy(status->functions, err) : 0;
	pthread_mutex_unlock(&status->mutex);
	return result;
}

static int source_ready(struct status *status, struct error *err)
{
	struct source *source;
	int result = 0;

	pthread_mutex_lock(&status->mutex);
	source = status->source ? status->source : status->connecting;
	if (source)
		result = source->ops->healthy(source, err);
	if (!status->source && !result)
		result = error_set(err, "the source is not connected yet");
	pthread_mutex_unlock(&status->mutex);
	return result;
}

/* The source is open, and a first start waits for what a sink knows. */
static int asked_ready(struct status *status, struct error *err)
{
	struct buffer since;
	int result = 0;

	buffer_init(&since);
	pthread_mutex_lock(&status->mutex);
	if (status->asked) {
		civil_format(&since, status->asked_wall_ms);
		result = error_set(
		        err, "a first start asks sink %s since %s whether it knows an earlier life of the job: %s",
		        status->asked->target, since.data,
		        status->asked->failing ? status->asked->error.text : "no answer yet");
	}
	pthread_mutex_unlock(&status->mutex);
	buffer_release(&since);
	return result;
}

static int clock_ready(int64_t ahead_ms, struct error *err)
{
	if (ahead_ms <= CLOCK_AHEAD_MS_MAX)
		return 0;
	return error_set(
	        err,
	        "the machine's clock was set back or stands still: the windows' times are %lld s ahead of it, and "
	        "come back to it slowly; restart the job to go by it at once",
	        (long long)(ahead_ms / 1000));
}

enum input_state status_input(struct status *status, const char **ret_reason, struct error *ret_message)
{
	return losses_input(&status->losses, status_counts(status).rows_in, status->job->limits.bad_row_share,
	                    ret_reason, ret_message);
}

static int judge_ready(struct status *status, struct error *err)
{
	const char *reason;
	struct watch_stuck stuck;
	enum phase phase = (enum phase)atomic_load(&status->phase);
	int64_t oldest_end_ms = atomic_load(&status->oldest_end_ms);
	int64_t ahead_ms = job_clock_ahead_ms(&status->job_clock), now_ms = clock_wall_ms(status->clock) + ahead_ms;

	if (phase == PHASE_COMPLETED)
		return 0;
	if (phase == PHASE_FAILED || phase == PHASE_INCOMPLETE) {
		pthread_mutex_lock(&status->mutex);
		*err = status->last_error;
		pthread_mutex_unlock(&status->mutex);
		return NOT_READY_FAILED;
	}
	if (watch_moving(clock_monotonic_ms(status->clock), &stuck, err) < 0)
		return stuck.part == WATCH_FUNCTION ? NOT_READY_FUNCTION
		       : stuck.part == WATCH_SOURCE ? NOT_READY_SOURCE
		                                    : NOT_READY_SINK;
	if (phase == PHASE_STOPPED) {
		pthread_mutex_lock(&status->mutex);
		error_write(err, "the job has stopped reading, and its offsets stay: %s", status->last_error.text);
		pthread_mutex_unlock(&status->mutex);
		return NOT_READY_FUNCTION;
	}
	if (functions_ready(status, err) < 0)
		return NOT_READY_FUNCTION;
	if (asked_ready(status, err) < 0)
		return NOT_READY_SINK;
	if (source_ready(status, err) < 0)
		return NOT_READY_SOURCE;
	if (sinks_ready(status, err) < 0)
		return NOT_READY_SINK;
	if (phase != PHASE_RUNNING && phase != PHASE_REPLAYING) {
		error_write(err, "the job is %s",
		            phase == PHASE_RESTARTING ? "restarting"
		            : phase < PHASE_RUNNING   ? "starting"
		                                      : "ending");
		return phase < PHASE_RUNNING || phase == PHASE_RESTARTING ? NOT_READY_STARTING : NOT_READY_DRAINING;
	}
	if (clock_ready(ahead_ms, err) < 0)
		return NOT_READY_CLOCK;
	if (status_input(status, &reason, err) == INPUT_ALL_BAD)
		return NOT_READY_INPUT;
	if (oldest_end_ms != INT64_MIN && now_ms > oldest_end_ms + WINDOW_OVERDUE_MS) {
		error_write(err, "a window is overdue: it ended %lld ms ago and is not accepted by every sink",
		            (long long)(now_ms - oldest_end_ms));
		return NOT_READY_WINDOW;
	}
	return 0;
}

int status_ready(struct status *status, struct error *err)
{
	int part = judge_ready(status, err);

	if (!status->finishing[0])
		return part;
	if (part)
		error_prefix(err, "%s", status->finishing);
	else
		error_write(err, "%s", status->finishing);
	return part ? part : NOT_READY_STARTING;
}
