/*
 * The backlog under one mutex. Workers wait on one condition until a key is in the line or the next delayed one is due.
 */
#include "operator/queue/queue.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/metrics/metrics.h"
#include "lib/process/condition.h"
#include "operator/queue/backlog.h"

#define WAIT_MS_MAX   60000
#define SECONDS_COUNT 11 /* client-go's buckets: 10 ns to 1000 s by tens; ours from 1 ms */

struct seconds {
	uint64_t buckets[SECONDS_COUNT + 1];
	double sum_s;
};

struct queue {
	const char *name;
	const struct clock *clock;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a key in the line, an earlier delay, or the end */
	pthread_cond_t drained;
	struct backlog backlog;
	bool shut;
	struct seconds waited, worked;
};

static const double bucket_s[SECONDS_COUNT] = {1e-3, 5e-3, 1e-2, 5e-2, 0.1, 0.5, 1, 5, 10, 100, 1000};

static int64_t now_ms(const struct queue *queue)
{
	return clock_monotonic_ms(queue->clock);
}

static void observe(struct seconds *seconds, int64_t ms)
{
	double s = (double)ms / 1000;
	int bucket = 0;

	while (bucket < SECONDS_COUNT && s > bucket_s[bucket])
		bucket++;
	seconds->buckets[bucket]++;
	seconds->sum_s += s;
}

struct queue *queue_new(const struct queue_options *options)
{
	struct queue *queue = xcalloc(1, sizeof(*queue));
	struct backlog *backlog = &queue->backlog;

	queue->name = options->name;
	queue->clock = options->clock;
	backlog->backoff_ms_min = options->backoff_ms_min ? options->backoff_ms_min : 5;
	backlog->backoff_ms_max = options->backoff_ms_max ? options->backoff_ms_max : 1000000;
	backlog->rate_ms = (options->rate > 0 ? options->rate : 10) / 1000;
	backlog->burst = options->burst > 0 ? options->burst : 100;
	pthread_mutex_init(&queue->lock, NULL);
	condition_init(&queue->changed);
	condition_init(&queue->drained);
	backlog_init(backlog, now_ms(queue));
	return queue;
}

void queue_free(struct queue *queue)
{
	if (!queue)
		return;
	backlog_release(&queue->backlog);
	pthread_cond_destroy(&queue->changed);
	pthread_cond_destroy(&queue->drained);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

void queue_add(struct queue *queue, const char *name)
{
	struct key *key;

	pthread_mutex_lock(&queue->lock);
	key = queue->shut ? NULL : backlog_find(&queue->backlog, name, true);
	if (key) {
		backlog_add(&queue->backlog, key, now_ms(queue));
		pthread_cond_signal(&queue->changed);
	}
	pthread_mutex_unlock(&queue->lock);
}

static void delay(struct queue *queue, struct key *key, int64_t delay_ms)
{
	int64_t now = now_ms(queue);

	if (delay_ms <= 0)
		backlog_add(&queue->backlog, key, now);
	else
		backlog_delay(&queue->backlog, key, now + delay_ms);
	pthread_cond_signal(&queue->changed);
}

void queue_add_after(struct queue *queue, const char *name, int64_t delay_ms)
{
	struct key *key;

	pthread_mutex_lock(&queue->lock);
	key = queue->shut ? NULL : backlog_find(&queue->backlog, name, true);
	if (key)
		delay(queue, key, delay_ms);
	pthread_mutex_unlock(&queue->lock);
}

void queue_add_rate_limited(struct queue *queue, const char *name)
{
	struct key *key;

	pthread_mutex_lock(&queue->lock);
	key = queue->shut ? NULL : backlog_find(&queue->backlog, name, true);
	if (key)
		delay(queue, key, backlog_penalty(&queue->backlog, key, now_ms(queue)));
	pthread_mutex_unlock(&queue->lock);
}

void queue_forget(struct queue *queue, const char *name)
{
	struct key *key;

	pthread_mutex_lock(&queue->lock);
	key = backlog_find(&queue->backlog, name, false);
	if (key)
		backlog_forget(&queue->backlog, key);
	pthread_mutex_unlock(&queue->lock);
}

unsigned queue_requeues(struct queue *queue, const char *name)
{
	const struct key *key;
	unsigned failures;

	pthread_mutex_lock(&queue->lock);
	key = backlog_find(&queue->backlog, name, false);
	failures = key ? key->failures : 0;
	pthread_mutex_unlock(&queue->lock);
	return failures;
}

static void wait_until(struct queue *queue, int64_t due_ms)
{
	int64_t left = due_ms == INT64_MAX ? WAIT_MS_MAX : due_ms - now_ms(queue);
	struct timespec until = condition_deadline(left > WAIT_MS_MAX ? WAIT_MS_MAX : left > 0 ? left : 0);

	pthread_cond_timedwait(&queue->changed, &queue->lock, &until);
}

char *queue_get(struct queue *queue)
{
	char *name = NULL;

	pthread_mutex_lock(&queue->lock);
	for (;;) {
		int64_t now = now_ms(queue), due_ms = backlog_wake(&queue->backlog, now);
		struct key *key = backlog_take(&queue->backlog, now);

		if (key) {
			observe(&queue->waited, now - key->added_ms);
			name = xstrdup(key->name);
			break;
		}
		if (queue->shut)
			break;
		wait_until(queue, due_ms);
	}
	/* Of what became due at once only this thread knows: the others are told. */
	if (queue->backlog.depth)
		pthread_cond_signal(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
	return name;
}

void queue_done(struct queue *queue, const char *name)
{
	struct key *key;

	pthread_mutex_lock(&queue->lock);
	key = backlog_find(&queue->backlog, name, false);
	if (key && key->working) {
		observe(&queue->worked, now_ms(queue) - key->begun_ms);
		if (backlog_done(&queue->backlog, key))
			pthread_cond_signal(&queue->changed);
		if (!queue->backlog.working)
			pthread_cond_broadcast(&queue->drained);
	}
	pthread_mutex_unlock(&queue->lock);
}

void queue_shut_down(struct queue *queue, bool drain)
{
	pthread_mutex_lock(&queue->lock);
	queue->shut = true;
	backlog_drop_delayed(&queue->backlog);
	pthread_cond_broadcast(&queue->changed);
	while (drain && (queue->backlog.working || queue->backlog.depth))
		pthread_cond_wait(&queue->drained, &queue->lock);
	pthread_mutex_unlock(&queue->lock);
}

size_t queue_depth(struct queue *queue)
{
	size_t depth;

	pthread_mutex_lock(&queue->lock);
	depth = queue->backlog.depth;
	pthread_mutex_unlock(&queue->lock);
	return depth;
}

/* Over the keys in work: the longest time, and all of it. */
static int64_t running_ms(const struct queue *queue, int64_t *ret_total_ms)
{
	int64_t now = now_ms(queue), longest = 0;

	*ret_total_ms = 0;
	for (size_t i = 0; queue->backlog.working && i < queue->backlog.buckets_count; i++) {
		for (const struct key *key = queue->backlog.buckets[i]; key; key = key->next_hash) {
			if (!key->working)
				continue;
			*ret_total_ms += now - key->begun_ms;
			longest = now - key->begun_ms > longest ? now - key->begun_ms : longest;
		}
	}
	return longest;
}

int64_t queue_longest_running_ms(struct queue *queue)
{
	int64_t longest, total;

	pthread_mutex_lock(&queue->lock);
	longest = running_ms(queue, &total);
	pthread_mutex_unlock(&queue->lock);
	return longest;
}

static void write_sample(struct buffer *out, const struct queue *queue, const char *name, const char *le, double value)
{
	buffer_printf(out, "workqueue_%s{", name);
	if (le)
		metrics_label(out, true, "le", slice_of(le));
	metrics_label(out, !le, "name", slice_of(queue->name));
	buffer_append_char(out, '}');
	metrics_number(out, value);
}

static void write_one(struct buffer *out, const struct queue *queue, const char *name, const char *type,
                      const char *help, double value)
{
	char family[80];

	snprintf(family, sizeof(family), "workqueue_%s", name);
	metrics_family(out, family, type, help);
	write_sample(out, queue, name, NULL, value);
}

static void write_seconds(struct buffer *out, const struct queue *queue, const char *name, const char *help,
                          const struct seconds *seconds)
{
	char full[80], le[32];
	uint64_t count = 0;

	snprintf(full, sizeof(full), "workqueue_%s", name);
	metrics_family(out, full, "histogram", help);
	snprintf(full, sizeof(full), "%s_bucket", name);
	for (int bucket = 0; bucket <= SECONDS_COUNT; bucket++) {
		count += seconds->buckets[bucket];
		snprintf(le, sizeof(le), "+Inf");
		if (bucket < SECONDS_COUNT)
			snprintf(le, sizeof(le), "%g", bucket_s[bucket]);
		write_sample(out, queue, full, le, (double)count);
	}
	snprintf(full, sizeof(full), "%s_sum", name);
	write_sample(out, queue, full, NULL, seconds->sum_s);
	snprintf(full, sizeof(full), "%s_count", name);
	write_sample(out, queue, full, NULL, (double)count);
}

void queue_metrics(struct queue *queue, struct buffer *out)
{
	int64_t longest_ms, total_ms;

	pthread_mutex_lock(&queue->lock);
	longest_ms = running_ms(queue, &total_ms);
	write_one(out, queue, "depth", "gauge", "Keys that wait.", (double)queue->backlog.depth);
	write_one(out, queue, "adds_total", "counter", "Keys that were put into the line.",
	          (double)queue->backlog.adds);
	write_one(out, queue, "retries_total", "counter", "Rate-limited adds.", (double)queue->backlog.retries);
	write_one(out, queue, "dropped_total", "counter", "Adds that were refused since there were too many keys.",
	          (double)queue->backlog.dropped);
	write_one(out, queue, "unfinished_work_seconds", "gauge", "How long all keys in work have been so, summed.",
	          (double)total_ms / 1000);
	write_one(out, queue, "longest_running_processor_seconds", "gauge",
	          "How long the key that is longest in work has been so.", (double)longest_ms / 1000);
	write_seconds(out, queue, "queue_duration_seconds", "How long keys waited in the line.", &queue->waited);
	write_seconds(out, queue, "work_duration_seconds", "How long the work on a key took.", &queue->worked);
	pthread_mutex_unlock(&queue->lock);
}
