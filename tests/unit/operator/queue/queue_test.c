#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/process/system_clock.h"
#include "operator/queue/queue.h"

#define WORKERS 4
#define KEYS    50
#define ADDS    20000

static const struct queue_options options = {.name = "test", .clock = &system_clock, .rate = 1e6, .burst = 1e6};

/* What the workers must never see: one key in two hands, or an add that nobody worked on after it. */
struct shared {
	struct queue *queue;
	_Atomic int in_work[KEYS];
	_Atomic int added[KEYS], seen[KEYS];
	_Atomic int clashes;
};

static void *work(void *context)
{
	struct shared *shared = context;

	for (char *name; (name = queue_get(shared->queue)); free(name)) {
		int key = (int)strtol(name, NULL, 10);

		if (atomic_fetch_add(&shared->in_work[key], 1))
			atomic_fetch_add(&shared->clashes, 1);
		atomic_store(&shared->seen[key], atomic_load(&shared->added[key]));
		atomic_fetch_sub(&shared->in_work[key], 1);
		if (key % 7 == 0 && queue_requeues(shared->queue, name) < 3)
			queue_add_rate_limited(shared->queue, name);
		else
			queue_forget(shared->queue, name);
		queue_done(shared->queue, name);
	}
	return NULL;
}

static void threads_test(void **state)
{
	static struct shared shared;
	pthread_t workers[WORKERS];
	char name[16];

	(void)state;
	shared.queue = queue_new(&options);
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&workers[i], NULL, work, &shared);
	for (int i = 0; i < ADDS; i++) {
		int key = i * 31 % KEYS;

		snprintf(name, sizeof(name), "%d", key);
		atomic_fetch_add(&shared.added[key], 1);
		if (i % 3)
			queue_add(shared.queue, name);
		else
			queue_add_after(shared.queue, name, i % 2);
	}
	for (int key = 0; key < KEYS; key++) { /* a last add of each, at once, before the end */
		snprintf(name, sizeof(name), "%d", key);
		queue_add(shared.queue, name);
	}
	queue_shut_down(shared.queue, true);
	assert_int_equal(queue_longest_running_ms(shared.queue), 0);
	assert_int_equal(queue_depth(shared.queue), 0);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	assert_int_equal(shared.clashes, 0);
	for (int key = 0; key < KEYS; key++)
		if (shared.seen[key] != shared.added[key])
			fail_msg("key %d: worked on after %d of %d adds", key, shared.seen[key], shared.added[key]);
	queue_free(shared.queue);
}

static void *slow_worker(void *context)
{
	struct queue *queue = context;
	char *name = queue_get(queue);

	nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	queue_done(queue, name);
	free(name);
	return NULL;
}

/* Draining waits for what is in work; what was only delayed is dropped, and nothing is taken in any more. */
static void drain_test(void **state)
{
	struct queue *queue = queue_new(&options);
	pthread_t worker;

	(void)state;
	queue_add(queue, "a");
	queue_add_after(queue, "later", 60000);
	pthread_create(&worker, NULL, slow_worker, queue);
	while (queue_depth(queue))
		sched_yield();
	queue_shut_down(queue, true);
	assert_int_equal(queue_longest_running_ms(queue), 0);
	queue_add(queue, "b");
	queue_add_after(queue, "b", 0);
	queue_add_rate_limited(queue, "b");
	assert_null(queue_get(queue));
	pthread_join(worker, NULL);
	queue_free(queue);
}

static void metrics_test(void **state)
{
	static const char *const lines[] = {
	        "workqueue_depth{name=\"test\"} 1\n",
	        "workqueue_adds_total{name=\"test\"} 2\n",
	        "workqueue_retries_total{name=\"test\"} 1\n",
	        "# TYPE workqueue_queue_duration_seconds histogram\n",
	        "workqueue_queue_duration_seconds_count{name=\"test\"} 1\n",
	        "workqueue_work_duration_seconds_bucket{le=\"+Inf\",name=\"test\"} 1\n",
	        "workqueue_unfinished_work_seconds{name=\"test\"} 0\n",
	        "workqueue_longest_running_processor_seconds{name=\"test\"} 0\n",
	};
	struct queue *queue = queue_new(&options);
	struct buffer out;
	char *name;

	(void)state;
	buffer_init(&out);
	queue_add(queue, "a");
	name = queue_get(queue);
	queue_add_rate_limited(queue, name);
	queue_done(queue, name);
	queue_add(queue, "b");
	queue_metrics(queue, &out);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strstr(out.data, lines[i]))
			fail_msg("no line %sin\n%s", lines[i], out.data);
	free(name);
	buffer_release(&out);
	queue_free(queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(threads_test), cmocka_unit_test(drain_test),
	                                   cmocka_unit_test(metrics_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
