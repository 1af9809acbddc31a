/*
 * A StreamJob that is being deleted, with our finalizer on it: pods drain first, then a batch Job of the runtime
 * deletes the Pushgateway groups, then the finalizer goes. All within deletionPolicy.timeout: a gateway, an image or a
 * node that is away holds a deletion up no longer than that.
 *
 * Without the finalizer there is nothing to do: the API server's garbage collector takes the children, pods drain.
 */
#include "lib/base/text.h"
#include "operator/reconcile/cleanup.h"
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

static void plan_words(struct plan *plan, const char *reason, const struct jobspec *file, const char *words)
{
	struct buffer command;

	buffer_init(&command);
	if (file)
		cleanup_by_hand(file, &command);
	plan_event(plan, true, reason,
	           json_sprintf("the groups of the Pushgateway sinks could not be deleted; do it by hand%s%s: %s",
	                        command.size ? ": " : "", command.size ? command.data : "", words));
	buffer_release(&command);
	plan_finalizer(plan, false);
}

/* After the finalizer: a Job that is gone while that is there would be made again. */
static void remove_pod(struct plan *plan, const struct cleanup *cleanup)
{
	if (cleanup->pod_stays)
		plan_delete(plan, KIND_JOB, cleanup->job);
}

static void plan_cleanup(struct plan *plan, const struct jobspec *file, const char *text)
{
	const struct view *view = plan->view;
	struct cleanup cleanup;

	cleanup_look(view, &cleanup);
	switch (cleanup.stage) {
	case CLEANUP_NONE:
		plan_step(plan, VERB_CREATE, KIND_JOB,
		          desired_cleanup(view, file, text, (remaining_ms(view) + 999) / 1000));
		break;
	case CLEANUP_DONE:
		plan_event(plan, false, "PushgatewayCleaned",
		           json_string("deleted the groups of the Pushgateway sinks"));
		plan_finalizer(plan, false);
		remove_pod(plan, &cleanup);
		break;
	case CLEANUP_FAILED:
		plan_words(plan, "CleanupFailed", file, cleanup.words.data);
		remove_pod(plan, &cleanup);
		break;
	case CLEANUP_RUNS:
		break;
	}
	cleanup_release(&cleanup);
}

static bool has_groups(const struct jobspec *file)
{
	for (size_t i = 0; i < file->sinks_count; i++)
		if (file->sinks[i].kind == SINK_PUSHGATEWAY)
			return true;
	return false;
}

/* A roll-out was begun: pods may have pushed. */
static bool has_ever_run(const struct view *view)
{
	return view_deployment(view) || object_at(view->job, "status", "rollout", NULL);
}

/* The job file of the clean-up: NULL where there is none, or it cannot be read. */
static const struct jobspec *load_file(const struct view *view, struct buffer *text, struct problems *problems,
                                       struct jobspecs *jobs)
{
	if (!has_ever_run(view) || !cleanup_file(view, text))
		return NULL;
	jobspecs_load_live(JOB_FILE, buffer_slice(text), view->observed->checked, problems, jobs);
	return jobs->count ? jobs->items[0] : NULL;
}

static void plan_with_file(struct plan *plan, bool timed_out)
{
	const struct jobspec *file;
	struct problems problems;
	struct jobspecs jobs = {0};
	struct cleanup cleanup;
	struct buffer text;

	buffer_init(&text);
	problems_init(&problems);
	file = load_file(plan->view, &text, &problems, &jobs);
	cleanup_look(plan->view, &cleanup);
	if (!has_ever_run(plan->view) || (file && !has_groups(file)))
		plan_finalizer(plan, false); /* nothing ever ran that pushes */
	else if (timed_out)
		plan_words(plan, "CleanupTimedOut", file,
		           cleanup.words.size ? cleanup.words.data : "spec.deletionPolicy.timeout is over");
	else if (file)
		plan_cleanup(plan, file, text.data);
	else
		plan_words(plan, "CleanupFailed", NULL,
		           "the job file that ran last is gone with the StreamJob, and its spec has problems");
	cleanup_release(&cleanup);
	jobspecs_release(&jobs);
	problems_release(&problems);
	buffer_release(&text);
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
		plan_with_file(plan, true);
		return;
	}
	plan_again(plan, remaining_ms(view));
	if (drain(plan))
		plan_with_file(plan, false);
}
