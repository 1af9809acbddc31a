#include "operator/manager/explainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "lib/process/pause.h"
#include "operator/manager/poller.h"
#include "operator/reconcile/object.h"

#define PAUSE_MS_MIN    4000 /* until the Events of a pod that did not change are read again, doubled each time */
#define PAUSE_MS_MAX    15000
#define WORDS_BYTES_MAX 1024
#define STEP_MS         50
#define JOB_OBJECTS_MAX 4   /* of one job are explained: what it makes more of says the same */
#define EVENTS_MAX      200 /* of one object are read */

struct explainer {
	struct manager *manager;
	struct kube_client *client;
	pthread_t thread;
	pthread_mutex_t mutex;
	json_t *pods;  /* as given */
	json_t *asked; /* the thread's: {uid: {version, at: ms, pause: ms}} */
	_Atomic bool stopping;
};

struct words {
	const char *uid;
	char text[WORDS_BYTES_MAX];
	char at[40];
	size_t events;
};

/* The last warning about the pod. */
static int read_words(void *context, json_t *event, struct kube_error *err)
{
	struct words *words = context;
	const char *at = object_text(event, "deprecatedLastTimestamp", NULL);

	if (++words->events > EVENTS_MAX) {
		json_decref(event);
		return kube_fail(err, KUBE_TOO_LARGE, "more than %d Events of one object: the rest is not read",
		                 EVENTS_MAX);
	}
	if (!at[0])
		at = object_text(event, "metadata", "creationTimestamp", NULL);
	if (!strcmp(object_text(event, "regarding", "uid", NULL), words->uid) && strcmp(at, words->at) >= 0) {
		snprintf(words->at, sizeof(words->at), "%s", at);
		snprintf(words->text, sizeof(words->text), "%s", object_text(event, "note", NULL));
		words->text[text_cut(words->text, sizeof(words->text))] = '\0'; /* between characters */
	}
	json_decref(event);
	return 0;
}

static void explain(struct explainer *explainer, const char *uid, const json_t *pod)
{
	static const struct kube_resource events = {"/apis/events.k8s.io/v1", "events"};
	struct words words = {.uid = uid};
	json_t *selector = json_sprintf("type=Warning,regarding.uid=%s", uid);
	struct kube_selection selection = {.field_selector = json_string_value(selector), .limit = 50};
	struct kube_error err;
	char *version = NULL;

	if (kube_list(explainer->client, &events, object_text(pod, "namespace", NULL), &selection, read_words, &words,
	              &version, &err) < 0)
		log_debug("Events of a pod could not be read", "pod=\"%s\" error=\"%s\"",
		          object_text(pod, "name", NULL), err.error.text);
	for (char *end = words.text + strlen(words.text); !text_is_utf8(slice_of(words.text)) && end > words.text;)
		*--end = '\0'; /* cut within a character */
	if (words.text[0])
		manager_told(explainer->manager, uid, object_text(pod, "key", NULL),
		             object_integer(pod, "restarts", NULL), json_pack("{s:s}", "words", words.text));
	free(version);
	json_decref(selector);
}

static bool is_due(struct explainer *explainer, const char *uid, const json_t *pod)
{
	const json_t *before = json_object_get(explainer->asked, uid);
	const char *version = object_text(pod, "version", NULL);
	int64_t now_ms = clock_monotonic_ms(explainer->manager->clock), pause_ms = PAUSE_MS_MIN;

	if (before && !strcmp(object_text(before, "version", NULL), version)) {
		pause_ms = object_integer(before, "pause", NULL);
		if (now_ms - object_integer(before, "at", NULL) < pause_ms)
			return false;
		pause_ms = 2 * pause_ms < PAUSE_MS_MAX ? 2 * pause_ms : PAUSE_MS_MAX;
	}
	json_object_set_new(explainer->asked, uid,
	                    json_pack("{s:s, s:I, s:I}", "version", version, "at", (json_int_t)now_ms, "pause",
	                              (json_int_t)pause_ms));
	return true;
}

/* No job has so many that the others wait for it. `of_jobs` is {key: how many}. */
static bool has_had_enough(json_t *of_jobs, const json_t *pod)
{
	const char *key = object_text(pod, "key", NULL);
	json_int_t count = json_integer_value(json_object_get(of_jobs, key));

	json_object_set_new(of_jobs, key, json_integer(count + 1));
	return count >= JOB_OBJECTS_MAX;
}

static void look_at(struct explainer *explainer, const json_t *pods)
{
	json_t *of_jobs = json_object();
	const char *uid;
	json_t *pod;
	void *next;

	json_object_foreach(object_borrow(pods), uid, pod)
	{
		if (atomic_load(&explainer->stopping))
			break;
		if (has_had_enough(of_jobs, pod))
			continue;
		if (is_due(explainer, uid, pod))
			explain(explainer, uid, pod);
	}
	json_decref(of_jobs);
	json_object_foreach_safe(explainer->asked, next, uid, pod)
	{
		if (!json_object_get(pods, uid))
			json_object_del(explainer->asked, uid);
	}
}

static void *run(void *context)
{
	struct explainer *explainer = context;

	while (!atomic_load(&explainer->stopping)) {
		json_t *pods;

		pthread_mutex_lock(&explainer->mutex);
		pods = explainer->pods;
		explainer->pods = NULL;
		pthread_mutex_unlock(&explainer->mutex);
		if (pods && manager_may_work(explainer->manager))
			look_at(explainer, pods);
		json_decref(pods);
		pause_ms(STEP_MS);
	}
	return NULL;
}

struct explainer *explainer_start(struct manager *manager)
{
	struct explainer *explainer = xcalloc(1, sizeof(*explainer));

	explainer->manager = manager;
	explainer->client = manager_client(manager);
	explainer->asked = json_object();
	pthread_mutex_init(&explainer->mutex, NULL);
	if (pthread_create(&explainer->thread, NULL, run, explainer) != 0)
		memory_exhausted();
	return explainer;
}

void explainer_give(struct explainer *explainer, json_t *pods)
{
	pthread_mutex_lock(&explainer->mutex);
	json_decref(explainer->pods);
	explainer->pods = pods;
	pthread_mutex_unlock(&explainer->mutex);
}

void explainer_stop(struct explainer *explainer)
{
	atomic_store(&explainer->stopping, true);
	kube_client_cancel(explainer->client);
	pthread_join(explainer->thread, NULL);
	kube_client_free(explainer->client);
	json_decref(explainer->pods);
	json_decref(explainer->asked);
	pthread_mutex_destroy(&explainer->mutex);
	free(explainer);
}
