#include "operator/reconcile/fill.h"

static bool has(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return value && !json_is_null(value);
}

/* Takes `value`. */
static void fill(json_t *object, const char *key, json_t *value)
{
	if (has(object, key))
		json_decref(value);
	else
		json_object_set_new(object, key, value);
}

static void fill_container(json_t *container)
{
	json_t *security;

	fill(container, "securityContext", json_object());
	security = json_object_get(container, "securityContext");
	fill(security, "allowPrivilegeEscalation", json_false());
	fill(security, "capabilities", json_object());
	fill(json_object_get(security, "capabilities"), "drop", json_pack("[s]", "ALL"));
}

void fill_restricted(json_t *template)
{
	static const char *const lists[] = {"containers", "initContainers"};
	json_t *spec = json_object_get(template, "spec"), *security, *container;
	size_t index;

	fill(spec, "securityContext", json_object());
	security = json_object_get(spec, "securityContext");
	fill(security, "runAsNonRoot", json_true());
	fill(security, "seccompProfile", json_object());
	fill(json_object_get(security, "seccompProfile"), "type", json_string("RuntimeDefault"));
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		json_array_foreach(json_object_get(spec, lists[i]), index, container)
		{
			fill_container(container);
		}
}

static bool writes_files(const struct jobspec *spec)
{
	for (size_t i = 0; i < spec->sinks_count; i++)
		if (spec->sinks[i].kind == SINK_FILE)
			return true;
	return spec->dead_letter.kind == SINK_FILE;
}

static bool outlives_the_pod(const json_t *volume)
{
	return has(volume, "persistentVolumeClaim") || has(volume, "ephemeral") || has(volume, "csi");
}

void fill_group(const struct view *view, json_t *template)
{
	json_t *security = json_object_get(json_object_get(template, "spec"), "securityContext"), *volume;
	size_t index;

	if (!writes_files(view->spec))
		return;
	json_array_foreach(object_at(view->job, "spec", "podTemplate", "spec", "volumes", NULL), index, volume)
	{
		if (!outlives_the_pod(volume))
			continue;
		json_object_set_new(security, "fsGroup", json_integer(RUNTIME_GROUP));
		json_object_set_new(security, "fsGroupChangePolicy", json_string("OnRootMismatch"));
	}
}
