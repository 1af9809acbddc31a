/*
 * The poller asks every running pod for its /status, and for pods that do not start the Events in which the kubelet
 * says why. It puts a job into the queue when its pods' verdict changed or its figures are due, and all jobs at each
 * resync.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "operator/kube/pod_page.h"
#include "operator/manager/heap.h"
#include "operator/manager/manager.h"
#include "operator/manager/namespaces.h"
#include "operator/reconcile/container.h"
#include "operator/reconcile/names.h"
#include "operator/reconcile/object.h"

#define ASK_TIMEOUT_MS   3000
#define ANSWER_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define PODS_PER_MS      1    /* many pods are asked less often: at most one a millisecond on the average */
#define START_MS         4000 /* a pod that runs by then needs no explanation */
#define WORDS_PODS_MAX   32   /* explanations asked for in one round */
#define WORDS_BYTES_MAX  1024
#define STOP_STEP_MS     50
#define TRIM_MS          10000 /* lists and bursts of work leave free memory behind */

struct round { /* one round of questions */
	struct manager *manager;
	json_t *pods; /* those that are asked */
	json_t *all;  /* {uid: true}: every pod that there is */
	size_t explained;
};

static int64_t monotonic_ms(const struct manager *manager)
{
	return clock_monotonic_ms(manager->clock);
}

static void hand_in(struct manager *manager, const json_t *pod, json_t *report)
{
	json_t *key;

	json_object_set_new(report, "at", json_integer(clock_wall_ms(manager->clock)));
	json_object_set_new(report, "restarts", json_integer(container_restarts(pod)));
	if (!memory_report(manager->memory, object_uid(pod), report, monotonic_ms(manager), FIGURES_MS))
		return;
	key = json_sprintf("%s/%s", object_text(pod, "metadata", "namespace", NULL), object_label(pod, LABEL_INSTANCE));
	queue_add(manager->queue, json_string_value(key));
	json_decref(key);
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

struct words {
	const char *uid;
	char text[WORDS_BYTES_MAX];
	char at[40];
};

/* The last warning about the pod. */
static int read_words(void *context, json_t *event, struct kube_error *err)
{
	struct words *words = context;
	const char *at = object_text(event, "deprecatedLastTimestamp", NULL);

	(void)err;
	if (!at[0])
		at = object_text(event, "metadata", "creationTimestamp", NULL);
	if (!strcmp(object_text(event, "regarding", "uid", NULL), words->uid) && strcmp(at, words->at) >= 0) {
		snprintf(words->at, sizeof(words->at), "%s", at);
		snprintf(words->text, sizeof(words->text), "%s", object_text(event, "note", NULL));
	}
	json_decref(event);
	return 0;
}

static void explain(struct round *round, struct kube_client *client, const json_t *pod)
{
	static const struct kube_resource events = {"/apis/events.k8s.io/v1", "events"};
	struct words words = {.uid = object_uid(pod)};
	json_t *selector = json_sprintf("type=Warning,regarding.uid=%s", words.uid);
	struct kube_selection selection = {.field_selector = json_string_value(selector), .limit = 50};
	struct kube_error err;
	char *version = NULL;

	if (kube_list(client, &events, object_text(pod, "metadata", "namespace", NULL), &selection, read_words, &words,
	              &version, &err) < 0)
		log_debug("Events of a pod could not be read", "pod=\"%s\" error=\"%s\"", object_name(pod),
		          err.error.text);
	if (words.text[0])
		hand_in(round->manager, pod, json_pack("{s:s}", "words", words.text));
	free(version);
	json_decref(selector);
	round->explained++;
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

/* The batch Job of a clean-up that has no pod: a quota, an admission. Its controller says so in an Event alone. */
static void look_at_cleanup(struct round *round, struct kube_client *client, const char *key)
{
	const char *name = strchr(key, '/') + 1;
	json_t *namespace = json_stringn(key, (size_t)(name - key) - 1);
	json_t *job = store_get(round->manager->stores[KIND_JOB], json_string_value(namespace), name);

	json_decref(namespace);
	if (!job)
		return;
	json_object_set_new(round->all, object_uid(job), json_true());
	if (is_late(round->manager, job) && !object_integer(job, "status", "active", NULL) &&
	    !json_array_size(object_at(job, "status", "conditions", NULL)) && round->explained < WORDS_PODS_MAX &&
	    manager_has_job(round->manager, object_text(job, "metadata", "namespace", NULL),
	                    object_label(job, LABEL_INSTANCE)))
		explain(round, client, job);
	json_decref(job);
}

static void look_at_pod(struct round *round, struct kube_client *client, const char *key)
{
	const char *name = strchr(key, '/') + 1;
	json_t *namespace = json_stringn(key, (size_t)(name - key) - 1);
	json_t *pod = store_get(round->manager->stores[KIND_POD], json_string_value(namespace), name);

	json_decref(namespace);
	if (!pod)
		return;
	json_object_set_new(round->all, object_uid(pod), json_true());
	if (manager_has_job(round->manager, object_text(pod, "metadata", "namespace", NULL),
	                    object_label(pod, LABEL_INSTANCE))) {
		if (!strcmp(object_label(pod, LABEL_COMPONENT), COMPONENT_RUNTIME) && is_running(pod))
			json_array_append(round->pods, pod);
		else if (needs_words(round->manager, pod) && round->explained < WORDS_PODS_MAX)
			explain(round, client, pod);
	}
	json_decref(pod);
}

static void take_answer(struct manager *manager, const json_t *pod, struct pod_page *page)
{
	json_t *document = NULL;

	if (page->http_status == 200)
		document = json_loadb(buffer_slice(&page->body).data, page->body.size, 0, NULL);
	if (json_is_object(document)) {
		hand_in(manager, pod, json_pack("{s:o}", "document", document));
		return;
	}
	json_decref(document);
	if (page->http_status)
		hand_in(manager, pod,
		        json_pack("{s:o}", "error",
		                  json_sprintf("GET %s: the pod answered %d without a status", page->url,
		                               page->http_status)));
	else
		hand_in(manager, pod, json_pack("{s:s}", "error", page->error.text));
}

static json_t *url_of(const json_t *pod)
{
	const char *ip = object_text(pod, "status", "podIP", NULL);
	bool v6 = strchr(ip, ':') != NULL;

	return json_sprintf("http://%s%s%s:%d/status", v6 ? "[" : "", ip, v6 ? "]" : "", status_port(pod));
}

static void ask(struct round *round, struct pod_page_client *client)
{
	size_t count = json_array_size(round->pods), index;
	struct pod_page *pages = xcalloc(count + 1, sizeof(*pages));
	json_t **urls = xcalloc(count + 1, sizeof(json_t *)), *pod;

	json_array_foreach(round->pods, index, pod)
	{
		urls[index] = url_of(pod);
		pages[index].url = json_string_value(urls[index]);
		buffer_init(&pages[index].body);
		pages[index].body.max = ANSWER_BYTES_MAX;
	}
	pod_pages_get(client, pages, count, ASK_TIMEOUT_MS);
	json_array_foreach(round->pods, index, pod)
	{
		if (!atomic_load(&round->manager->stopping))
			take_answer(round->manager, pod, &pages[index]);
		buffer_release(&pages[index].body);
		json_decref(urls[index]);
	}
	free(urls);
	free(pages);
}

/* Returns how many pods were asked. */
static size_t ask_all(struct manager *manager, struct pod_page_client *pages, struct kube_client *client)
{
	struct round round = {.manager = manager, .pods = json_array(), .all = json_object()};
	json_t *keys = store_keys(manager->stores[KIND_POD], NULL), *key;
	json_t *cleanups = store_keys(manager->stores[KIND_JOB], NULL);
	size_t index, count;

	json_array_foreach(keys, index, key)
	{
		look_at_pod(&round, client, json_string_value(key));
	}
	json_array_foreach(cleanups, index, key)
	{
		look_at_cleanup(&round, client, json_string_value(key));
	}
	json_decref(cleanups);
	ask(&round, pages);
	memory_tidy(manager->memory, round.all, monotonic_ms(manager), FIGURES_MS);
	count = json_array_size(round.pods);
	json_decref(keys);
	json_decref(round.pods);
	json_decref(round.all);
	return count;
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

static void wait_until(struct manager *manager, int64_t until_ms)
{
	while (!atomic_load(&manager->stopping) && monotonic_ms(manager) < until_ms) {
		atomic_store(&manager->poller_ms, monotonic_ms(manager));
		nanosleep(&(struct timespec){.tv_nsec = STOP_STEP_MS * 1000000L}, NULL);
	}
}

void *poller_thread(void *context)
{
	struct manager *manager = context;
	struct pod_page_client *pages = pod_page_client_new();
	struct kube_client *client = manager_client(manager);
	int64_t resynced_ms = monotonic_ms(manager), trimmed_ms = resynced_ms;

	while (!atomic_load(&manager->stopping)) {
		int64_t started_ms = monotonic_ms(manager);
		size_t asked = manager_may_work(manager) ? ask_all(manager, pages, client) : 0;

		if (manager_may_work(manager) && !waves_are_idle(manager->waves))
			give_turns(manager);
		if (started_ms - resynced_ms >= manager->options->resync_ms) {
			resynced_ms = started_ms;
			resync(manager);
		}
		if (started_ms - trimmed_ms >= TRIM_MS) {
			trimmed_ms = started_ms;
			heap_trim();
		}
		wait_until(manager, started_ms + manager->options->poll_ms + (int64_t)asked * PODS_PER_MS);
	}
	kube_client_free(client);
	pod_page_client_free(pages);
	return NULL;
}
