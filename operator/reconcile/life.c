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

bool life_has_succeeded(const struct view *view)
{
	const json_t *completed = object_at(view->job, "status", "completed", NULL);

	return view->spec && completed && !strcmp(object_text(completed, "specHash", NULL), view->spec->spec_hash) &&
	       !strcmp(object_text(completed, "restart", NULL), life_restart(view));
}

bool document_has_succeeded(const json_t *document)
{
	return !strcmp(object_text(document, "phase", NULL), "completed");
}

void life_judge_ended(const struct view *view, struct health *health)
{
	bool succeeded = life_has_succeeded(view) || document_has_succeeded(health->document);
	struct finding *why = succeeded ? &health->succeeded : &health->suspended;

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

json_t *life_completed(const struct view *view, bool succeeded)
{
	const json_t *before = object_at(view->job, "status", "completed", NULL);

	if (life_has_succeeded(view))
		return json_incref(object_borrow(before));
	if (!succeeded || !view->spec)
		return NULL;
	return json_pack("{s:s, s:s, s:o}", "specHash", view->spec->spec_hash, "restart", life_restart(view), "at",
	                 object_time_json(view->observed->now_ms));
}
