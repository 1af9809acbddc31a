#include "operator/reconcile/update.h"

#include "operator/reconcile/code.h"
#include "operator/reconcile/health.h"
#include "operator/reconcile/life.h"
#include "operator/reconcile/steps.h"

#define READY_TURN_MS_MIN 60000
#define OTHER_TURN_MS_MAX 3600000

/* Annotations of the job that are noted on its pods. */
static const char *const asks[] = {NOTE_TAKE_OVER, NOTE_DROP_PENDING, "streamjob.dev/restart"};

/* What is deployed was made for another spec, other annotations or other code. An operator before this one noted no
 * generation: the one that its status was about. */
static bool is_asked_anew(const struct view *view)
{
	const json_t *status = object_at(view->job, "status", NULL);
	char code[OBJECT_HASH_SIZE];
	const json_t *generation = object_at(status, "rollout", "generation", NULL);

	if (!generation)
		generation = json_object_get(status, "observedGeneration");
	code_note(view, code);
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
		if (strcmp(object_text(view->job, "metadata", "annotations", asks[i], NULL),
		           view_deployed_note(view, asks[i])) != 0)
			return true;
	return json_integer_value(generation) != view->rollback.generation ||
	       strcmp(code, view_deployed_note(view, NOTE_CODE_HASH)) != 0;
}

/* A Deployment without pods gets the new template at once: nothing is replaced. Of a spec with problems and of a job
 * that is paused nothing is replaced either. */
static bool is_running(const struct view *view)
{
	return view->spec && !life_is_paused(view) &&
	       object_integer(view_deployment(view), "spec", "replicas", NULL) > 0 && pods_wanted(view) > 0;
}

static bool differs(const struct view *view)
{
	const char *deployed = view_deployed_note(view, NOTE_TEMPLATE_HASH);

	return deployed[0] && strcmp(deployed, view->rollout.template_hash) != 0;
}

void update_find(const struct view *view, struct update *ret_update)
{
	const json_t *status = object_at(view->job, "status", "update", NULL);

	*ret_update = (struct update){.running = status != NULL,
	                              .was_ready = json_is_true(json_object_get(status, "wasReady")),
	                              .until_ms = object_time(object_text(status, "until", NULL))};
	if (!view->spec || view->deleting || !is_running(view) || !differs(view))
		return;
	ret_update->by_operator = !is_asked_anew(view);
	ret_update->held = ret_update->by_operator && !ret_update->running;
	ret_update->lost = view->rollback.active && !view->rollback.jobs.count;
	if (ret_update->lost)
		ret_update->by_operator = ret_update->held = true;
	else
		ret_update->claims = ret_update->held && view->observed->may_update;
}

static bool is_past(const struct view *view)
{
	return view->observed->now_ms >= view->update.until_ms;
}

static bool is_over(const struct view *view, const struct health *health)
{
	return !is_running(view) || view->deleting || (!differs(view) && health->flows) ||
	       (!view->update.was_ready && is_past(view));
}

/* The job was Ready, and is not by the deadline. */
static bool update_is_late(const struct view *view, const struct health *health)
{
	return view->update.running && view->update.was_ready && is_past(view) && !is_over(view, health);
}

/* A turn is all jobs' matter: what a job gives itself neither halts the others at once, nor, where it was not Ready
 * before, keeps them waiting for a day. */
static int64_t turn_ms(const struct view *view, bool ready)
{
	int64_t given_ms = view->spec->cluster.progress_deadline_ms, min_ms = view->settings->turn_ms;

	if (!min_ms)
		min_ms = READY_TURN_MS_MIN;
	if (ready)
		return given_ms < min_ms ? min_ms : given_ms;
	return given_ms > OTHER_TURN_MS_MAX ? OTHER_TURN_MS_MAX : given_ms;
}

json_t *update_json(const struct view *view, const struct health *health)
{
	const json_t *conditions = object_at(view->job, "status", "conditions", NULL);
	bool ready = !strcmp(object_text(object_condition(conditions, "Ready"), "status", NULL), "True");

	if (view->update.claims)
		return json_pack("{s:o, s:b}", "until", object_time_json(view->observed->now_ms + turn_ms(view, ready)),
		                 "wasReady", ready);
	if (!view->update.running || is_over(view, health))
		return NULL;
	return json_incref(object_borrow(object_at(view->job, "status", "update", NULL)));
}

void update_judge(const struct view *view, struct health *health)
{
	const struct update *update = &view->update;
	const char *halted = json_string_value(view->observed->update_halted);
	const char *until = object_text(view->job, "status", "update", "until", NULL);
	struct finding *updated = &health->updated;

	if (update_is_late(view, health))
		finding_set(
		        updated, TRUTH_FALSE, "UpdateFailed",
		        "data flowed before the operator's new version or default image was rolled out to this job, "
		        "and did not again by %s; the other jobs wait until it does",
		        until);
	else if (update->claims || (update->running && !is_over(view, health)))
		finding_set(updated, TRUTH_FALSE, "Updating",
		            "the operator's new version or default image is rolled out to this job");
	else if (update->lost)
		finding_set(updated, TRUTH_FALSE, "NoRevision",
		            "the last spec with which data flowed is not to be found, or is not allowed any more, so "
		            "the pods stay as they are");
	else if (update->held && halted)
		finding_set(updated, TRUTH_FALSE, "UpdateHalted",
		            "the operator's new version or default image is held back: job %s, which got it, was Ready "
		            "before and is not; this job runs on as it is until that one is mended",
		            halted);
	else if (update->held)
		finding_set(updated, TRUTH_FALSE, "WaitsForTurn",
		            "the operator's new version or default image is rolled out to some jobs at a time "
		            "(--max-updating), in the order of namespace and name; this job runs on as it is until its "
		            "turn comes");
	else
		finding_set(updated, TRUTH_TRUE, "UpToDate", "the pods are as this operator makes them");
}
