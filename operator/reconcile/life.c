#include "operator/reconcile/life.h"

#include "operator/reconcile/steps.h"

static const char *annotation(const struct view *view, const char *name)
{
	return object_text(view->job, "metadata", "annotations", name, NULL);
}

bool life_is_paused(const struct view *view)
{
	return !strcmp(annotation(view, NOTE_PAUSED), "true");
}

const char *life_restart(const struct view *view)
{
	return annotation(view, NOTE_RESTART);
}

bool life_has_ended(const struct view *view)
{
	const json_t *completed = object_at(view->job, "status", "completed", NULL);

	return view->spec && completed && !strcmp(object_text(completed, "specHash", NULL), view->spec->spec_hash) &&
	       !strcmp(object_text(completed, "restart", NULL), life_restart(view));
}

/* Under `strict`, with something left out. */
static bool has_lost(const json_t *document)
{
	return !strcmp(object_text(document, "phase", NULL), "incomplete");
}

bool document_has_ended(const json_t *document)
{
	return !strcmp(object_text(document, "phase", NULL), "completed") || has_lost(document);
}

/* Why it has ended as a failure; "": it has not. */
static const char *failure(const struct view *view, const struct health *health)
{
	if (life_has_ended(view))
		return object_text(view->job, "status", "completed", "failed", NULL);
	return has_lost(health->document) ? object_text(health->document, "notReadyReason", NULL) : "";
}

static void judge_failed(const char *why, struct health *health)
{
	finding_set(&health->ended_badly, TRUTH_TRUE, "Failed",
	            "%s; a changed spec or the annotation " NOTE_RESTART " starts the job again", why);
	finding_set(&health->ready, TRUTH_FALSE, "Failed", "%s", health->ended_badly.message.data);
	finding_set(&health->stalled, TRUTH_TRUE, "Failed", "%s", health->ended_badly.message.data);
	finding_set(&health->reconciling, TRUTH_FALSE, "Failed", "the job has ended");
}

void life_judge_ended(const struct view *view, struct health *health)
{
	bool succeeded = life_has_ended(view) || document_has_ended(health->document);
	struct finding *why = succeeded ? &health->succeeded : &health->suspended;

	if (failure(view, health)[0]) {
		judge_failed(failure(view, health), health);
		return;
	}
	if (succeeded)
		finding_set(
		        why, TRUTH_TRUE, "Succeeded",
		        "the source has come to its end, and every sink has accepted every window; a changed spec or "
		        "the annotation " NOTE_RESTART " starts the job again");
	else
		finding_set(why, TRUTH_TRUE, "Suspended",
		            "%s: no data flows, as asked for; the job goes on from its committed offsets",
		            view->spec->cluster.suspend ? "spec.suspend is true" : "spec.parallelism is 0");
	finding_set(&health->ready, TRUTH_TRUE, why->reason, "%s", why->message.data);
	finding_set(&health->reconciling, TRUTH_FALSE, "UpToDate", "what the spec asks for is there");
}

void life_judge_paused(const struct view *view, struct health *health)
{
	finding_set(&health->paused, TRUTH_TRUE, "Paused",
	            "the annotation " NOTE_PAUSED " is true: nothing is written but this status%s",
	            view->held_back ? ", and what the spec asks for waits" : "");
	if (view->held_back)
		finding_set(&health->reconciling, TRUTH_TRUE, "Paused", "%s", health->paused.message.data);
}

static bool is_at_its_end(const struct health *health)
{
	return health->succeeded.truth == TRUTH_TRUE || health->ended_badly.truth == TRUTH_TRUE;
}

bool life_ends_now(const struct view *view, const struct health *health)
{
	return is_at_its_end(health) && !life_has_ended(view);
}

json_t *life_completed(const struct view *view, const struct health *health)
{
	const json_t *before = object_at(view->job, "status", "completed", NULL);
	const char *why = failure(view, health);
	json_t *completed;

	if (life_has_ended(view))
		return json_incref(object_borrow(before));
	if (!is_at_its_end(health) || !view->spec)
		return NULL;
	completed = json_pack("{s:s, s:s, s:o}", "specHash", view->spec->spec_hash, "restart", life_restart(view), "at",
	                      object_time_json(view->observed->now_ms));
	if (why[0])
		json_object_set_new(completed, "failed", json_string(why));
	return completed;
}
