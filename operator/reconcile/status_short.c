#include "operator/reconcile/status_short.h"

#include "operator/reconcile/steps.h"

#define REASON "NotAllRead"

static json_t *condition_json(const struct view *view, const json_t *before, const char *words)
{
	const char *since = object_text(before, "lastTransitionTime", NULL);
	bool same = since[0] && !strcmp(object_text(before, "status", NULL), "Unknown");

	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:o}", "type", "Ready", "status", "Unknown", "reason", REASON,
	                 "message", words, "observedGeneration",
	                 (json_int_t)object_integer(view->job, "metadata", "generation", NULL), "lastTransitionTime",
	                 same ? json_string(since) : object_time_json(view->observed->now_ms));
}

json_t *plan_status_short(struct plan *plan, const char *words)
{
	const struct view *view = plan->view;
	const json_t *before = object_at(view->job, "status", NULL), *known = json_object_get(before, "conditions");
	const json_t *ready = object_condition(known, "Ready");
	json_t *status, *conditions, *one;
	size_t index;
	bool said = !strcmp(object_text(ready, "reason", NULL), REASON);

	if (said && object_integer(ready, "observedGeneration", NULL) ==
	                    object_integer(view->job, "metadata", "generation", NULL))
		return NULL;
	status = before ? json_copy(object_borrow(before)) : json_object();
	conditions = json_pack("[o]", condition_json(view, ready, words));
	json_array_foreach(known, index, one)
	{
		if (one != ready)
			json_array_append(conditions, one);
	}
	json_object_set_new(status, "conditions", conditions);
	if (!said)
		plan_event(plan, true, REASON, json_string(words));
	return json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:o}", "apiVersion", JOB_API_VERSION, "kind", JOB_KIND,
	                 "metadata", "name", view->name, "namespace", view->namespace, "uid", view->uid, "status",
	                 status);
}
