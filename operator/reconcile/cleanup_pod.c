/* The batch Job of a clean-up and its pod. */
#include "operator/reconcile/cleanup.h"

#include <stdlib.h>

#include "lib/base/memory.h"
#include "operator/reconcile/desired.h"
#include "operator/reconcile/merge.h"
#include "operator/reconcile/mounts.h"
#include "operator/reconcile/pod.h"

#define CLEANUP_KEPT_S         300
#define CLEANUP_FILE_BYTES_MAX 65536 /* an object's annotations have 256 KiB together */

static bool is_one_of(const char *key, const char *const *keys)
{
	while (*keys && strcmp(*keys, key) != 0)
		keys++;
	return *keys;
}

/* A new object with those of its members. */
static json_t *some_of(const json_t *object, const char *const *keys)
{
	json_t *some = json_object(), *value;
	const char *key;

	json_object_foreach(object_borrow(object), key, value)
	{
		if (is_one_of(key, keys))
			json_object_set_new(some, key, json_deep_copy(value));
	}
	return some;
}

/* Volumes that hold what a container reads; a disk may still be another node's. */
static json_t *read_volumes(const json_t *given)
{
	static const char *const sources[] = {"configMap", "secret", "projected", "emptyDir", "csi", NULL};
	json_t *kept = json_array(), *volume, *value;
	const char *key;
	size_t index;

	json_array_foreach(given, index, volume)
	{
		json_object_foreach(volume, key, value)
		{
			if (is_one_of(key, sources)) {
				json_array_append(kept, volume);
				break;
			}
		}
	}
	return kept;
}

static json_t *mounts_of(const json_t *container, const json_t *volumes)
{
	json_t *kept = json_array(), *mount;
	size_t index;

	json_array_foreach(json_object_get(container, "volumeMounts"), index, mount)
	{
		if (list_find(volumes, list_key("volumes"), mount))
			json_array_append(kept, mount);
	}
	return kept;
}

/* Of the containers only the runtime's, with what it needs to run: no sidecars, which would keep the pod from ending.
 */
static json_t *container_of(const json_t *spec, const json_t *volumes)
{
	static const char *const keys[] = {"name", "env", "envFrom", "imagePullPolicy", NULL};
	json_t *containers = json_array(), *one;
	size_t index;

	json_array_foreach(json_object_get(spec, "containers"), index, one)
	{
		json_t *kept;

		if (strcmp(object_text(one, "name", NULL), RUNTIME_CONTAINER) != 0)
			continue;
		kept = some_of(one, keys);
		json_object_set_new(kept, "volumeMounts", mounts_of(one, volumes));
		json_array_append_new(containers, kept);
	}
	return containers;
}

/* A spec with problems was not held to the security standard nor to what the installation allows: of that one only what
 * says where the pod runs, and from where its image comes. */
static void merge_some(const struct view *view, json_t *template)
{
	static const char *const keys[] = {"imagePullSecrets",
	                                   "nodeSelector",
	                                   "tolerations",
	                                   "affinity",
	                                   "schedulerName",
	                                   "runtimeClassName",
	                                   "priorityClassName",
	                                   "dnsPolicy",
	                                   "dnsConfig",
	                                   "hostAliases",
	                                   NULL};
	static const char *const checked_keys[] = {"securityContext", NULL};
	static const char *const metadata_keys[] = {"labels", "annotations", NULL};
	const json_t *given = object_at(view->job, "spec", "podTemplate", "spec", NULL);
	const json_t *metadata = object_at(view->job, "spec", "podTemplate", "metadata", NULL);
	json_t *volumes = view->spec ? read_volumes(json_object_get(given, "volumes")) : json_array();
	json_t *spec = some_of(given, keys), *patch;

	if (view->spec)
		json_object_update_new(spec, some_of(given, checked_keys));
	json_object_set_new(spec, "containers", container_of(given, volumes));
	json_object_set_new(spec, "volumes", volumes);
	patch = json_pack("{s:o, s:o}", "metadata", some_of(view->spec ? metadata : NULL, metadata_keys), "spec", spec);
	merge_strategic(template, patch);
	json_decref(patch);
}

static void mount_secrets(const struct jobspec *file, struct mounts *mounts)
{
	json_t *item = json_pack("{s:s, s:{s:s}}", "path", JOB_FILE, "fieldRef", "fieldPath",
	                         "metadata.annotations['" NOTE_JOB_FILE "']");

	mounts_begin(json_pack("{s:{s:[o]}}", "downwardAPI", "items", item), mounts);
	for (size_t i = 0; i < file->sinks_count; i++)
		if (file->sinks[i].kind == SINK_PUSHGATEWAY)
			mounts_add_sink(mounts, &file->sinks[i], false);
}

/* Of a job file that is too large for an annotation, what deleting its groups needs: a job with the same groups. */
static void write_brief(const struct jobspec *file, struct buffer *text)
{
	struct column_spec column = {.name = "v", .type = TYPE_BIGINT, .path = "$.v"};
	struct aggregate_spec aggregate = {.name = "n", .expr = "COUNT(*)"};
	struct metric_spec metric = {.name = "n", .type = METRIC_GAUGE, .value = "n"};
	struct sink_spec *sinks = xcalloc(file->sinks_count + 1, sizeof(*sinks));
	struct jobspec brief = *file;

	if (brief.source.kind == SOURCE_DATAGEN) /* which names columns */
		brief.source = (struct source_spec){.kind = SOURCE_STDIN};
	brief.json =
	        (struct json_format){.on_bad_row = BAD_FAIL, .on_bad_field = BAD_FAIL, .on_missing_field = BAD_FAIL};
	brief.filter = brief.having = NULL;
	brief.select_count = brief.lateral_count = brief.functions_count = brief.sinks_count = 0;
	brief.group_by = (struct names){0};
	brief.dead_letter = (struct dead_letter_spec){.kind = SINK_NONE};
	brief.columns = &column;
	brief.aggregates = &aggregate;
	brief.columns_count = brief.aggregates_count = 1;
	brief.sinks = sinks;
	for (size_t i = 0; i < file->sinks_count; i++) {
		if (file->sinks[i].kind != SINK_PUSHGATEWAY)
			continue;
		sinks[brief.sinks_count] = file->sinks[i];
		sinks[brief.sinks_count].pushgateway.metrics = &metric;
		sinks[brief.sinks_count++].pushgateway.metrics_count = 1;
	}
	jobspec_canonical(&brief, text);
	free(sinks);
}

static json_t *cleanup_template(const struct view *view, const struct jobspec *file, const char *text, int64_t seconds)
{
	json_t *arguments = json_pack("[s, s, s, o, s, s]", "cleanup", JOB_DIR "/" JOB_FILE, "--timeout",
	                              json_sprintf("%llds", (long long)seconds), "--log-format", "json");
	json_t *labels = pod_labels(view, COMPONENT_CLEANUP), *template, *spec;
	struct buffer brief;
	struct mounts mounts;

	buffer_init(&brief);
	if (strlen(text) > CLEANUP_FILE_BYTES_MAX)
		write_brief(file, &brief);
	mount_secrets(file, &mounts);
	json_object_set_new(labels, LABEL_JOB_UID, json_string(view->uid));
	spec = pod_of_one(view, pod_container(view, arguments), &mounts, GRACE_MARGIN_S);
	json_object_set_new(spec, "restartPolicy", json_string("Never"));
	json_object_del(spec, "serviceAccountName"); /* the namespace's own: ours goes with the StreamJob; no token */
	template = json_pack("{s:{s:o, s:{s:s}}, s:o}", "metadata", "labels", labels, "annotations", NOTE_JOB_FILE,
	                     brief.size ? brief.data : text, "spec", spec);
	buffer_release(&brief);
	pod_note_job(view, json_object_get(template, "metadata"));
	merge_some(view, template);
	return template;
}

json_t *desired_cleanup(const struct view *view, const struct jobspec *file, const char *text, int64_t seconds)
{
	json_t *labels = pod_labels(view, COMPONENT_CLEANUP), *spec, *object;
	char name[NAME_MAX_BYTES + 1];

	cleanup_name(view, name);
	json_object_set_new(labels, LABEL_JOB_UID, json_string(view->uid));
	spec = json_pack("{s:i, s:I, s:i, s:o}", "backoffLimit", 2, "activeDeadlineSeconds", (json_int_t)seconds,
	                 "ttlSecondsAfterFinished", CLEANUP_KEPT_S, "template",
	                 cleanup_template(view, file, text, seconds));
	object = json_pack("{s:s, s:s, s:{s:s, s:s, s:o}, s:o}", "apiVersion", kind_names[KIND_JOB].api_version, "kind",
	                   kind_names[KIND_JOB].kind, "metadata", "name", name, "namespace", view->namespace, "labels",
	                   labels, "spec", spec);
	pod_note_job(view, json_object_get(object, "metadata"));
	return object;
}
