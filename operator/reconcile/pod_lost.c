/* Pods that did not end of themselves: their node does not answer, or threw them out. */
#include "operator/reconcile/container.h"
#include "operator/reconcile/health.h"

#define OVERDUE_MS      30000  /* past the time that was given to a pod to end: a kubelet kills at once and says so */
#define EVICTED_SAID_MS 300000 /* so long an eviction is why there is no pod */

static bool is_condition(const json_t *pod, const char *type, const char *status)
{
	const json_t *condition = object_condition(object_at(pod, "status", "conditions", NULL), type);

	return !strcmp(object_text(condition, "status", NULL), status);
}

/* The node controller marks the pods of a node that is silent: not ready, though all of its containers were. */
bool pod_is_lost(const json_t *pod, struct finding *ready)
{
	bool lost = !strcmp(object_text(pod, "status", "reason", NULL), "NodeLost");

	if (!lost && !(is_condition(pod, "Ready", "False") && is_condition(pod, "ContainersReady", "True")))
		return false;
	finding_set(
	        ready, TRUTH_FALSE, "NodeUnreachable",
	        "pod %s cannot be asked, and its node %s does not answer the cluster either: it is down or cut off; "
	        "another pod takes its place after the cluster's time-out (5 minutes), or when you delete the pod",
	        object_name(pod), object_text(pod, "spec", "nodeName", NULL));
	return true;
}

bool pods_overdue(const struct view *view, struct finding *ready, int64_t *ret_again_ms)
{
	size_t index;
	json_t *pod;

	json_array_foreach(view->observed->children[KIND_POD], index, pod)
	{
		const char *until = object_text(pod, "metadata", "deletionTimestamp", NULL);
		int64_t left_ms = object_time(until) + OVERDUE_MS - view->observed->now_ms;

		if (!until[0] || pod_is_gone(pod) || strcmp(object_label(pod, LABEL_COMPONENT), COMPONENT_RUNTIME) != 0)
			continue;
		if (left_ms > 0) {
			*ret_again_ms = left_ms;
			continue;
		}
		finding_set(ready, TRUTH_FALSE, "NodeUnreachable",
		            "pod %s should have ended by %s, and its node %s does not say that it has: where that is "
		            "down, kubectl -n %s delete pod %s --force lets the job go on; where it is only cut off, a "
		            "process may still run there",
		            object_name(pod), until, object_text(pod, "spec", "nodeName", NULL), view->namespace,
		            object_name(pod));
		return true;
	}
	return false;
}

static const char *ended_at(const json_t *pod)
{
	const char *latest = "";
	size_t index;
	json_t *condition;

	json_array_foreach(object_at(pod, "status", "conditions", NULL), index, condition)
	{
		const char *at = object_text(condition, "lastTransitionTime", NULL);

		if (strcmp(at, latest) > 0)
			latest = at;
	}
	return latest;
}

/* The kubelet gives its reasons to the pod, not to a container: Evicted, NodeShutdown, UnexpectedAdmissionError. */
const json_t *pod_evicted(const struct view *view, const char **ret_at)
{
	const json_t *newest = NULL;
	size_t index;
	json_t *pod;

	*ret_at = "";
	json_array_foreach(view->observed->children[KIND_POD], index, pod)
	{
		const char *at = ended_at(pod);

		if (strcmp(object_text(pod, "status", "phase", NULL), "Failed") != 0 ||
		    !object_text(pod, "status", "reason", NULL)[0] ||
		    strcmp(object_label(pod, LABEL_JOB_UID), view->uid) != 0 || strcmp(at, *ret_at) < 0 ||
		    strcmp(object_label(pod, LABEL_COMPONENT), COMPONENT_RUNTIME) != 0)
			continue;
		newest = pod;
		*ret_at = at;
	}
	return newest;
}

void pod_print_eviction(const json_t *pod, struct buffer *text)
{
	buffer_printf(text, "pod %s was ended by its node (%s): %s", object_name(pod),
	              object_text(pod, "status", "reason", NULL), object_text(pod, "status", "message", NULL));
}

bool pod_is_evicted(const struct view *view, struct finding *ready)
{
	const char *at;
	const json_t *pod = pod_evicted(view, &at);
	struct buffer text;

	if (!pod || view->observed->now_ms - object_time(at) > EVICTED_SAID_MS)
		return false;
	buffer_init(&text);
	pod_print_eviction(pod, &text);
	finding_set(ready, TRUTH_FALSE, "PodFailing", "%s; another pod takes its place", text.data);
	buffer_release(&text);
	return true;
}
