/* resources and podTemplate: only what a team may set; what the operator and the security standard set is theirs. */
#include <jansson.h>

#include "lib/base/buffer.h"
#include "lib/spec/check/check.h"

#define RUNTIME_CONTAINER "streamjob"
#define OPERATOR_VOLUMES  "streamjob-"
#define OPERATOR_FOLDER   "/etc/streamjob"

struct known { /* names end in NULL */
	const char *const *names;
	const char *right;
};

static const struct known resource_fields = {(const char *const[]){"requests", "limits", "claims", NULL},
                                             "known here: requests, limits and claims"};
static const struct known template_fields = {(const char *const[]){"metadata", "spec", NULL},
                                             "known here: metadata and spec"};
static const struct known metadata_fields = {(const char *const[]){"labels", "annotations", NULL},
                                             "known here: labels and annotations"};
static const struct known pod_fields = {
        (const char *const[]){"affinity", "containers", "dnsConfig", "dnsPolicy", "hostAliases", "imagePullSecrets",
                              "initContainers", "nodeSelector", "priorityClassName", "runtimeClassName",
                              "schedulerName", "securityContext", "serviceAccountName", "tolerations",
                              "topologySpreadConstraints", "volumes", NULL},
        "a pod template may set affinity, containers, dnsConfig, dnsPolicy, hostAliases, imagePullSecrets, "
        "initContainers, nodeSelector, priorityClassName, runtimeClassName, schedulerName, securityContext, "
        "serviceAccountName, tolerations, topologySpreadConstraints and volumes"};
static const struct known container_fields = {
        (const char *const[]){"name", "env", "envFrom", "volumeMounts", NULL},
        "of the runtime's container a template may set env, envFrom and volumeMounts"};

static bool is_known(const struct known *known, const char *key)
{
	for (size_t i = 0; known->names[i]; i++)
		if (!strcmp(known->names[i], key))
			return true;
	return false;
}

/* False where it is no object; all fields of it that are not known are problems. */
static bool check_object(json_t *json, const struct known *known, const char *path, struct problems *problems)
{
	const char *key;
	json_t *value;

	if (!json_is_object(json)) {
		check_problem(problems, path, "write an object", "is not an object");
		return false;
	}
	json_object_foreach(json, key, value)
	{
		if (!is_known(known, key))
			check_problem(problems, path_member(&problems->arena, path, slice_of(key)), known->right,
			              "is not for a StreamJob to set");
	}
	return true;
}

static void check_labels(const json_t *metadata, const char *which, struct problems *problems)
{
	const char *path = arena_printf(&problems->arena, "spec.podTemplate.metadata.%s", which), *key;
	json_t *labels = json_object_get(metadata, which), *value;

	if (labels && !json_is_object(labels))
		check_problem(problems, path, "write a map of strings", "is not a map");
	json_object_foreach(labels, key, value)
	{
		const char *place = path_member(&problems->arena, path, slice_of(key));

		if (!json_is_string(value))
			check_problem(problems, place, "quote it", "is not a string");
		if (!strncmp(key, "app.kubernetes.io/", 18) || !strncmp(key, "streamjob.dev/", 14))
			check_problem(problems, place, "choose another name", "is the operator's");
		if (!strcmp(which, "annotations"))
			check_standard_annotation(key, value, place, problems);
	}
}

/* What the operator mounts keeps its names and places. */
static void check_mounts(const json_t *container, const char *place, struct problems *problems)
{
	json_t *mounts = json_object_get(container, "volumeMounts"), *mount;
	size_t index;

	json_array_foreach(mounts, index, mount)
	{
		const char *path = json_string_value(json_object_get(mount, "mountPath"));

		if (path && !strncmp(path, OPERATOR_FOLDER, sizeof(OPERATOR_FOLDER) - 1))
			check_problem(problems, arena_printf(&problems->arena, "%s.volumeMounts[%zu]", place, index),
			              "mount it elsewhere", "a folder of the operator");
	}
}

/* Directives of a strategic merge ("$patch", and null) would take out what the operator sets. */
static void check_nulls(json_t *json, const char *path, struct problems *problems)
{
	const char *key;
	json_t *value;

	json_object_foreach(json, key, value)
	{
		if (json_is_null(value))
			check_problem(problems, path_member(&problems->arena, path, slice_of(key)), "leave it out",
			              "is null");
	}
}

static void check_directives(json_t *json, const char *path, struct problems *problems)
{
	const char *key;
	size_t index;
	json_t *value;

	json_array_foreach(json, index, value)
	{
		check_directives(value, path_item(&problems->arena, path, index), problems);
	}
	json_object_foreach(json, key, value)
	{
		const char *place = path_member(&problems->arena, path, slice_of(key));

		if (key[0] == '$')
			check_problem(problems, place, "leave it out", "directives of a merge are not taken");
		check_directives(value, place, problems);
	}
}

static void check_runtime_container(json_t *container, const char *place, struct problems *problems)
{
	if (!check_object(container, &container_fields, place, problems))
		return;
	check_nulls(container, place, problems);
	check_mounts(container, place, problems);
}

static void check_containers(const json_t *spec, const char *which, struct problems *problems)
{
	const char *path = arena_printf(&problems->arena, "spec.podTemplate.spec.%s", which);
	json_t *containers = json_object_get(spec, which), *container;
	size_t index;

	if (containers && !json_is_null(containers) && !json_is_array(containers))
		check_problem(problems, path, "write a list of containers", "is not a list");
	json_array_foreach(containers, index, container)
	{
		const char *place = path_item(&problems->arena, path, index);
		const char *name = json_string_value(json_object_get(container, "name"));

		if (!name)
			check_problem(problems, place, "give it a name; the runtime's is " RUNTIME_CONTAINER,
			              "a container without a name");
		else if (!strcmp(name, RUNTIME_CONTAINER) && !strcmp(which, "containers"))
			check_runtime_container(container, place, problems);
		check_standard_container(container, place, problems);
	}
}

static void check_volumes(const json_t *spec, struct problems *problems)
{
	json_t *volumes = json_object_get(spec, "volumes"), *volume;
	size_t index;

	if (volumes && !json_is_null(volumes) && !json_is_array(volumes))
		check_problem(problems, "spec.podTemplate.spec.volumes", "write a list of volumes", "is not a list");
	json_array_foreach(volumes, index, volume)
	{
		const char *place = path_item(&problems->arena, "spec.podTemplate.spec.volumes", index);
		const char *name = json_string_value(json_object_get(volume, "name"));

		if (!name)
			check_problem(problems, place, "give it a name", "a volume without a name");
		else if (!strncmp(name, OPERATOR_VOLUMES, sizeof(OPERATOR_VOLUMES) - 1))
			check_problem(problems, place, "choose another name",
			              "names that begin with " OPERATOR_VOLUMES " are the operator's");
		check_standard_volume(volume, place, problems);
	}
}

void check_pods(const struct jobspec *job, struct problems *problems)
{
	const struct cluster_spec *cluster = &job->cluster;
	json_t *json, *part;

	if (cluster->resources) {
		json = json_loads(cluster->resources, 0, NULL);
		check_object(json, &resource_fields, "spec.resources", problems);
		json_decref(json);
	}
	if (!cluster->pod_template)
		return;
	json = json_loads(cluster->pod_template, 0, NULL);
	check_object(json, &template_fields, "spec.podTemplate", problems);
	check_directives(json, "spec.podTemplate", problems);
	check_twice(json, "spec.podTemplate", problems);
	part = json_object_get(json, "metadata");
	if (part && check_object(part, &metadata_fields, "spec.podTemplate.metadata", problems)) {
		check_labels(part, "labels", problems);
		check_labels(part, "annotations", problems);
	}
	part = json_object_get(json, "spec");
	if (part && check_object(part, &pod_fields, "spec.podTemplate.spec", problems)) {
		check_nulls(part, "spec.podTemplate.spec", problems);
		check_standard_pod(part, "spec.podTemplate.spec", problems);
		check_containers(part, "containers", problems);
		check_containers(part, "initContainers", problems);
		check_volumes(part, problems);
	}
	json_decref(json);
}
