#include "operator/reconcile/plan.h"

#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "operator/reconcile/container.h"
#include "operator/reconcile/desired.h"
#include "operator/reconcile/groups.h"
#include "operator/reconcile/life.h"
#include "operator/reconcile/place.h"
#include "operator/reconcile/steps.h"

#define NOTE_TEXT_MAX   512 /* bytes of an annotation in an Event */
#define CONFIG_MAPS_MAX 16  /* of a job; past it earlier job files go as soon as no pod runs them */

const char *const verb_names[] = {[VERB_CREATE] = "create",
                                  [VERB_APPLY] = "apply",
                                  [VERB_DELETE] = "delete",
                                  [VERB_MERGE] = "merge",
                                  [VERB_COPY_CODE] = "copy"};

static bool pushes(const struct jobspec *spec)
{
	for (size_t i = 0; i < spec->sinks_count; i++)
		if (spec->sinks[i].kind == SINK_PUSHGATEWAY)
			return true;
	return false;
}

static bool plan_leftovers(struct plan *plan)
{
	char name[NAME_MAX_BYTES + 1];
	bool any = false;

	for (size_t i = 0; i < DESIRED_KINDS; i++) {
		view_child_name(plan->view, desired_kinds[i], plan->view->spec->spec_hash, name);
		any = plan_leftover(plan, desired_kinds[i], name) || any;
	}
	view_place_name(plan->view, name);
	return plan_leftover(plan, KIND_CONFIG_MAP, name) || any;
}

/* A job without pods needs none; one that is there stays. */
static const json_t *view_budget(const struct view *view)
{
	char name[NAME_MAX_BYTES + 1];

	name_workload(view->name, name);
	return view_child(view, KIND_BUDGET, name);
}

static bool needs_budget(const struct view *view)
{
	return !view->observed->no_budgets && view->spec->cluster.evictions != EVICTIONS_LEAVE &&
	       (pods_wanted(view) || view_budget(view));
}

/* Ours goes where the job has one of its owner's. */
static void plan_no_budget(struct plan *plan)
{
	const json_t *budget = view_budget(plan->view);

	if (budget && plan->view->spec->cluster.evictions == EVICTIONS_LEAVE && !plan->view->observed->no_budgets)
		plan_delete(plan, KIND_BUDGET, budget);
}

static void plan_children(struct plan *plan)
{
	int replicas = pods_allowed(plan->view);
	char name[NAME_MAX_BYTES + 1];

	for (size_t i = 0; i < DESIRED_KINDS; i++) {
		enum kind kind = desired_kinds[i];

		if (kind == KIND_BUDGET && !needs_budget(plan->view))
			continue;
		view_child_name(plan->view, kind, plan->view->spec->spec_hash, name);
		if (kind == KIND_DEPLOYMENT && plan->view->update.held)
			plan_scale(plan, view_child(plan->view, kind, name), replicas);
		else
			plan_apply(plan, kind, desired_child(plan->view, kind, replicas),
			           view_child(plan->view, kind, name));
	}
}

/* What an annotation asks for and the pods do not do yet. */
static void plan_annotations(struct plan *plan)
{
	const char *other = view_take_over(plan->view), *drop = view_drop_pending(plan->view);

	if (other[0] && strcmp(other, view_deployed_note(plan->view, NOTE_TAKE_OVER)) != 0)
		plan_event(plan, false, "TakeOver",
		           json_sprintf("the pods go on with the job of %.*s, where the group of the source is that "
		                        "one's; once Ready, take the annotation " NOTE_TAKE_OVER " away",
		                        (int)text_cut(other, NOTE_TEXT_MAX), other));
	if (drop[0] && strcmp(drop, view_deployed_note(plan->view, NOTE_DROP_PENDING)) != 0)
		plan_event(plan, false, "DropPending",
		           json_sprintf("the pods give up a window that the query %.*s began and did not finish; once "
		                        "Ready, take the annotation " NOTE_DROP_PENDING " away",
		                        (int)text_cut(drop, NOTE_TEXT_MAX), drop));
}

/* The new job file is what every pod runs: the Deployment says so, its controller has seen it, and no pod is older. */
static bool is_rolled_out(const struct view *view)
{
	const json_t *deployment = view_deployment(view);
	size_t index;
	json_t *pod;

	if (!deployment || strcmp(view_deployed_hash(view), view->spec->spec_hash) != 0 ||
	    object_integer(deployment, "status", "observedGeneration", NULL) <
	            object_integer(deployment, "metadata", "generation", NULL))
		return false;
	json_array_foreach(view->observed->children[KIND_POD], index, pod)
	{
		if (!strcmp(object_label(pod, LABEL_COMPONENT), COMPONENT_RUNTIME) && !pod_is_gone(pod) &&
		    strcmp(object_text(pod, "metadata", "annotations", NOTE_SPEC_HASH, NULL), view->spec->spec_hash) !=
		            0)
			return false;
	}
	return true;
}

static bool has_ready_pod(const struct view *view)
{
	size_t index;
	json_t *pod;

	json_array_foreach(view->observed->children[KIND_POD], index, pod)
	{
		if (!strcmp(object_label(pod, LABEL_COMPONENT), COMPONENT_RUNTIME) && !object_is_deleted(pod) &&
		    json_is_true(json_object_get(container_status(pod), "ready")))
			return true;
	}
	return false;
}

/* Earlier job files stay until data flows with the new one: one of them may be needed to end a window that it began.
 * Those that the pods' template names stay for as long as it does. */
static void plan_collect(struct plan *plan)
{
	const struct view *view = plan->view;
	char current[NAME_MAX_BYTES + 1];
	size_t index;
	json_t *old;

	if (!is_rolled_out(view) ||
	    (!has_ready_pod(view) && json_array_size(view->observed->children[KIND_CONFIG_MAP]) <= CONFIG_MAPS_MAX))
		return;
	view_child_name(view, KIND_CONFIG_MAP, view->spec->spec_hash, current);
	json_array_foreach(view->observed->children[KIND_CONFIG_MAP], index, old)
	{
		if (object_is_controlled(old, view->uid) && strcmp(object_name(old), current) != 0 &&
		    is_job_file(old) && !previous_has(&view->previous, object_name(old)))
			plan_delete(plan, KIND_CONFIG_MAP, old);
	}
}

static void plan_good_spec(struct plan *plan)
{
	const struct view *view = plan->view;
	bool finalizer = view->spec->cluster.deletion.pushgateway == DELETION_DELETE && pushes(view->spec);

	if (plan_leftovers(plan))
		return;
	if (finalizer != job_has_finalizer(view))
		plan_finalizer(plan, finalizer);
	plan_annotations(plan);
	plan_place(plan);
	plan_children(plan);
	plan_no_budget(plan);
	plan_collect(plan);
	plan_revision(plan);
}

static void drop_all(struct plan *plan)
{
	for (size_t i = 0; i < plan->steps_count; i++)
		json_decref(plan->steps[i].object);
	for (size_t i = 0; i < plan->events_count; i++)
		json_decref(plan->events[i].note);
	plan->steps_count = plan->events_count = 0;
}

static void hold_back(struct plan *plan)
{
	plan->view->held_back = plan->steps_count > 0;
	drop_all(plan);
}

void plan_make(const struct observed *observed, const struct settings *settings, struct plan *ret_plan)
{
	*ret_plan = (struct plan){.view = xcalloc(1, sizeof(struct view))};
	view_init(ret_plan->view, observed, settings);
	if (ret_plan->view->deleting)
		plan_deletion(ret_plan);
	else if (observed->namespace_ends)
		plan_again(ret_plan, NAMESPACE_ENDS_MS);
	else if (ret_plan->view->spec && !groups_hold_back(ret_plan->view))
		plan_good_spec(ret_plan);
	if (!ret_plan->view->deleting && life_is_paused(ret_plan->view))
		hold_back(ret_plan);
}

bool plan_waits(const struct plan *plan)
{
	return plan->view->update.held && !plan->view->update.lost;
}

void plan_release(struct plan *plan)
{
	drop_all(plan);
	if (plan->view)
		view_release(plan->view);
	free(plan->view);
	*plan = (struct plan){0};
}
