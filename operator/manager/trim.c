#include "operator/manager/trim.h"

#include <string.h>

#include "operator/reconcile/names.h"
#include "operator/reconcile/object.h"

#define INDEX_KIND "Instance"

static void add_index(json_t *object)
{
	json_t *metadata = json_object_get(object, "metadata"), *owners = json_array();
	json_t *uid = json_sprintf("%s/%s", object_text(object, "metadata", "namespace", NULL), object_job(object));

	json_array_append_new(owners, json_pack("{s:s, s:o, s:b}", "kind", INDEX_KIND, "uid", uid, "controller", 1));
	json_array_extend(owners, json_object_get(metadata, "ownerReferences"));
	json_object_set_new(metadata, "ownerReferences", owners);
}

static void keep(json_t *object, const char *const *keys)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(object, next, key, value)
	{
		size_t i = 0;

		while (keys[i] && strcmp(key, keys[i]) != 0)
			i++;
		if (!keys[i])
			json_object_del(object, key);
	}
}

/* A pod is large, and little of it is read. */
static void trim_pod(json_t *pod)
{
	static const char *const spec_keys[] = {"containers", "nodeName", "hostNetwork", NULL};
	static const char *const container_keys[] = {"name", "ports", NULL};
	static const char *const status_keys[] = {
	        "phase",  "podIP",   "conditions", "containerStatuses", "initContainerStatuses",
	        "reason", "message", NULL};
	json_t *spec = json_object_get(pod, "spec"), *container;
	size_t index;

	add_index(pod);
	keep(spec, spec_keys);
	json_array_foreach(json_object_get(spec, "containers"), index, container)
	{
		keep(container, container_keys);
	}
	keep(json_object_get(pod, "status"), status_keys);
}

/* Whose it is, and its revision. */
static void trim_replica_set(json_t *replica_set)
{
	static const char *const metadata_keys[] = {
	        "name",        "namespace", "uid", "resourceVersion", "creationTimestamp", "ownerReferences",
	        "annotations", "labels",    NULL};
	static const char *const note_keys[] = {"deployment.kubernetes.io/revision", NULL};
	static const char *const label_keys[] = {LABEL_INSTANCE, NULL};
	json_t *metadata = json_object_get(replica_set, "metadata");

	add_index(replica_set);
	keep(metadata, metadata_keys);
	keep(json_object_get(metadata, "annotations"), note_keys);
	keep(json_object_get(metadata, "labels"), label_keys);
}

/* What a kept copy of code holds is never read here. */
static void trim_config_map(json_t *config_map)
{
	add_index(config_map);
	if (!strcmp(object_label(config_map, LABEL_COMPONENT), COMPONENT_CODE)) {
		json_object_del(config_map, "data");
		json_object_del(config_map, "binaryData");
	}
}

void (*trim_of(enum kind kind))(json_t *object)
{
	if (kind == KIND_CONFIG_MAP)
		return trim_config_map;
	if (kind == KIND_STREAM_JOB)
		return NULL;
	if (kind == KIND_REPLICA_SET)
		return trim_replica_set;
	return kind == KIND_POD ? trim_pod : add_index;
}
