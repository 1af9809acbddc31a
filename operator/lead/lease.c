/*
 * One thread: look, write, wait. A round is a GET and a write, or the write alone while the version written last is
 * known; a conflict makes the round look again.
 */
#include "operator/lead/lease.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/memory.h"
#include "lib/process/latch.h"
#include "operator/lead/election.h"

#define ROUND_WRITES_MAX 2
#define GIVE_UP_MS_MAX   3000
#define REQUEST_MS_MIN   100

static const struct kube_resource leases = {"/apis/coordination.k8s.io/v1", "leases"};

struct lease {
	struct lease_options options;
	char *namespace, *name, *identity;
	struct kube_client *client;
	pthread_t thread;
	struct latch stopping;
	_Atomic int64_t writable_until_ms; /* 0: not the leader */
	/* The thread's own, and lease_stop's after it. */
	struct election election;
	json_t *object; /* as written last; NULL: look first */
	bool leading;
	int64_t renewed_ms; /* when the last renewal that succeeded was sent */
	uint64_t random;
	char *leader_seen;
};

static int64_t now_ms(const struct lease *lease)
{
	return clock_monotonic_ms(lease->options.clock);
}

static int64_t wall_ms(const struct lease *lease)
{
	return clock_wall_ms(lease->options.clock);
}

static void keep_object(struct lease *lease, json_t *object)
{
	json_decref(lease->object);
	lease->object = object;
}

static void say_leader(struct lease *lease, const char *holder)
{
	if (lease->leader_seen && strcmp(lease->leader_seen, holder) == 0)
		return;
	free(lease->leader_seen);
	lease->leader_seen = xstrdup(holder);
	if (*holder && lease->options.leader)
		lease->options.leader(lease->options.context, holder, strcmp(holder, lease->identity) == 0);
}

static void on_written(struct lease *lease, json_t *object, int64_t sent_ms)
{
	const struct lease_limits *limits = &lease->options.limits;
	bool before = lease->leading;

	keep_object(lease, object);
	lease->renewed_ms = sent_ms;
	lease->leading = true;
	atomic_store(&lease->writable_until_ms, sent_ms + limits->duration_ms - limits->margin_ms);
	say_leader(lease, lease->identity);
	if (!before)
		lease->options.acquired(lease->options.context);
}

/* While it leads, a request may not outlast the time that is left to renew; half of it leaves room for another. */
static void set_timeout(struct lease *lease)
{
	int64_t left = lease->options.limits.renew_ms;

	if (lease->leading)
		left = lease->renewed_ms + lease->options.limits.renew_ms - now_ms(lease);
	left /= 2;
	kube_client_set_timeout(lease->client, left > REQUEST_MS_MIN ? left : REQUEST_MS_MIN);
}

static int look(struct lease *lease, struct kube_error *err)
{
	json_t *object;

	set_timeout(lease);
	if (kube_get(lease->client, &leases, lease->namespace, lease->name, &object, err) < 0) {
		if (err->reason != KUBE_NOT_FOUND)
			return -1;
		object = NULL;
	}
	keep_object(lease, object);
	return 0;
}

static int write_record(struct lease *lease, enum election_move move, struct kube_error *err)
{
	json_t *record =
	        election_record(&lease->election, lease->object, lease->namespace, lease->name, wall_ms(lease));
	json_t *written = NULL;
	int64_t sent_ms = now_ms(lease);
	int failed;

	set_timeout(lease);
	if (move == ELECTION_CREATE)
		failed = kube_create(lease->client, &leases, lease->namespace, record, &written, err);
	else
		failed = kube_replace(lease->client, &leases, lease->namespace, lease->name, record, &written, err);
	json_decref(record);
	if (!failed)
		on_written(lease, written, sent_ms);
	else
		keep_object(lease, NULL); /* it may have been written all the same: look */
	return failed;
}

static bool raced(enum kube_reason reason)
{
	return reason == KUBE_CONFLICT || reason == KUBE_ALREADY_EXISTS || reason == KUBE_NOT_FOUND;
}

/* 1: leads, 0: another does, -1: the attempt failed. */
static int round_once(struct lease *lease, struct kube_error *err)
{
	for (int writes = 1;; writes++) {
		enum election_move move;

		if (!lease->object && look(lease, err) < 0)
			return -1;
		move = election_look(&lease->election, lease->object, now_ms(lease));
		say_leader(lease, election_holder(lease->object));
		if (move == ELECTION_WAIT) {
			keep_object(lease, NULL);
			return 0;
		}
		if (write_record(lease, move, err) == 0)
			return 1;
		if (!raced(err->reason) || writes == ROUND_WRITES_MAX)
			return -1;
	}
}

static int64_t retry_ms(struct lease *lease)
{
	int64_t ms = lease->options.limits.retry_ms, left;

	ms += (int64_t)(hash_next(&lease->random) % (uint64_t)(ms / 5 + 1));
	if (lease->leading) {
		left = lease->renewed_ms + lease->options.limits.renew_ms - now_ms(lease);
		ms = left < ms ? left : ms;
	}
	return ms > 0 ? ms : 0;
}

static void *run(void *context)
{
	struct lease *lease = context;
	struct kube_error err;

	do {
		int outcome = round_once(lease, &err);

		if (outcome < 0 && err.reason == KUBE_CANCELLED)
			break;
		if (outcome < 0 && lease->options.trouble)
			lease->options.trouble(lease->options.context, &err);
		if (lease->leading &&
		    (outcome == 0 || now_ms(lease) - lease->renewed_ms >= lease->options.limits.renew_ms)) {
			lease->leading = false;
			atomic_store(&lease->writable_until_ms, 0);
			lease->options.lost(lease->options.context);
			break;
		}
	} while (!latch_wait(&lease->stopping, retry_ms(lease)));
	return NULL;
}

static int check_limits(struct lease_limits *limits, struct error *err)
{
	limits->duration_ms = limits->duration_ms ? limits->duration_ms : 15000;
	limits->renew_ms = limits->renew_ms ? limits->renew_ms : 10000;
	limits->retry_ms = limits->retry_ms ? limits->retry_ms : 2000;
	limits->margin_ms = limits->margin_ms ? limits->margin_ms : 1000;
	if (limits->duration_ms < 1000 || limits->duration_ms % 1000)
		return error_set(err, "the lease's duration is %lld ms; it must be whole seconds, at least one",
		                 (long long)limits->duration_ms);
	if (limits->renew_ms >= limits->duration_ms - limits->margin_ms)
		return error_set(
		        err,
		        "the lease's renew deadline of %lld ms must be less than its duration of %lld ms less a "
		        "margin of %lld ms",
		        (long long)limits->renew_ms, (long long)limits->duration_ms, (long long)limits->margin_ms);
	/* Jitter adds a fifth. */
	if (limits->retry_ms <= 0 || limits->retry_ms + limits->retry_ms / 5 >= limits->renew_ms)
		return error_set(
		        err,
		        "the lease's retry period of %lld ms, and a fifth more, must be less than its renew deadline "
		        "of %lld ms",
		        (long long)limits->retry_ms, (long long)limits->renew_ms);
	return 0;
}

int lease_start(const struct lease_options *options, struct lease **ret_lease, struct error *err)
{
	struct lease_limits limits = options->limits;
	struct lease *lease;

	if (check_limits(&limits, err) < 0)
		return -1;
	lease = xcalloc(1, sizeof(*lease));
	lease->options = *options;
	lease->options.limits = limits;
	lease->namespace = xstrdup(options->namespace);
	lease->name = xstrdup(options->name);
	lease->identity = xstrdup(options->identity);
	lease->election = (struct election){.identity = lease->identity, .duration_ms = limits.duration_ms};
	lease->client = kube_client_new(options->cluster);
	lease->random = hash_bytes(lease->identity, strlen(lease->identity));
	latch_init(&lease->stopping);
	/* Before the thread: its callbacks may ask for the lease. */
	*ret_lease = lease;
	if (pthread_create(&lease->thread, NULL, run, lease) != 0)
		memory_exhausted();
	return 0;
}

int64_t lease_writable_ms(void *lease)
{
	struct lease *self = lease;
	int64_t until_ms = atomic_load(&self->writable_until_ms), left = until_ms - now_ms(self);

	return until_ms && left > 0 ? left : 0;
}

bool lease_is_leader(struct lease *lease)
{
	return lease_writable_ms(lease) > 0;
}

/* On a client of its own: the thread's was cancelled. Best effort: the lease runs out anyway. */
static void give_up(struct lease *lease)
{
	struct kube_client *client = kube_client_new(lease->options.cluster);
	struct kube_error err;
	json_t *object = NULL, *record;

	kube_client_set_timeout(client, GIVE_UP_MS_MAX);
	/* What was written last may be out of date by a renewal that was cut off. */
	if (kube_get(client, &leases, lease->namespace, lease->name, &object, &err) == 0 &&
	    strcmp(election_holder(object), lease->identity) == 0) {
		record = election_give_up(object, wall_ms(lease));
		if (kube_replace(client, &leases, lease->namespace, lease->name, record, NULL, &err) < 0 &&
		    lease->options.trouble)
			lease->options.trouble(lease->options.context, &err);
		json_decref(record);
	}
	json_decref(object);
	kube_client_free(client);
}

void lease_stop(struct lease *lease, bool release)
{
	if (!lease)
		return;
	latch_open(&lease->stopping);
	kube_client_cancel(lease->client);
	pthread_join(lease->thread, NULL);
	atomic_store(&lease->writable_until_ms, 0);
	if (release && lease->leading)
		give_up(lease);
	kube_client_free(lease->client);
	latch_release(&lease->stopping);
	election_release(&lease->election);
	json_decref(lease->object);
	free(lease->namespace);
	free(lease->name);
	free(lease->identity);
	free(lease->leader_seen);
	free(lease);
}
