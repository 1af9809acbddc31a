/*
 * The poller asks every running pod for its /status, each by itself: one that is silent, slow or hostile keeps no other
 * waiting. It puts a job into the queue when its pods' verdict changed or its figures are due, and all jobs at each
 * resync. It blocks on nothing but its own sockets, and never for longer than STOP_STEP_MS.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "operator/manager/explainer.h"
#include "operator/manager/heap.h"
#include "operator/manager/namespaces.h"
#include "operator/manager/pods_asked.h"
#include "operator/manager/poller.h"
#include "operator/reconcile/belongs.h"
#include "operator/reconcile/container.h"
#include "operator/reconcile/names.h"
#include "operator/reconcile/object.h"

#define PODS_PER_MS  1    /* many pods are asked less often: at most one a millisecond on the average */
#define START_MS     4000 /* a pod that runs by then needs no explanation */
#define STOP_STEP_MS 50
#define LOOK_MS      10000 /* pods that all run are looked at when one of them has changed, and so often */
#define TRIM_MS      10000 /* lists and bursts of work leave free memory behind */

struct poller {
	struct manager *manager;
	struct pods_asked *pods;
	struct pod_page_client *client;
	struct explainer *explainer;
	int64_t rest_ms;          /* of a pod that answered */
	int64_t looked_around_ms; /* when the pods were last looked at */
	bool restless;            /* one of them is not asked, or not yet as what it is now */
};

static int64_t monotonic_ms(const struct manager *manager)
{
	return clock_monotonic_ms(manager->clock);
}

static int status_port(const json_t *pod)
{
	const json_t *containers = object_at(pod, "spec", "containers", NULL);
	size_t c, p;
	json_t *container, *port;

	json_array_foreach(containers, c, container)
	{
		json_array_foreach(json_object_get(container, "ports"), p, port)
		{
			if (!strcmp(object_text(container, "name", NULL), RUNTIME_CONTAINER) &&
			    !strcmp(object_text(port, "name", NULL), "status"))
				return (int)object_integer(port, "containerPort", NULL);
		}
	}
	return 0;
}

static bool is_running(const json_t *pod)
{
	return container_running_since(pod)[0] && object_text(pod, "status", "podIP", NULL)[0] && status_port(pod) > 0;
}

static bool is_late(const struct manager *manager, const json_t *object)
{
	int64_t created_ms = object_time(object_text(object, "metadata", "creationTimestamp", NULL));

	return clock_wall_ms(manager->clock) - created_ms > START_MS;
}

/* A container that waits without having failed: for volumes, for its image. */
static bool needs_words(const struct manager *manager, const json_t *pod)
{
	return !strcmp(object_text(pod, "status", "phase", NULL), "Pending") && !object_is_deleted(pod) &&
	       is_late(manager, pod);
}

static json_t *url_of(const json_t *pod)
{
	const char *ip = object_text(pod, "status", "podIP", NULL);
	bool v6 = strchr(ip, ':') != NULL;

	return json_sprintf("http://%s%s%s:%d/status", v6 ? "[" : "", ip, v6 ? "]" : "", status_port(pod));
}

/* For the explainer: a pod, or a batch Job. */
static json_t *waiting_json(const json_t *pod, const char *key)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:s}", "namespace", object_text(pod, "metadata", "namespace", NULL),
	                 "name", object_name(pod), "key", key, "restarts", (json_int_t)container_restarts(pod),
	                 "version", object_text(pod, "metadata", "resourceVersion", NULL));
}

/* The chain of owners is looked at once: a pod keeps its owner. */
static bool belongs(const struct poller *poller, const json_t *pod, const char *key)
{
	struct manager *manager = poller->manager;
	const char *namespace = object_text(pod, "metadata", "namespace", NULL);
	const char *job_name = object_job(pod);
	json_t *deployment, *job, *replica_sets;
	char name[NAME_MAX_BYTES + 1];
	bool yes;

	if (pods_asked_has(poller->pods, object_uid(pod)))
		return true;
	job = store_get(manager->stores[KIND_STREAM_JOB], namespace, job_name);
	name_workload(job_name, name);
	deployment = store_get(manager->stores[KIND_DEPLOYMENT], namespace, name);
	replica_sets = store_owned(manager->stores[KIND_REPLICA_SET], key);
	yes = job && deployment && object_is_controlled(deployment, object_uid(job)) &&
	      pod_belongs(pod, replica_sets, deployment);
	json_decref(job);
	json_decref(deployment);
	json_decref(replica_sets);
	return yes;
}

static void ask_later(struct poller *poller, const json_t *pod, const char *key)
{
	const char *trouble = pod_address_trouble(pod, poller->manager->settings.own_namespace != NULL);
	json_t *url = url_of(pod);

	if (trouble)
		manager_told(poller->manager, object_uid(pod), key, container_restarts(pod),
		             json_pack("{s:s}", "error", trouble));
	else if (!pods_asked_put(poller->pods, object_uid(pod), key, json_string_value(url), container_restarts(pod)))
		poller->restless = true;
	json_decref(url);
}

static bool has_ended(const json_t *pod)
{
	const char *phase = object_text(pod, "status", "phase", NULL);

	return !strcmp(phase, "Succeeded") || !strcmp(phase, "Failed");
}

/* A pod of a job of ours is asked, explained, or left alone. */
static void look_at_pod(struct poller *poller, const json_t *pod, json_t *waiting)
{
	json_t *key = object_job_key(pod);

	bool ours = manager_has_job(poller->manager, object_text(pod, "metadata", "namespace", NULL), object_job(pod));
	bool runs = !strcmp(object_label(pod, LABEL_COMPONENT), COMPONENT_RUNTIME) && is_running(pod);

	if (ours && runs && belongs(poller, pod, json_string_value(key)))
		ask_later(poller, pod, json_string_value(key));
	else
		poller->restless = poller->restless || (ours && !has_ended(pod));
	if (ours && !runs && needs_words(poller->manager, pod))
		json_object_set_new(waiting, object_uid(pod), waiting_json(pod, json_string_value(key)));
	json_decref(key);
}

/* The batch Job of a clean-up that has no pod: a quota, an admission. Its controller says so in an Event alone. */
static void look_at_cleanup(struct poller *poller, const json_t *cleanup, json_t *waiting)
{
	const char *namespace = object_text(cleanup, "metadata", "namespace", NULL);
	const char *job = object_job(cleanup);
	json_t *key = job_key(namespace, job);

	poller->restless = true;
	if (is_late(poller->manager, cleanup) && !object_integer(cleanup, "status", "active", NULL) &&
	    !json_array_size(object_at(cleanup, "status", "conditions", NULL)) &&
	    manager_has_job(poller->manager, namespace, job))
		json_object_set_new(waiting, object_uid(cleanup), waiting_json(cleanup, json_string_value(key)));
	json_decref(key);
}

static json_t *object_of(struct store *store, const char *key)
{
	const char *name = strchr(key, '/') + 1;
	json_t *namespace = json_stringn(key, (size_t)(name - key) - 1);
	json_t *object = store_get(store, json_string_value(namespace), name);

	json_decref(namespace);
	return object;
}

/* Each object of a kind; their UIDs into `all`. */
static void look_at_all(struct poller *poller, enum kind kind,
                        void (*look)(struct poller *poller, const json_t *object, json_t *waiting), json_t *all,
                        json_t *waiting)
{
	struct store *store = poller->manager->stores[kind];
	json_t *keys = store_keys(store, NULL), *key;
	size_t index;

	json_array_foreach(keys, index, key)
	{
		json_t *object = object_of(store, json_string_value(key));

		if (object) {
			json_object_set_new(all, object_uid(object), json_true());
			look(poller, object, waiting);
		}
		json_decref(object);
	}
	json_decref(keys);
}

static bool has_to_look(const struct poller *poller)
{
	bool moved = atomic_exchange(&poller->manager->moved, false);

	return moved || poller->restless || monotonic_ms(poller->manager) - poller->looked_around_ms >= LOOK_MS;
}

/* What there is now. */
static void look_around(struct poller *poller)
{
	struct manager *manager = poller->manager;
	json_t *all = json_object(), *waiting = json_object();

	poller->restless = false;
	poller->looked_around_ms = monotonic_ms(manager);
	pods_asked_begin(poller->pods);
	look_at_all(poller, KIND_POD, look_at_pod, all, waiting);
	look_at_all(poller, KIND_JOB, look_at_cleanup, all, waiting);
	poller->rest_ms = manager->options->poll_ms + (int64_t)pods_asked_end(poller->pods) * PODS_PER_MS;
	explainer_give(poller->explainer, waiting);
	memory_tidy(manager->memory, all, monotonic_ms(manager), manager->settings.figures_ms);
	json_decref(all);
}

/* A page that a pod of another job answered, as it does where two pods are said to have one address. */
static bool is_of_job(const json_t *document, const char *key)
{
	const char *name = object_text(document, "name", NULL), *namespace = object_text(document, "namespace", NULL);
	size_t size = strlen(namespace);

	return !name[0] || !namespace[0] ||
	       (!strncmp(key, namespace, size) && key[size] == '/' && !strcmp(key + size + 1, name));
}

static json_t *words_of_other(const char *url, const json_t *document)
{
	const char *name = object_text(document, "name", NULL), *namespace = object_text(document, "namespace", NULL);

	return json_sprintf("GET %s: a pod of another job answered, %.*s/%.*s: two pods have that address", url,
	                    (int)text_cut(namespace, NAME_MAX_BYTES), namespace, (int)text_cut(name, NAME_MAX_BYTES),
	                    name);
}

/* Returns whether it was a good answer. */
static bool take_answer(struct manager *manager, struct asked *asked)
{
	const struct pod_page *page = &asked->page;
	json_t *document = page->http_status == 200 ? told_take(&asked->told) : NULL, *words;

	if (document && is_of_job(document, asked->key)) {
		manager_told(manager, asked->uid, asked->key, asked->restarts,
		             json_pack("{s:o}", "document", document));
		return true;
	}
	if (document)
		words = words_of_other(page->url, document);
	else if (page->http_status)
		words = json_sprintf("GET %s: the pod answered %d without a status", page->url, page->http_status);
	else
		words = json_string(page->error.text);
	manager_told(manager, asked->uid, asked->key, asked->restarts, json_pack("{s:o}", "error", words));
	json_decref(document);
	return false;
}

/* Begins what is due, and takes what has come within a step. */
static void ask(struct poller *poller)
{
	struct manager *manager = poller->manager;
	struct pod_page *page;

	pods_asked_ask(poller->pods, poller->client, monotonic_ms(manager));
	for (int wait_ms = STOP_STEP_MS; (page = pod_page_done(poller->client, wait_ms)); wait_ms = 0) {
		struct asked *asked = page->context;
		bool good = !asked->gone && !atomic_load(&manager->stopping) && take_answer(manager, asked);

		pods_asked_rest(asked, good, monotonic_ms(manager), poller->rest_ms);
	}
}

/* Spread over a tenth of the period, so that the API server and the pods see no wave. */
static void resync(struct manager *manager)
{
	json_t *keys = store_keys(manager->stores[KIND_STREAM_JOB], NULL), *key;
	size_t index, count = json_array_size(keys);

	json_array_foreach(keys, index, key)
	{
		queue_add_after(manager->queue, json_string_value(key),
		                1 + manager->options->resync_ms / 10 * (int64_t)index / (int64_t)count);
	}
	log_debug("resync", "jobs=%zu", count);
	json_decref(keys);
}

static void give_turns(struct manager *manager)
{
	json_t *keys = store_keys(manager->stores[KIND_STREAM_JOB], NULL), *all = json_array(), *key, *chosen;
	size_t index;

	json_array_foreach(keys, index, key)
	{
		const char *text = json_string_value(key);
		json_t *namespace = json_stringn(text, strcspn(text, "/"));

		if (namespaces_have(manager, json_string_value(namespace)))
			json_array_append(all, key);
		json_decref(namespace);
	}
	chosen = waves_turn(manager->waves, all, clock_wall_ms(manager->clock));
	json_array_foreach(chosen, index, key)
	{
		queue_add(manager->queue, json_string_value(key));
	}
	json_decref(chosen);
	json_decref(all);
	json_decref(keys);
}

static void poll(struct poller *poller)
{
	struct manager *manager = poller->manager;
	int64_t resynced_ms = monotonic_ms(manager), trimmed_ms = resynced_ms, looked_ms = 0;

	while (!atomic_load(&manager->stopping)) {
		int64_t now_ms = monotonic_ms(manager);

		atomic_store(&manager->poller_ms, now_ms);
		if (manager_may_work(manager) && now_ms - looked_ms >= poller->rest_ms) {
			looked_ms = now_ms;
			if (has_to_look(poller))
				look_around(poller);
			if (!waves_are_idle(manager->waves))
				give_turns(manager);
		}
		if (now_ms - resynced_ms >= manager->options->resync_ms) {
			resynced_ms = now_ms;
			resync(manager);
		}
		if (now_ms - trimmed_ms >= TRIM_MS) {
			trimmed_ms = now_ms;
			heap_trim();
		}
		ask(poller);
	}
}

void *poller_thread(void *context)
{
	struct manager *manager = context;
	struct poller poller = {.manager = manager,
	                        .pods = pods_asked_new(),
	                        .client = pod_page_client_new(),
	                        .explainer = explainer_start(manager)};

	poll(&poller);
	explainer_stop(poller.explainer);
	pod_page_client_free(poller.client);
	pods_asked_free(poller.pods);
	return NULL;
}
