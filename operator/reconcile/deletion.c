/*
 * A StreamJob that is being deleted, with our finalizer on it: pods drain first, then a batch Job of the runtime
 * deletes the Pushgateway groups, then the finalizer goes. All within deletionPolicy.timeout: a gateway, an image or a
 * node that is away holds a deletion up no longer than that.
 *
 * Without the finalizer there is nothing to do: the API server's garbage collector takes the children, pods drain.
 */
#include "lib/base/text.h"
#include "operator/reconcile/desired.h"
#include "operator/reconcile/mounts.h"
#include "operator/reconcile/steps.h"

#define TIMEOUT_DEFAULT_MS 60000 /* where the spec's own cannot be read */

static int64_t remaining_ms(const struct view *view)
{
	const char *text = object_text(view->job, "spec", "deletionPolicy", "timeout", NULL);
	int64_t timeout_ms = TIMEOUT_DEFAULT_MS, wall_ms;
	struct error err;

	(void)text_parse_duration(slice_of(text), &timeout_ms, &err);
	wall_ms = view->observed->now_ms - object_time(object_text(view->job, "metadata", "deletionTimestamp", NULL));
	/* Two clocks: the API server's says when it began, also before this process; ours does not jump. */
	return timeout_ms - (wall_ms > view->observed->deleting_ms ? wall_ms : view->observed->deleting_ms);
}

/* The job file that ran last: the Deployment's, else the newest. */
static const json_t *last_job_file(const struct view *view)
{
	char deployed[NAME_MAX_BYTES + 1];
	const json_t *newest = NULL;
	size_t index;
	json_t *one;

	view_child_name(view, KIND_CONFIG_MAP, view_deployed_hash(view), deployed);
	json_array_foreach(view->observed->children[KIND_CONFIG_MAP], index, one)
	{
		if (!object_is_controlled(one, view->uid) || object_is_deleted(one) || !is_job_file(one))
			continue;
		if (!strcmp(object_name(one), deployed))
			return one;
		if (!newest || strcmp(object_text(one, "metadata", "creationTimestamp", NULL),
		                      object_text(newest, "metadata", "creationTimestamp", NULL)) > 0)
			newest = one;
	}
	return newest;
}

/* Of a batch Job, in the words of its controller; "" while it runs. */
static const char *ended(const json_t *job, const char *type)
{
	const json_t *condition = object_condition(object_at(job, "status", "conditions", NULL), type);

	if (strcmp(object_text(condition, "status", NULL), "True") != 0)
		return "";
	return object_text(condition, "message", NULL)[0] ? object_text(condition, "message", NULL) : type;
}

static void plan_cleanup(struct plan *plan, const json_t *config_map, const struct jobspec *file)
{
	const struct view *view = plan->view;
	char name[NAME_MAX_BYTES + 1];
	const json_t *job;

	view_child_name(view, KIND_JOB, NULL, name);
	job = view_child(view, KIND_JOB, name);
	if (plan_leftover(plan, KIND_JOB, name))
		return;
	if (!job) {
		plan_step(plan, VERB_CREATE, KIND_JOB,
		          desired_cleanup(view, file, object_name(config_map), (remaining_ms(view) + 999) / 1000));
	} else if (ended(job, "Complete")[0]) {
		plan_event(plan, false, "PushgatewayCleaned",
		           json_string("deleted the groups of the Pushgateway sinks"));
		plan_finalizer(plan, false);
	} else if (ended(job, "Failed")[0]) {
		plan_event(plan, true, "CleanupFailed",
		           json_sprintf("the groups of the Pushgateway sinks could not be deleted: %s; see the logs of "
		                        "Job %s, and delete them by hand",
		                        ended(job, "Failed"), name));
		plan_finalizer(plan, false);
	}
}

static bool has_groups(const struct jobspecs *jobs)
{
	for (size_t i = 0; jobs->count && i < jobs->items[0]->sinks_count; i++)
		if (jobs->items[0]->sinks[i].kind == SINK_PUSHGATEWAY)
			return true;
	return false;
}

static void plan_groups(struct plan *plan)
{
	const json_t *config_map = last_job_file(plan->view);
	struct problems problems;
	struct jobspecs jobs;

	problems_init(&problems);
	jobspecs_load_live(JOB_FILE, slice_of(object_text(config_map, "data", JOB_FILE, NULL)), &problems, &jobs);
	if (has_groups(&jobs))
		plan_cleanup(plan, config_map, jobs.items[0]);
	else
		plan_finalizer(plan, false); /* nothing ever ran that pushes */
	jobspecs_release(&jobs);
	problems_release(&problems);
}

/* Scales the Deployment to nothing; true once no pod is left. */
static bool drain(struct plan *plan)
{
	const json_t *deployment = view_deployment(plan->view);

	if (object_integer(deployment, "spec", "replicas", NULL) && !object_is_deleted(deployment))
		plan_step(plan, VERB_MERGE, KIND_DEPLOYMENT,
		          json_pack("{s:{s:s, s:s, s:s, s:s}, s:{s:i}}", "metadata", "name", object_name(deployment),
		                    "namespace", plan->view->namespace, "uid", object_uid(deployment),
		                    "resourceVersion", object_text(deployment, "metadata", "resourceVersion", NULL),
		                    "spec", "replicas", 0));
	return view_count_pods(plan->view, true, false) == 0 && !object_integer(deployment, "spec", "replicas", NULL);
}

void plan_deletion(struct plan *plan)
{
	const struct view *view = plan->view;
	const char *policy = object_text(view->job, "spec", "deletionPolicy", "pushgateway", NULL);

	if (!job_has_finalizer(view))
		return;
	if (strcmp(policy, "Delete") != 0 || view->observed->namespace_ends) {
		plan_finalizer(plan, false);
		return;
	}
	if (remaining_ms(view) <= 0) {
		plan_event(
		        plan, true, "CleanupTimedOut",
		        json_string(
		                "the groups of the Pushgateway sinks could not be deleted within "
		                "spec.deletionPolicy.timeout; the StreamJob goes without that, delete them by hand"));
		plan_finalizer(plan, false);
		return;
	}
	plan_again(plan, remaining_ms(view));
	if (drain(plan))
		plan_groups(plan);
}
