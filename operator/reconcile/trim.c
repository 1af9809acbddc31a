#include "operator/reconcile/trim.h"

#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "operator/reconcile/mounts.h"
#include "operator/reconcile/names.h"
#include "operator/reconcile/object.h"
#include "operator/reconcile/place.h"

#define INDEX_KIND     "Instance"
#define JOB_GROUP      "streamjob.dev/"
#define TEXT_MAX       4096 /* bytes of an annotation's value, and of what an owner is called */
#define SHOWN_TEXT_MAX 256  /* of the value of a StreamJob's annotation that is not read */
#define SAID_MAX       1024 /* bytes of a container's message, where all of them are too many */
#define HASH_DIGITS    16   /* of a job file's, at the end of its ConfigMap's name */

static bool is_among(const char *key, const char *const *keys)
{
	while (*keys && strcmp(key, *keys) != 0)
		keys++;
	return *keys != NULL;
}

static void keep(json_t *object, const char *const *keys)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(object, next, key, value)
	{
		if (!is_among(key, keys))
			json_object_del(object, key);
	}
}

/* Only texts, and none that is longer than what the operator or Kubernetes writes. */
static void keep_texts(json_t *object, const char *const *keys)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(object, next, key, value)
	{
		if (!is_among(key, keys) || json_string_length(value) > TEXT_MAX)
			json_object_del(object, key);
	}
}

static bool is_large(const json_t *object, const char *key)
{
	const json_t *part = json_object_get(object, key);

	return part && json_dumpb(part, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) > TRIM_PART_MAX;
}

static void drop_large(json_t *object, const char *key)
{
	if (is_large(object, key))
		json_object_del(object, key);
}

static bool is_short(const json_t *owner, const char *key)
{
	return json_string_length(json_object_get(owner, key)) <= TEXT_MAX;
}

/* The index, then the controller: nobody asks for other owners. */
static void keep_controller(json_t *object, json_t *metadata)
{
	static const char *const keys[] = {"apiVersion",         "kind", "name", "uid", "controller",
	                                   "blockOwnerDeletion", NULL};
	json_t *owners = json_array(), *controller = object_borrow(object_controller(object));
	const char *job = object_job(object);
	json_t *uid = job_key(object_text(object, "metadata", "namespace", NULL),
	                      strlen(job) <= NAME_MAX_BYTES ? job : ""); /* which is no job's */

	json_array_append_new(owners, json_pack("{s:s, s:o, s:b}", "kind", INDEX_KIND, "uid", uid, "controller", 1));
	keep(controller, keys);
	if (controller && is_short(controller, "apiVersion") && is_short(controller, "kind") &&
	    is_short(controller, "name") && is_short(controller, "uid"))
		json_array_append(owners, controller);
	json_object_set_new(metadata, "ownerReferences", owners);
}

static void trim_metadata(json_t *object)
{
	static const char *const keys[] = {"name",       "namespace",         "uid",         "resourceVersion",
	                                   "generation", "creationTimestamp", "annotations", "deletionTimestamp",
	                                   "labels",     "ownerReferences",   NULL};
	static const char *const labels[] = {LABEL_NAME,    LABEL_INSTANCE, LABEL_COMPONENT,
	                                     LABEL_MANAGER, LABEL_JOB_UID,  NULL};
	static const char *const notes[] = {NOTE_APPLIED, NOTE_JOB,           NOTE_SPEC_HASH, NOTE_CODE_HASH,
	                                    NOTE_ROLLOUT, NOTE_TEMPLATE_HASH, NOTE_TAKE_OVER, NOTE_OPERATOR,
	                                    NOTE_RESTART, NOTE_DROP_PENDING,  NOTE_PREVIOUS,  NOTE_REVISION,
	                                    NULL};
	json_t *metadata = json_object_get(object, "metadata");

	keep(metadata, keys);
	keep_controller(object, metadata);
	keep_texts(json_object_get(metadata, "labels"), labels);
	keep_texts(json_object_get(metadata, "annotations"), notes);
}

/* "x" in each line, where the text ends one too. */
static json_t *as_many_lines(const char *text)
{
	struct buffer lines;
	json_t *same;

	buffer_init(&lines);
	buffer_append_char(&lines, 'x');
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		buffer_append_text(&lines, at[1] ? "\nx" : "\n");
	same = json_stringn(lines.data, lines.size);
	buffer_release(&lines);
	return same;
}

static void trim_job(json_t *job)
{
	static const char *const read[] = {NOTE_TAKE_OVER, NOTE_PAUSED, NOTE_RESTART, NOTE_DROP_PENDING, NULL};
	json_t *notes = json_object_get(json_object_get(job, "metadata"), "annotations"), *value;
	const char *key;

	json_object_foreach(notes, key, value)
	{
		if (json_string_length(value) > (is_among(key, read) ? TEXT_MAX : SHOWN_TEXT_MAX))
			json_object_set_new(notes, key, as_many_lines(json_string_value(value)));
	}
}

static void keep_runtime_port(json_t *spec)
{
	static const char *const keys[] = {"name", "ports", NULL};
	json_t *kept = json_array(), *container;
	size_t index;

	json_array_foreach(json_object_get(spec, "containers"), index, container)
	{
		if (strcmp(object_text(container, "name", NULL), RUNTIME_CONTAINER) != 0)
			continue;
		keep(container, keys);
		drop_large(container, "ports");
		json_array_append(kept, container);
	}
	json_object_set_new(spec, "containers", kept);
}

/* The end of what a container said last, which is what a person is told (container.c). */
static void shorten_message(json_t *said)
{
	const char *text = json_string_value(json_object_get(said, "message"));
	size_t size = text ? strlen(text) : 0;

	if (size <= SAID_MAX)
		return;
	for (text += size - SAID_MAX; !text_is_utf8(slice_of(text));)
		text++; /* cut within a character */
	json_object_set_new(said, "message", json_string(text));
}

/* Several containers that end again and again, with all the words that Kubernetes takes, are no ballast. */
static void shorten_containers(json_t *list)
{
	static const char *const keys[] = {"name", "ready", "restartCount", "state", "lastState", NULL};
	static const char *const states[] = {"state", "lastState"};
	json_t *container;
	size_t index;

	json_array_foreach(list, index, container)
	{
		keep(container, keys);
		for (size_t i = 0; i < 2; i++) {
			shorten_message(json_object_get(json_object_get(container, states[i]), "terminated"));
			shorten_message(json_object_get(json_object_get(container, states[i]), "waiting"));
		}
	}
}

static void trim_pod(json_t *pod)
{
	static const char *const spec_keys[] = {"containers", "nodeName", "hostNetwork", NULL};
	static const char *const status_keys[] = {
	        "phase",  "podIP",   "conditions", "containerStatuses", "initContainerStatuses",
	        "reason", "message", NULL};
	json_t *spec = json_object_get(pod, "spec"), *status = json_object_get(pod, "status");

	keep(spec, spec_keys);
	keep_runtime_port(spec);
	keep(status, status_keys);
	if (is_large(status, "containerStatuses"))
		shorten_containers(json_object_get(status, "containerStatuses"));
	if (is_large(status, "initContainerStatuses"))
		shorten_containers(json_object_get(status, "initContainerStatuses"));
	for (size_t i = 0; status_keys[i]; i++)
		drop_large(status, status_keys[i]);
}

static void trim_service(json_t *service)
{
	static const char *const keys[] = {"clusterIP", "publishNotReadyAddresses", "selector", "ports", NULL};

	keep(json_object_get(service, "spec"), keys);
	drop_large(service, "spec");
}

/* The job file of that very hash: what is large is the StreamJob's own doing. */
static bool has_hash_of(const json_t *config_map, const char *text)
{
	const char *name = object_name(config_map);
	size_t size = strlen(name);
	char hex[HASH_SHA256_HEX];

	hash_sha256_hex(slice_of(text), hex);
	return size > HASH_DIGITS && !memcmp(name + size - HASH_DIGITS, hex, HASH_DIGITS);
}

static void trim_config_map(json_t *config_map)
{
	static const char *const file_keys[] = {JOB_FILE, NULL}, *const no_keys[] = {NULL};
	static const char *const place_keys[] = {PLACE_FILE, PLACE_WRITTEN, NULL};
	const char *component = object_label(config_map, LABEL_COMPONENT);
	bool is_file = !strcmp(component, COMPONENT_JOB_FILE);
	json_t *data = json_object_get(config_map, "data");

	keep(data, is_file ? file_keys : !strcmp(component, COMPONENT_PLACE) ? place_keys : no_keys);
	if (!is_file || !has_hash_of(config_map, object_text(data, JOB_FILE, NULL)))
		drop_large(config_map, "data");
}

/* The spec of that very hash, as a job file's; with its functions' code, where it has some (rollback.c). */
static void trim_revision(json_t *revision)
{
	json_t *spec = object_borrow(object_at(revision, "data", "spec", NULL));
	json_t *code = object_borrow(object_at(revision, "data", "code", NULL));
	json_t *both = spec && json_object_size(code) ? json_pack("[O, O]", spec, code) : NULL;
	const char *name = object_name(revision);
	size_t size = strlen(name);
	char hash[OBJECT_HASH_SIZE];

	object_hash(both ? both : revision, hash);
	if (spec && !both)
		object_hash(spec, hash);
	if (size < HASH_DIGITS || strcmp(name + size - HASH_DIGITS, hash) != 0)
		drop_large(revision, "data");
	json_decref(both);
}

/* A job has one, of its own name. */
static void trim_deployment(json_t *deployment)
{
	static const char *const head_keys[] = {"apiVersion", "kind", "metadata", NULL};

	char name[NAME_MAX_BYTES + 1];

	name_workload(object_text(object_controller(deployment), "name", NULL), name);
	if (strcmp(object_name(deployment), name) != 0)
		keep(deployment, head_keys);
	drop_large(deployment, "status");
}

#define MEMBERS_MAX 3

static const struct trim {
	const char *members[MEMBERS_MAX + 1]; /* beside the head */
	void (*more)(json_t *object);
	bool is_small; /* members larger than TRIM_PART_MAX are not kept */
} trims[KIND_COUNT] = {
        [KIND_SERVICE_ACCOUNT] = {{"automountServiceAccountToken"}, NULL, true},
        [KIND_NETWORK_POLICY] = {{"spec"}, NULL, true},
        [KIND_SERVICE] = {{"spec"}, trim_service, true},
        [KIND_CONFIG_MAP] = {{"immutable", "data"}, trim_config_map, false},
        [KIND_DEPLOYMENT] = {{"spec", "status"}, trim_deployment, false},
        [KIND_JOB] = {{"status"}, NULL, true},
        [KIND_REVISION] = {{"revision", "data"}, trim_revision, false},
        [KIND_BUDGET] = {{"spec"}, NULL, true},
        [KIND_POD] = {{"spec", "status"}, trim_pod, false},
};

static bool is_of_job(const json_t *controller)
{
	return !strcmp(object_text(controller, "kind", NULL), JOB_KIND) &&
	       !strncmp(object_text(controller, "apiVersion", NULL), JOB_GROUP, strlen(JOB_GROUP)) &&
	       is_short(controller, "name") && is_short(controller, "uid");
}

bool trim_keeps(enum kind kind, const json_t *object)
{
	if (!object_label(object, LABEL_INSTANCE)[0])
		return false;
	if (kind == KIND_JOB)
		return object_label(object, LABEL_JOB_UID)[0] != '\0';
	return kind == KIND_REPLICA_SET || kind == KIND_POD || is_of_job(object_controller(object));
}

void trim_object(enum kind kind, json_t *object)
{
	const struct trim *trim = &trims[kind];
	const char *keys[MEMBERS_MAX + 4] = {"apiVersion", "kind", "metadata"};

	if (kind == KIND_STREAM_JOB) {
		trim_job(object);
		return;
	}
	for (size_t i = 0; trim->members[i]; i++)
		keys[3 + i] = trim->members[i];
	keep(object, keys);
	if (trim->more)
		trim->more(object);
	trim_metadata(object);
	for (size_t i = 0; trim->is_small && trim->members[i]; i++)
		drop_large(object, trim->members[i]);
}
