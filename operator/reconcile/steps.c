#include "operator/reconcile/steps.h"

#include "operator/reconcile/differs.h"
#include "operator/reconcile/life.h"

#define LEFTOVER_MS 2000 /* the garbage collector takes about so long */

void plan_step(struct plan *plan, enum verb verb, enum kind kind, json_t *object)
{
	if (plan->steps_count == PLAN_STEPS_MAX) {
		json_decref(object);
		plan_again(plan, 1);
		return;
	}
	plan->steps[plan->steps_count++] = (struct step){verb, kind, object};
}

void plan_event(struct plan *plan, bool warning, const char *reason, json_t *note)
{
	if (plan->events_count == PLAN_EVENTS_MAX) {
		json_decref(note);
		return;
	}
	plan->events[plan->events_count++] = (struct event){warning, reason, note ? note : json_string(reason)};
}

void plan_again(struct plan *plan, int64_t ms)
{
	if (!plan->again_ms || ms < plan->again_ms)
		plan->again_ms = ms > 0 ? ms : 1;
}

/* {apiVersion, kind, metadata: {name, namespace, uid}}: which object is meant, and that it is still that one. */
static json_t *identity(enum kind kind, const json_t *live)
{
	return json_pack("{s:s, s:s, s:{s:s, s:s, s:s}}", "apiVersion", kind_names[kind].api_version, "kind",
	                 kind_names[kind].kind, "metadata", "name", object_name(live), "namespace",
	                 object_text(live, "metadata", "namespace", NULL), "uid", object_uid(live));
}

void plan_delete(struct plan *plan, enum kind kind, const json_t *live)
{
	if (!object_is_deleted(live))
		plan_step(plan, VERB_DELETE, kind, identity(kind, live));
}

void plan_apply(struct plan *plan, enum kind kind, json_t *desired, const json_t *live)
{
	if (!live) {
		plan_step(plan, VERB_CREATE, kind, desired);
		return;
	}
	if (object_is_deleted(live) || !object_differs(desired, live)) {
		json_decref(desired);
		return;
	}
	json_object_set_new(json_object_get(desired, "metadata"), "uid", json_string(object_uid(live)));
	plan_step(plan, VERB_APPLY, kind, desired);
}

void plan_scale(struct plan *plan, const json_t *live, int replicas)
{
	json_t *patch;

	if (object_is_deleted(live) || object_integer(live, "spec", "replicas", NULL) == replicas)
		return;
	patch = identity(KIND_DEPLOYMENT, live);
	json_object_set_new(json_object_get(patch, "metadata"), "resourceVersion",
	                    json_string(object_text(live, "metadata", "resourceVersion", NULL)));
	json_object_set_new(patch, "spec", json_pack("{s:i}", "replicas", replicas));
	plan_step(plan, VERB_MERGE, KIND_DEPLOYMENT, patch);
}

bool plan_leftover(struct plan *plan, enum kind kind, const char *name)
{
	const json_t *leftover = view_leftover(plan->view, kind, name);

	if (!leftover)
		return false;
	plan_delete(plan, kind, leftover);
	plan_again(plan, LEFTOVER_MS);
	return true;
}

bool job_has_finalizer(const struct view *view)
{
	size_t index;
	json_t *finalizer;

	json_array_foreach(object_at(view->job, "metadata", "finalizers", NULL), index, finalizer)
	{
		if (!strcmp(json_string_value(finalizer), PUSH_FINALIZER))
			return true;
	}
	return false;
}

void plan_finalizer(struct plan *plan, bool present)
{
	const struct view *view = plan->view;
	json_t *finalizers = json_array(), *patch, *finalizer;
	size_t index;

	json_array_foreach(object_at(view->job, "metadata", "finalizers", NULL), index, finalizer)
	{
		if (strcmp(json_string_value(finalizer), PUSH_FINALIZER) != 0)
			json_array_append(finalizers, finalizer);
	}
	if (present)
		json_array_append_new(finalizers, json_string(PUSH_FINALIZER));
	patch = identity(KIND_STREAM_JOB, view->job);
	json_object_set_new(json_object_get(patch, "metadata"), "finalizers", finalizers);
	json_object_set_new(json_object_get(patch, "metadata"), "resourceVersion",
	                    json_string(object_text(view->job, "metadata", "resourceVersion", NULL)));
	plan_step(plan, VERB_MERGE, KIND_STREAM_JOB, patch);
}

int pods_wanted(const struct view *view)
{
	const struct cluster_spec *cluster = &view->spec->cluster;

	return cluster->suspend || life_has_ended(view) ? 0 : (int)cluster->parallelism;
}

int pods_allowed(const struct view *view)
{
	const json_t *deployment = view_deployment(view);
	bool starts = !deployment || !object_integer(deployment, "spec", "replicas", NULL);
	bool draining = view_count_pods(view, true, true) + view_count_pods(view, false, false) > 0;

	return starts && draining ? 0 : pods_wanted(view);
}
