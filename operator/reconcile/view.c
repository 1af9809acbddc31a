#include "operator/reconcile/view.h"

#include "operator/reconcile/allowed.h"
#include "operator/reconcile/manifest.h"

/*
 * The spec is loaded from the YAML that kubectl shows for the object, so that a problem's line is one that a user can
 * look up: `kubectl get streamjob NAME -o yaml`.
 */
void view_load(const struct view *view, const json_t *job, struct problems *problems, struct jobspecs *ret_jobs)
{
	json_t *shown = json_copy(object_borrow(job)), *metadata = json_copy(json_object_get(job, "metadata"));
	struct buffer text;

	json_object_del(metadata, "managedFields");
	json_object_set_new(shown, "metadata", metadata);
	json_object_del(shown, "status");
	json_object_set_new(shown, "apiVersion", json_string(JOB_API_VERSION));
	json_object_set_new(shown, "kind", json_string(JOB_KIND));
	buffer_init(&text);
	manifest_write(shown, &text);
	jobspecs_load_live(view->name, buffer_slice(&text), problems, ret_jobs);
	allowed_check(view, job, problems);
	buffer_release(&text);
	json_decref(shown);
}

static void load_spec(struct view *view)
{
	view_load(view, view->job, &view->problems, &view->jobs);
	view->spec = view->jobs.count && !view->problems.count ? view->jobs.items[0] : NULL;
}

void view_init(struct view *view, const struct observed *observed, const struct settings *settings)
{
	*view = (struct view){.observed = observed,
	                      .settings = settings,
	                      .job = observed->job,
	                      .name = object_name(observed->job),
	                      .namespace = object_text(observed->job, "metadata", "namespace", NULL),
	                      .uid = object_uid(observed->job),
	                      .deleting = object_is_deleted(observed->job)};
	problems_init(&view->problems);
	problems_init(&view->unknown);
	view->problems.unknown = &view->unknown;
	load_spec(view);
	rollback_find(view);
	if (view->spec)
		previous_find(view, &view->previous);
	if (view->spec)
		rollout_next(view, &view->rollout);
	else
		rollout_last(view, &view->rollout);
	update_find(view, &view->update);
}

void view_release(struct view *view)
{
	rollback_release(&view->rollback);
	previous_release(&view->previous);
	jobspecs_release(&view->jobs);
	problems_release(&view->problems);
	problems_release(&view->unknown);
}

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
		name_child(view->name, "", NAME_MAX_BYTES, ret_name);
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
	return view_child(view, KIND_DEPLOYMENT, view->name);
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
