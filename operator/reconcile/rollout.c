#include "operator/reconcile/rollout.h"

#include <stdlib.h>

#include "operator/reconcile/pod.h"
#include "operator/reconcile/steps.h"

/* The status is ahead of the Deployment where the store does not show what was written to that just now. */
void rollout_last(const struct view *view, struct rollout *ret_rollout)
{
	const json_t *status = object_at(view->job, "status", "rollout", NULL);
	int64_t deployed = strtoll(view_deployed_note(view, NOTE_ROLLOUT), NULL, 10);
	int64_t said = object_integer(status, "number", NULL);

	ret_rollout->number = said > deployed ? said : deployed;
	snprintf(ret_rollout->template_hash, sizeof(ret_rollout->template_hash), "%s",
	         said > deployed ? object_text(status, "templateHash", NULL)
	                         : view_deployed_note(view, NOTE_TEMPLATE_HASH));
}

static bool gets_pods(const struct view *view)
{
	const json_t *deployment = view_deployment(view);

	return deployment && !object_integer(deployment, "spec", "replicas", NULL) && pods_wanted(view) > 0;
}

void rollout_next(const struct view *view, struct rollout *ret_rollout)
{
	int64_t created_ms = object_time(object_text(view->job, "metadata", "creationTimestamp", NULL));
	json_t *template = pod_template(view, NULL);
	struct rollout last;

	rollout_last(view, &last);
	ret_rollout->begins = gets_pods(view);
	object_hash(template, ret_rollout->template_hash);
	json_decref(template);
	if (last.number <= 0)
		ret_rollout->number = created_ms > 0 ? created_ms : 1;
	else if (!strcmp(last.template_hash, ret_rollout->template_hash))
		ret_rollout->number = last.number;
	else
		ret_rollout->number = last.number + 1;
}
