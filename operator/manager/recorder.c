#include "operator/manager/recorder.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "lib/data/civil.h"
#include "operator/reconcile/names.h"
#include "operator/reconcile/object.h"

#define NOTE_BYTES_MAX 1000 /* the API takes 1024 */

static const struct kube_resource events = {"/apis/events.k8s.io/v1", "events"};

struct recorder {
	const struct clock *clock;
	const char *identity;
	pthread_mutex_t mutex;
	json_t *known; /* hash of what an Event says: {name, at, count, writtenAt} */
};

struct recorder *recorder_new(const struct clock *clock, const char *identity)
{
	struct recorder *recorder = xcalloc(1, sizeof(*recorder));

	recorder->clock = clock;
	recorder->identity = identity;
	recorder->known = json_object();
	pthread_mutex_init(&recorder->mutex, NULL);
	return recorder;
}

void recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return;
	json_decref(recorder->known);
	pthread_mutex_destroy(&recorder->mutex);
	free(recorder);
}

/* metav1.MicroTime */
static json_t *micro_time(const struct recorder *recorder)
{
	struct buffer text;
	json_t *json;

	buffer_init(&text);
	civil_format(&text, clock_wall_ms(recorder->clock));
	json = json_sprintf("%.*s000Z", (int)text.size - 1, text.data);
	buffer_release(&text);
	return json;
}

static json_t *note_of(const struct event *event)
{
	const char *text = json_string_value(event->note);
	size_t size = strlen(text);

	if (size <= NOTE_BYTES_MAX)
		return json_string(text);
	for (size = NOTE_BYTES_MAX; size && !text_is_utf8((struct slice){text, size}); size--)
		;
	return json_sprintf("%.*s...", (int)size, text);
}

static json_t *event_json(const struct recorder *recorder, const json_t *job, const struct event *event,
                          const char *name)
{
	json_t *regarding = json_pack(
	        "{s:s, s:s, s:s, s:s, s:s, s:s}", "apiVersion", kind_names[KIND_STREAM_JOB].api_version, "kind",
	        "StreamJob", "name", object_name(job), "namespace", object_text(job, "metadata", "namespace", NULL),
	        "uid", object_uid(job), "resourceVersion", object_text(job, "metadata", "resourceVersion", NULL));
	json_t *json = json_pack("{s:s, s:s, s:{s:s, s:s}, s:s, s:s, s:s, s:s, s:s, s:o}", "apiVersion",
	                         "events.k8s.io/v1", "kind", "Event", "metadata", "name", name, "namespace",
	                         object_text(job, "metadata", "namespace", NULL), "type",
	                         event->warning ? "Warning" : "Normal", "reason", event->reason, "action", "Reconcile",
	                         "reportingController", "streamjob.dev/operator", "reportingInstance",
	                         recorder->identity, "regarding", regarding);

	json_object_set_new(json, "eventTime", micro_time(recorder));
	json_object_set_new(json, "note", note_of(event));
	return json;
}

enum turn { TURN_CREATE, TURN_COUNT, TURN_WAIT };

/* Whether it is a new Event, one more of a series, or one that waits to be written with the next; under the mutex. */
static enum turn turn_of(struct recorder *recorder, const char *hash, int64_t now_ms, json_t **ret_known)
{
	json_t *known = json_object_get(recorder->known, hash);
	int64_t count = object_integer(known, "count", NULL) + 1;

	if (json_object_size(recorder->known) >= RECORDER_EVENTS_MAX)
		json_object_clear(recorder->known);
	if (!known || now_ms - object_integer(known, "at", NULL) > RECORDER_SERIES_MS) {
		known = json_pack("{s:I, s:I}", "count", (json_int_t)1, "writtenAt", (json_int_t)now_ms);
		json_object_set_new(known, "at", json_integer(now_ms));
		json_object_set_new(recorder->known, hash, known);
		*ret_known = json_incref(known);
		return TURN_CREATE;
	}
	json_object_set_new(known, "at", json_integer(now_ms));
	json_object_set_new(known, "count", json_integer(count));
	if (now_ms - object_integer(known, "writtenAt", NULL) < RECORDER_COUNT_MS)
		return TURN_WAIT;
	json_object_set_new(known, "writtenAt", json_integer(now_ms));
	*ret_known = json_incref(known);
	return TURN_COUNT;
}

static int create(struct recorder *recorder, struct kube_client *client, const json_t *job, const struct event *event,
                  json_t *known, struct kube_error *err)
{
	const char *namespace = object_text(job, "metadata", "namespace", NULL);
	uint64_t id = hash_mix((uint64_t)clock_wall_ms(recorder->clock) ^ (uintptr_t)known);
	json_t *name = json_sprintf("%.200s.%016llx", object_name(job), (unsigned long long)id);
	json_t *json = event_json(recorder, job, event, json_string_value(name));
	int result = kube_create(client, &events, namespace, json, NULL, err);

	pthread_mutex_lock(&recorder->mutex);
	json_object_set(known, "name", name);
	pthread_mutex_unlock(&recorder->mutex);
	json_decref(json);
	json_decref(name);
	return result;
}

static int count(struct recorder *recorder, struct kube_client *client, const json_t *job, json_t *known,
                 struct kube_error *err)
{
	json_t *patch, *name;
	int result;

	pthread_mutex_lock(&recorder->mutex);
	name = json_string(object_text(known, "name", NULL));
	patch = json_pack("{s:{s:I, s:o}}", "series", "count", (json_int_t)object_integer(known, "count", NULL),
	                  "lastObservedTime", micro_time(recorder));
	pthread_mutex_unlock(&recorder->mutex);
	result = kube_merge(client, &events, object_text(job, "metadata", "namespace", NULL), json_string_value(name),
	                    NULL, FIELD_MANAGER, patch, NULL, err);
	json_decref(patch);
	json_decref(name);
	return result;
}

void recorder_record(struct recorder *recorder, struct kube_client *client, const json_t *job,
                     const struct event *event)
{
	json_t *what = json_pack("[s, b, s, O]", object_uid(job), event->warning, event->reason, event->note);
	int64_t now_ms = clock_monotonic_ms(recorder->clock);
	char hash[OBJECT_HASH_SIZE];
	json_t *known = NULL;
	struct kube_error err;
	enum turn turn;
	int result = 0;

	object_hash(what, hash);
	json_decref(what);
	pthread_mutex_lock(&recorder->mutex);
	turn = turn_of(recorder, hash, now_ms, &known);
	pthread_mutex_unlock(&recorder->mutex);
	if (turn == TURN_CREATE)
		result = create(recorder, client, job, event, known, &err);
	else if (turn == TURN_COUNT)
		result = count(recorder, client, job, known, &err);
	if (result < 0)
		log_warn("an Event could not be written", "job=\"%s\" reason=%s error=\"%s\"", object_name(job),
		         event->reason, err.error.text);
	pthread_mutex_lock(&recorder->mutex);
	json_decref(known);
	pthread_mutex_unlock(&recorder->mutex);
}
