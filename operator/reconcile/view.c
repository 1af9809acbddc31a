#include "operator/reconcile/view.h"

const json_t *view_child(const struct view *view, enum kind kind, const char *name)
{
	const json_t *child = object_named(view->observed->children[kind], name);

	return child && object_is_controlled(child, view->uid) ? child : NULL;
}

const json_t *view_leftover(const struct view *view, enum kind kind, const char *name)
{
	const json_t *child = object_named(view->observed->children[kind], name);

	return child && object_is_of_earlier(child, view->name, view->uid) ? child : NULL;
}

void view_child_name(const struct view *view, enum kind kind, const char *spec_hash, char ret_name[NAME_MAX_BYTES + 1])
{
	char suffix[sizeof(view->spec->spec_hash) + 1];

	switch (kind) {
	case KIND_SERVICE:
		name_service(view->name, ret_name);
		return;
	case KIND_CONFIG_MAP:
	case KIND_REVISION:
		snprintf(suffix, sizeof(suffix), "-%.16s", spec_hash);
		name_child(view->name, suffix, NAME_MAX_BYTES, ret_name);
		return;
	case KIND_STREAM_JOB:
	case KIND_SERVICE_ACCOUNT:
	case KIND_NETWORK_POLICY:
	case KIND_DEPLOYMENT:
	case KIND_JOB:
	case KIND_BUDGET:
	case KIND_REPLICA_SET:
	case KIND_POD:
	case KIND_COUNT:
		name_workload(view->name, ret_name);
		return;
	}
}

void view_place_name(const struct view *view, char ret_name[NAME_MAX_BYTES + 1])
{
	name_child(view->name, "-place", NAME_MAX_BYTES, ret_name);
}

bool is_job_file(const json_t *config_map)
{
	return !strcmp(object_label(config_map, LABEL_COMPONENT), COMPONENT_JOB_FILE);
}

const json_t *view_deployment(const struct view *view)
{
	char name[NAME_MAX_BYTES + 1];

	name_workload(view->name, name);
	return view_child(view, KIND_DEPLOYMENT, name);
}

const char *view_take_over(const struct view *view)
{
	return object_text(view->job, "metadata", "annotations", NOTE_TAKE_OVER, NULL);
}

const char *view_drop_pending(const struct view *view)
{
	return object_text(view->job, "metadata", "annotations", NOTE_DROP_PENDING, NULL);
}

const char *view_deployed_note(const struct view *view, const char *note)
{
	return object_text(view_deployment(view), "spec", "template", "metadata", "annotations", note, NULL);
}

const char *view_deployed_hash(const struct view *view)
{
	return view_deployed_note(view, NOTE_SPEC_HASH);
}

bool pod_is_gone(const json_t *pod)
{
	const char *phase = object_text(pod, "status", "phase", NULL);

	return !strcmp(phase, "Succeeded") || !strcmp(phase, "Failed");
}

size_t view_count_pods(const struct view *view, bool ours, bool leaving_only)
{
	size_t index, count = 0;
	json_t *pod;

	json_array_foreach(view->observed->children[KIND_POD], index, pod)
	{
		if (strcmp(object_label(pod, LABEL_COMPONENT), COMPONENT_RUNTIME) != 0 || pod_is_gone(pod))
			continue;
		if ((strcmp(object_label(pod, LABEL_JOB_UID), view->uid) == 0) != ours)
			continue;
		count += !leaving_only || object_is_deleted(pod);
	}
	return count;
}
