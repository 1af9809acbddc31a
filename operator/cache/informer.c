#include "operator/cache/informer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/memory.h"
#include "lib/process/latch.h"
#include "operator/cache/backoff.h"

struct informer {
	struct informer_options options;
	char *root, *plural, *namespace, *label_selector;
	struct kube_client *client;
	pthread_t thread;
	struct latch stopping;
	_Atomic uint64_t wanted, had; /* lists that were asked for, and those of them that the store has had */
	_Atomic uint64_t lists, watches, events, failures;
	_Atomic int64_t alive_ms;
	struct backoff backoff;
	/* The thread's own. */
	char *version; /* NULL: a list is due */
	uint64_t round;
	int64_t listed_ms, room_ms; /* room_ms: 0 while the store lacks nothing */
	uint64_t watch_events;      /* of this watch */
	bool troubled;
};

static int64_t now_ms(const struct informer *informer)
{
	return clock_monotonic_ms(informer->options.clock);
}

static void say_change(struct informer *informer, enum change change, const json_t *before, const json_t *after)
{
	informer->options.changed(informer->options.context, change, before, after);
}

static void say_trouble(struct informer *informer, const struct kube_error *why)
{
	if (!why && !informer->troubled)
		return;
	informer->troubled = why != NULL;
	if (informer->options.trouble)
		informer->options.trouble(informer->options.context, why);
}

static void trim(struct informer *informer, json_t *object)
{
	json_object_del(json_object_get(object, "metadata"), "managedFields");
	if (informer->options.trim)
		informer->options.trim(informer->options.context, object);
}

static const char *metadata_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(json_object_get(object, "metadata"), key));
}

/* A UID that is not the stored one's: the deletion of a predecessor, which is gone already. */
static void take_out(struct informer *informer, const json_t *object, const char *uid)
{
	const char *name = metadata_text(object, "name");
	json_t *before;

	if (!name)
		return;
	before = store_remove(informer->options.store, metadata_text(object, "namespace"), name, uid);
	if (before)
		say_change(informer, CHANGE_DELETED, before, NULL);
	json_decref(before);
}

/* What the last put took out for others, or could not take in. */
static void say_left_out(struct informer *informer)
{
	json_t *gone;
	char *namespace;

	while ((gone = store_take_evicted(informer->options.store))) {
		say_change(informer, CHANGE_DELETED, gone, NULL);
		json_decref(gone);
	}
	while ((namespace = store_newly_short(informer->options.store))) {
		if (informer->options.left_out)
			informer->options.left_out(informer->options.context, namespace);
		free(namespace);
	}
}

/* An object as it is now, from a list or an event. */
static int put(struct informer *informer, json_t *object, struct kube_error *err)
{
	json_t *before = NULL;
	struct error why;

	if (informer->options.wanted && !informer->options.wanted(informer->options.context, object)) {
		take_out(informer, object, NULL);
		return 0;
	}
	trim(informer, object);
	switch (store_put(informer->options.store, object, informer->round, &before, &why)) {
	case STORE_REFUSED:
		return kube_fail(err, KUBE_TOO_LARGE, "%s/%s: %s", informer->root, informer->plural, why.text);
	case STORE_SAME:
		break;
	case STORE_ADDED:
		say_change(informer, CHANGE_ADDED, NULL, object);
		break;
	case STORE_CHANGED:
		say_change(informer, CHANGE_UPDATED, before, object);
		break;
	case STORE_REPLACED:
		say_change(informer, CHANGE_DELETED, before, NULL);
		say_change(informer, CHANGE_ADDED, NULL, object);
		break;
	case STORE_LEFT_OUT:
		if (before)
			say_change(informer, CHANGE_DELETED, before, NULL);
		break;
	}
	json_decref(before);
	say_left_out(informer);
	return 0;
}

static int on_item(void *context, json_t *object, struct kube_error *err)
{
	struct informer *informer = context;
	int failed = put(informer, object, err);

	json_decref(object);
	atomic_store(&informer->alive_ms, now_ms(informer));
	return failed;
}

static void take_unseen(struct informer *informer)
{
	json_t *before;

	while ((before = store_take_unseen(informer->options.store, informer->namespace, informer->round))) {
		say_change(informer, CHANGE_DELETED, before, NULL);
		json_decref(before);
	}
}

static void set_room_ms(struct informer *informer)
{
	const struct informer_limits *limits = &informer->options.limits;

	if (!store_left_out(informer->options.store, informer->namespace))
		informer->room_ms = 0;
	else if (!informer->room_ms)
		informer->room_ms = limits->room_ms_min;
	else
		informer->room_ms =
		        informer->room_ms < limits->room_ms_max / 2 ? informer->room_ms * 2 : limits->room_ms_max;
}

/* An event, or another namespace's informer, may have cost the store objects since the last list. */
static void look_for_lack(struct informer *informer)
{
	if (!informer->room_ms && store_left_out(informer->options.store, informer->namespace))
		informer->room_ms = informer->options.limits.room_ms_min;
}

/* After so long a list is due for its age; 0: never. */
static int64_t list_age_ms(const struct informer *informer)
{
	int64_t relist_ms = informer->options.limits.relist_ms, room_ms = informer->room_ms;

	return !room_ms || (relist_ms && relist_ms < room_ms) ? relist_ms : room_ms;
}

static int list(struct informer *informer, struct kube_error *err)
{
	struct kube_selection selection = {.label_selector = informer->label_selector,
	                                   .metadata_only = informer->options.metadata_only,
	                                   .limit = informer->options.limits.list_limit};
	uint64_t wanted = atomic_load(&informer->wanted);
	char *version;

	informer->round++;
	store_list_begins(informer->options.store, informer->namespace);
	atomic_fetch_add(&informer->lists, 1);
	if (kube_list(informer->client, &informer->options.resource, informer->namespace, &selection, on_item, informer,
	              &version, err) < 0)
		return -1;
	take_unseen(informer);
	store_list_ends(informer->options.store, informer->namespace);
	set_room_ms(informer);
	free(informer->version);
	informer->version = version;
	informer->listed_ms = now_ms(informer);
	atomic_store(&informer->had, wanted);
	return 0;
}

static int on_event(void *context, enum kube_event event, json_t *object, struct kube_error *err)
{
	struct informer *informer = context;
	const char *version = metadata_text(object, "resourceVersion");

	atomic_store(&informer->alive_ms, now_ms(informer));
	atomic_fetch_add(&informer->events, 1);
	informer->watch_events++;
	if ((event == KUBE_EVENT_ADDED || event == KUBE_EVENT_MODIFIED) && put(informer, object, err) < 0)
		return -1;
	if (event == KUBE_EVENT_DELETED)
		take_out(informer, object, metadata_text(object, "uid"));
	/* Of an event whose type is unknown the version is not known to be one. */
	if (event != KUBE_EVENT_UNKNOWN && version) {
		free(informer->version);
		informer->version = xstrdup(version);
	}
	return 0;
}

static void on_opened(void *context)
{
	say_trouble(context, NULL);
}

/* How long until a list is due for its age; at least a second. */
static int64_t watch_s(struct informer *informer)
{
	const struct informer_limits *limits = &informer->options.limits;
	int64_t ms = backoff_less_fifth(&informer->backoff, (int64_t)limits->watch_server_s * 1000), left;

	if (list_age_ms(informer)) {
		left = informer->listed_ms + list_age_ms(informer) - now_ms(informer);
		ms = left < ms ? left : ms;
	}
	return ms < 1000 ? 1 : ms / 1000;
}

static int watch(struct informer *informer, struct kube_error *err)
{
	const struct informer_limits *limits = &informer->options.limits;
	char *from = xstrdup(informer->version);
	struct kube_watch watch = {.label_selector = informer->label_selector,
	                           .metadata_only = informer->options.metadata_only,
	                           .resource_version = from,
	                           .server_s = (int)watch_s(informer),
	                           .idle_ms = limits->watch_idle_ms,
	                           .event_bytes_max = limits->event_bytes_max,
	                           .event = on_event,
	                           .opened = on_opened,
	                           .context = informer};
	int64_t begun_ms = now_ms(informer);
	int outcome;

	informer->watch_events = 0;
	atomic_fetch_add(&informer->watches, 1);
	outcome = kube_watch(informer->client, &informer->options.resource, informer->namespace, &watch, err);
	free(from);
	/* The server may just have had nothing to say: it is asked again, and only if it does not answer that is
	 * trouble. */
	if (outcome < 0 && err->reason == KUBE_SILENT)
		return 0;
	if (!outcome && !informer->watch_events && now_ms(informer) - begun_ms < limits->watch_ms_min)
		return kube_fail(err, KUBE_UNAVAILABLE, "watch %s/%s: ended at once without an event", informer->root,
		                 informer->plural);
	return outcome;
}

/* What makes the version seen last worthless. A kind that is not there (404) begins anew when it comes. */
static bool needs_list(enum kube_reason reason)
{
	return reason == KUBE_GONE || reason == KUBE_VERSION_TOO_LARGE || reason == KUBE_NOT_FOUND ||
	       reason == KUBE_INVALID;
}

static void forget_version(struct informer *informer)
{
	free(informer->version);
	informer->version = NULL;
}

static void *run(void *context)
{
	struct informer *informer = context;

	while (!latch_is_open(&informer->stopping)) {
		struct kube_error err;
		int outcome;

		atomic_store(&informer->alive_ms, now_ms(informer));
		if (informer->version && !informer_synced(informer))
			forget_version(informer);
		look_for_lack(informer);
		if (informer->version && list_age_ms(informer) &&
		    now_ms(informer) >= informer->listed_ms + list_age_ms(informer))
			forget_version(informer);
		outcome = informer->version ? watch(informer, &err) : list(informer, &err);
		if (outcome < 0 && err.reason != KUBE_CANCELLED) {
			atomic_fetch_add(&informer->failures, 1);
			if (needs_list(err.reason))
				forget_version(informer);
			say_trouble(informer, &err);
			latch_wait(&informer->stopping,
			           backoff_next(&informer->backoff, now_ms(informer), err.retry_after_ms));
		}
	}
	return NULL;
}

static void set_defaults(struct informer_limits *limits)
{
	limits->backoff_ms_min = limits->backoff_ms_min ? limits->backoff_ms_min : 800;
	limits->backoff_ms_max = limits->backoff_ms_max ? limits->backoff_ms_max : 30000;
	limits->backoff_reset_ms = limits->backoff_reset_ms ? limits->backoff_reset_ms : 120000;
	limits->room_ms_min = limits->room_ms_min ? limits->room_ms_min : 60000;
	limits->room_ms_max = limits->room_ms_max ? limits->room_ms_max : 300000;
	limits->watch_ms_min = limits->watch_ms_min ? limits->watch_ms_min : 1000;
	limits->watch_server_s = limits->watch_server_s ? limits->watch_server_s : KUBE_WATCH_SERVER_S;
}

struct informer *informer_start(const struct informer_options *options)
{
	struct informer *informer = xcalloc(1, sizeof(*informer));
	struct informer_limits *limits = &informer->options.limits;

	informer->options = *options;
	set_defaults(limits);
	informer->root = xstrdup(options->resource.root);
	informer->plural = xstrdup(options->resource.plural);
	informer->options.resource = (struct kube_resource){informer->root, informer->plural};
	informer->namespace = options->namespace ? xstrdup(options->namespace) : NULL;
	informer->label_selector = options->label_selector ? xstrdup(options->label_selector) : NULL;
	informer->client = kube_client_new(options->cluster);
	informer->backoff = (struct backoff){.ms_min = limits->backoff_ms_min,
	                                     .ms_max = limits->backoff_ms_max,
	                                     .reset_ms = limits->backoff_reset_ms,
	                                     .random = hash_mix((uint64_t)now_ms(informer) ^ (uintptr_t)informer)};
	atomic_init(&informer->wanted, 1);
	informer->troubled = true; /* so that the first success is said */
	atomic_init(&informer->alive_ms, now_ms(informer));
	latch_init(&informer->stopping);
	if (pthread_create(&informer->thread, NULL, run, informer) != 0)
		memory_exhausted();
	return informer;
}

bool informer_synced(const struct informer *informer)
{
	return atomic_load(&informer->had) >= atomic_load(&informer->wanted);
}

void informer_relist(struct informer *informer)
{
	atomic_fetch_add(&informer->wanted, 1);
	kube_client_interrupt(informer->client);
}

struct informer_counts informer_counts(const struct informer *informer)
{
	return (struct informer_counts){.lists = atomic_load(&informer->lists),
	                                .watches = atomic_load(&informer->watches),
	                                .events = atomic_load(&informer->events),
	                                .failures = atomic_load(&informer->failures),
	                                .alive_ms = atomic_load(&informer->alive_ms)};
}

void informer_stop(struct informer *informer)
{
	if (!informer)
		return;
	latch_open(&informer->stopping);
	kube_client_cancel(informer->client);
	pthread_join(informer->thread, NULL);
	kube_client_free(informer->client);
	latch_release(&informer->stopping);
	free(informer->root);
	free(informer->plural);
	free(informer->namespace);
	free(informer->label_selector);
	free(informer->version);
	free(informer);
}
