/*
 * Two maps behind a mutex, as JSON objects: jobs by key, {uid, statusAt, over, status, deletingAt, failingAt, endsAt,
 * code}; reports by the UID of the pod, {report, verdict, at}. A job has an entry only while there is something to
 * remember; statuses and reports are held as compact text, a verdict as its hash.
 */
#include "operator/manager/memory_of_jobs.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "operator/reconcile/object.h"

struct memory_of_jobs {
	pthread_mutex_t mutex;
	json_t *jobs, *reports;
};

struct memory_of_jobs *memory_of_jobs_new(void)
{
	struct memory_of_jobs *memory = xcalloc(1, sizeof(*memory));

	pthread_mutex_init(&memory->mutex, NULL);
	memory->jobs = json_object();
	memory->reports = json_object();
	return memory;
}

void memory_of_jobs_free(struct memory_of_jobs *memory)
{
	if (!memory)
		return;
	json_decref(memory->jobs);
	json_decref(memory->reports);
	pthread_mutex_destroy(&memory->mutex);
	free(memory);
}

static json_t *text_of(const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	json_t *string = json_string(text);

	free(text);
	return string;
}

static json_t *parse_text(const json_t *string)
{
	return string ? json_loadb(json_string_value(string), json_string_length(string), JSON_ALLOW_NUL, NULL) : NULL;
}

/* The entry of the job, NULL where there is none or it is another UID's. Under the mutex. */
static json_t *find_job(const struct memory_of_jobs *memory, const char *key, const char *uid)
{
	json_t *job = json_object_get(memory->jobs, key);

	return job && !strcmp(object_text(job, "uid", NULL), uid) ? job : NULL;
}

/* The same, made where there is none. */
static json_t *need_job(struct memory_of_jobs *memory, const char *key, const char *uid)
{
	json_t *job = find_job(memory, key, uid);

	if (job)
		return job;
	job = json_pack("{s:s}", "uid", uid);
	json_object_set_new(memory->jobs, key, job);
	return job;
}

static void drop_status(json_t *job)
{
	json_object_del(job, "over");
	json_object_del(job, "status");
}

void memory_forget(struct memory_of_jobs *memory, const char *key)
{
	pthread_mutex_lock(&memory->mutex);
	json_object_del(memory->jobs, key);
	pthread_mutex_unlock(&memory->mutex);
}

void memory_status_begins(struct memory_of_jobs *memory, const char *key, const char *uid, const char *before,
                          const json_t *status, int64_t now_ms)
{
	json_t *job;

	pthread_mutex_lock(&memory->mutex);
	job = need_job(memory, key, uid);
	json_object_set_new(job, "statusAt", json_integer(now_ms));
	json_object_set_new(job, "over", json_string(before));
	json_object_set_new(job, "status", text_of(status));
	pthread_mutex_unlock(&memory->mutex);
}

void memory_status_failed(struct memory_of_jobs *memory, const char *key, const char *uid)
{
	json_t *job;

	pthread_mutex_lock(&memory->mutex);
	job = find_job(memory, key, uid);
	drop_status(job);
	json_object_del(job, "statusAt");
	pthread_mutex_unlock(&memory->mutex);
}

int64_t memory_status_age(struct memory_of_jobs *memory, const char *key, const char *uid, int64_t now_ms)
{
	int64_t at_ms;

	pthread_mutex_lock(&memory->mutex);
	at_ms = object_integer(find_job(memory, key, uid), "statusAt", NULL);
	pthread_mutex_unlock(&memory->mutex);
	return at_ms ? now_ms - at_ms : INT64_MAX;
}

void memory_job_seen(struct memory_of_jobs *memory, const char *key, const char *uid, const char *version)
{
	json_t *job;

	pthread_mutex_lock(&memory->mutex);
	job = find_job(memory, key, uid);
	if (strcmp(object_text(job, "over", NULL), version) != 0)
		drop_status(job);
	pthread_mutex_unlock(&memory->mutex);
}

json_t *memory_newer_status(struct memory_of_jobs *memory, const char *key, const char *uid, const char *version)
{
	json_t *job, *status = NULL;

	pthread_mutex_lock(&memory->mutex);
	job = find_job(memory, key, uid);
	if (!strcmp(object_text(job, "over", NULL), version))
		status = parse_text(json_object_get(job, "status"));
	else
		drop_status(job);
	pthread_mutex_unlock(&memory->mutex);
	return status;
}

/* Milliseconds since `key_at` of the job was first set, which is now at the latest. */
static int64_t since(struct memory_of_jobs *memory, const char *key, const char *uid, const char *key_at,
                     int64_t now_ms)
{
	int64_t at_ms;
	json_t *job;

	pthread_mutex_lock(&memory->mutex);
	job = need_job(memory, key, uid);
	if (!json_object_get(job, key_at))
		json_object_set_new(job, key_at, json_integer(now_ms));
	at_ms = object_integer(job, key_at, NULL);
	pthread_mutex_unlock(&memory->mutex);
	return now_ms - at_ms;
}

int64_t memory_deleting(struct memory_of_jobs *memory, const char *key, const char *uid, int64_t now_ms)
{
	return since(memory, key, uid, "deletingAt", now_ms);
}

void memory_uses_code(struct memory_of_jobs *memory, const char *key, const char *uid, const json_t *names)
{
	pthread_mutex_lock(&memory->mutex);
	if (json_array_size(names))
		json_object_set_new(need_job(memory, key, uid), "code", json_deep_copy(names));
	else
		json_object_del(find_job(memory, key, uid), "code");
	pthread_mutex_unlock(&memory->mutex);
}

static bool uses(const json_t *job, const char *config_map)
{
	size_t index;
	json_t *name;

	json_array_foreach(json_object_get(job, "code"), index, name)
	{
		if (!strcmp(json_string_value(name), config_map))
			return true;
	}
	return false;
}

json_t *memory_users_of_code(struct memory_of_jobs *memory, const char *namespace, const char *name)
{
	json_t *names = json_array(), *job;
	size_t prefix = strlen(namespace);
	const char *key;

	pthread_mutex_lock(&memory->mutex);
	json_object_foreach(memory->jobs, key, job)
	{
		if (!strncmp(key, namespace, prefix) && key[prefix] == '/' && uses(job, name))
			json_array_append_new(names, json_string(key + prefix + 1));
	}
	pthread_mutex_unlock(&memory->mutex);
	return names;
}

void memory_namespace_ends(struct memory_of_jobs *memory, const char *key, const char *uid, int64_t now_ms)
{
	pthread_mutex_lock(&memory->mutex);
	json_object_set_new(need_job(memory, key, uid), "endsAt", json_integer(now_ms));
	pthread_mutex_unlock(&memory->mutex);
}

bool memory_does_namespace_end(struct memory_of_jobs *memory, const char *key, const char *uid, int64_t now_ms)
{
	json_t *job, *at;
	bool ends;

	pthread_mutex_lock(&memory->mutex);
	job = find_job(memory, key, uid);
	at = json_object_get(job, "endsAt");
	ends = at && now_ms - json_integer_value(at) < NAMESPACE_ENDS_MS;
	if (!ends)
		json_object_del(job, "endsAt");
	pthread_mutex_unlock(&memory->mutex);
	return ends;
}

int64_t memory_failing(struct memory_of_jobs *memory, const char *key, const char *uid, int64_t now_ms)
{
	return since(memory, key, uid, "failingAt", now_ms);
}

void memory_not_failing(struct memory_of_jobs *memory, const char *key, const char *uid)
{
	pthread_mutex_lock(&memory->mutex);
	json_object_del(find_job(memory, key, uid), "failingAt");
	pthread_mutex_unlock(&memory->mutex);
}

static json_t *health_of(const json_t *list)
{
	json_t *health = json_array(), *one;
	size_t index;

	json_array_foreach(list, index, one)
	{
		json_array_append(health, json_object_get(one, "healthy"));
	}
	return health;
}

/* What of a report makes conditions: all but figures and words that count. */
static json_t *verdict_of(const json_t *report)
{
	const json_t *document = json_object_get(report, "document");
	const json_t *input = json_object_get(document, "input");

	return json_pack("{s:b, s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:O?, s:s, s:o, s:o, s:O?, s:b, s:I}", "answers",
	                 document != NULL, "silent", json_object_get(report, "failingSince") != NULL, "words",
	                 object_text(report, "words", NULL), "part", object_text(document, "notReadyPart", NULL),
	                 "phase", object_text(document, "phase", NULL), "life", object_text(document, "life", NULL),
	                 "role", object_text(document, "owner", "role", NULL), "process",
	                 object_text(document, "owner", "process", NULL), "input", json_object_get(input, "ok"), "why",
	                 object_text(input, "reason", NULL), "sinks", health_of(json_object_get(document, "sinks")),
	                 "functions", health_of(json_object_get(document, "functions")), "hash",
	                 json_object_get(document, "specHash"), "fresh",
	                 json_number_value(json_object_get(document, "uptimeSeconds")) < 5, "restarts",
	                 (json_int_t)object_integer(report, "restarts", NULL));
}

/* A pod that did not answer this time has still said what it said before, and has been silent since it first did not.
 */
static void go_on_from(json_t *report, const json_t *before)
{
	json_t *last, *document;

	if (!json_object_get(report, "error"))
		return;
	last = parse_text(json_object_get(before, "report"));
	if (object_integer(last, "restarts", NULL) != object_integer(report, "restarts", NULL)) {
		json_decref(last);
		last = NULL;
	}
	document = json_object_get(last, "document");
	json_object_set(report, "failingSince",
	                json_object_get(json_object_get(last, "failingSince") ? last : report,
	                                json_object_get(last, "failingSince") ? "failingSince" : "at"));
	if (document) {
		json_object_set(report, "document", document);
		json_object_set(report, "at", json_object_get(last, "at"));
	}
	json_decref(last);
}

bool memory_report(struct memory_of_jobs *memory, const char *pod_uid, json_t *report, int64_t now_ms,
                   int64_t figures_ms)
{
	json_t *verdict, *before;
	char hash[OBJECT_HASH_SIZE];
	bool changed, due;

	pthread_mutex_lock(&memory->mutex);
	before = json_object_get(memory->reports, pod_uid);
	go_on_from(report, before);
	verdict = verdict_of(report);
	object_hash(verdict, hash);
	json_decref(verdict);
	changed = strcmp(object_text(before, "verdict", NULL), hash) != 0;
	due = before && now_ms - object_integer(before, "at", NULL) >= figures_ms;
	json_object_set_new(memory->reports, pod_uid,
	                    json_pack("{s:o, s:s, s:I}", "report", text_of(report), "verdict", hash, "at",
	                              (json_int_t)(changed || due ? now_ms : object_integer(before, "at", NULL))));
	pthread_mutex_unlock(&memory->mutex);
	json_decref(report);
	return changed || due;
}

json_t *memory_report_of(struct memory_of_jobs *memory, const char *pod_uid)
{
	json_t *report;

	pthread_mutex_lock(&memory->mutex);
	report = parse_text(object_at(memory->reports, pod_uid, "report", NULL));
	pthread_mutex_unlock(&memory->mutex);
	return report;
}

/* What says no more than no entry would. */
static bool is_idle(const json_t *job, int64_t now_ms, int64_t figures_ms)
{
	return !json_object_get(job, "status") && !json_object_get(job, "deletingAt") &&
	       !json_object_get(job, "failingAt") && !json_object_get(job, "endsAt") && !json_object_get(job, "code") &&
	       now_ms - object_integer(job, "statusAt", NULL) >= figures_ms;
}

void memory_tidy(struct memory_of_jobs *memory, const json_t *pods, int64_t now_ms, int64_t figures_ms)
{
	const char *key;
	json_t *value;
	void *next;

	pthread_mutex_lock(&memory->mutex);
	json_object_foreach_safe(memory->reports, next, key, value)
	{
		if (!json_object_get(pods, key))
			json_object_del(memory->reports, key);
	}
	json_object_foreach_safe(memory->jobs, next, key, value)
	{
		if (is_idle(value, now_ms, figures_ms))
			json_object_del(memory->jobs, key);
	}
	pthread_mutex_unlock(&memory->mutex);
}
