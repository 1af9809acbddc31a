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

struct known {         /* an Event that was written */
	uint64_t hash; /* of what it says */
	uint64_t id;   /* at the end of its name */
	int64_t at_ms, written_ms;
	int64_t count;
};

struct recorder {
	const struct clock *clock;
	const char *identity;
	pthread_mutex_t mutex;
	struct known *known; /* at most RECORDER_EVENTS_MAX, looked through from the first: Events are rare */
	size_t count, capacity;
};

struct recorder *recorder_new(const struct clock *clock, const char *identity)
{
	struct recorder *recorder = xcalloc(1, sizeof(*recorder));

	recorder->clock = clock;
	recorder->identity = identity;
	pthread_mutex_init(&recorder->mutex, NULL);
	return recorder;
}

void recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return;
	free(recorder->known);
	pthread_mutex_destroy(&recorder->mutex);
	free(recorder);
}

enum turn { TURN_CREATE, TURN_COUNT, TURN_WAIT };

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

static struct known *find(const struct recorder *recorder, uint64_t hash)
{
	for (size_t i = 0; i < recorder->count; i++)
		if (recorder->known[i].hash == hash)
			return &recorder->known[i];
	return NULL;
}

static struct known *add(struct recorder *recorder)
{
	if (recorder->count == RECORDER_EVENTS_MAX)
		recorder->count = 0;
	if (recorder->count == recorder->capacity) {
		recorder->capacity = recorder->capacity ? recorder->capacity * 2 : 16;
		recorder->known = xrealloc(recorder->known, recorder->capacity * sizeof(struct known));
	}
	return &recorder->known[recorder->count++];
}

/* Whether it is a new Event, one more of a series, or one that waits to be written with the next; under the mutex. */
static enum turn turn_of(struct recorder *recorder, uint64_t hash, int64_t now_ms, struct known *ret_known)
{
	struct known *known = find(recorder, hash);
	enum turn turn = TURN_WAIT;

	if (!known || now_ms - known->at_ms > RECORDER_SERIES_MS) {
		known = known ? known : add(recorder);
		*known = (struct known){.hash = hash, .written_ms = now_ms};
		known->id = hash_mix((uint64_t)clock_wall_ms(recorder->clock) ^ hash);
		turn = TURN_CREATE;
	} else if (now_ms - known->written_ms >= RECORDER_COUNT_MS) {
		known->written_ms = now_ms;
		turn = TURN_COUNT;
	}
	known->at_ms = now_ms;
	known->count++;
	*ret_known = *known;
	return turn;
}

static int write_event(struct recorder *recorder, struct kube_client *client, const json_t *job,
                       const struct event *event, enum turn turn, const struct known *known, struct kube_error *err)
{
	const char *namespace = object_text(job, "metadata", "namespace", NULL);
	json_t *name = json_sprintf("%.200s.%016llx", object_name(job), (unsigned long long)known->id), *json;
	int result;

	if (turn == TURN_CREATE) {
		json = event_json(recorder, job, event, json_string_value(name));
		result = kube_create(client, &events, namespace, json, NULL, err);
	} else {
		json = json_pack("{s:{s:I, s:o}}", "series", "count", (json_int_t)known->count, "lastObservedTime",
		                 micro_time(recorder));
		result = kube_merge(client, &events, namespace, json_string_value(name), NULL, FIELD_MANAGER, json,
		                    NULL, err);
	}
	json_decref(json);
	json_decref(name);
	return result;
}

static uint64_t hash_of(const json_t *job, const struct event *event)
{
	json_t *what = json_pack("[s, b, s, O]", object_uid(job), event->warning, event->reason, event->note);
	char *text = json_dumps(what, JSON_COMPACT);
	uint64_t hash;

	if (!text)
		memory_exhausted();
	hash = hash_bytes(text, strlen(text));
	free(text);
	json_decref(what);
	return hash;
}

void recorder_record(struct recorder *recorder, struct kube_client *client, const json_t *job,
                     const struct event *event)
{
	int64_t now_ms = clock_monotonic_ms(recorder->clock);
	uint64_t hash = hash_of(job, event);
	struct kube_error err;
	struct known known;
	enum turn turn;

	pthread_mutex_lock(&recorder->mutex);
	turn = turn_of(recorder, hash, now_ms, &known);
	pthread_mutex_unlock(&recorder->mutex);
	if (turn != TURN_WAIT && write_event(recorder, client, job, event, turn, &known, &err) < 0)
		log_warn("an Event could not be written", "job=\"%s\" reason=%s error=\"%s\"", object_name(job),
		         event->reason, err.error.text);
}
