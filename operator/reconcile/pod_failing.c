/* Why a pod does not run, in the words of whoever knows. */
#include "operator/reconcile/health.h"

static const char *const waits_in_vain[] = {
        "ErrImagePull",      "ImagePullBackOff",           "InvalidImageName",  "ErrImageNeverPull",
        "CrashLoopBackOff",  "CreateContainerConfigError", "RunContainerError", "CreateContainerError",
        "ImageInspectError", "CreatePodSandboxError"};

static bool is_in_vain(const char *reason)
{
	for (size_t i = 0; i < sizeof(waits_in_vain) / sizeof(waits_in_vain[0]); i++)
		if (!strcmp(reason, waits_in_vain[i]))
			return true;
	return false;
}

/* The pod's only failing container, or the runtime's. */
static const json_t *failing_container(const json_t *statuses)
{
	size_t index;
	json_t *one;

	json_array_foreach(statuses, index, one)
	{
		if (is_in_vain(object_text(one, "state", "waiting", "reason", NULL)) ||
		    object_at(one, "state", "terminated", NULL))
			return one;
	}
	return NULL;
}

/* The end of what the container said last. */
static const char *last_words(const json_t *terminated)
{
	const char *text = object_text(terminated, "message", NULL);
	size_t size = strlen(text);
	const char *end;

	if (size <= 1024)
		return text;
	end = strchr(text + size - 1024, '\n');
	return end ? end + 1 : text + size - 1024;
}

static void container_words(const json_t *container, const char *pod, struct finding *ready)
{
	const json_t *waiting = object_at(container, "state", "waiting", NULL);
	const json_t *ended = object_at(container, "state", "terminated", NULL);
	const char *name = object_text(container, "name", NULL);

	if (!ended)
		ended = object_at(container, "lastState", "terminated", NULL);
	if (ended)
		finding_set(ready, TRUTH_FALSE, "PodFailing",
		            "container %s of pod %s ended (%s, exit code %lld, %lld restarts)%s%s%s%s", name, pod,
		            object_text(ended, "reason", NULL), (long long)object_integer(ended, "exitCode", NULL),
		            (long long)object_integer(container, "restartCount", NULL),
		            last_words(ended)[0] ? ": " : "", last_words(ended), waiting ? "; " : "",
		            object_text(waiting, "message", NULL));
	else
		finding_set(ready, TRUTH_FALSE, "PodFailing", "container %s of pod %s waits: %s: %s", name, pod,
		            object_text(waiting, "reason", NULL), object_text(waiting, "message", NULL));
}

bool pod_is_running(const json_t *pod, int64_t *ret_started_ms)
{
	const json_t *statuses = object_at(pod, "status", "containerStatuses", NULL);
	size_t index;
	json_t *one;

	json_array_foreach(statuses, index, one)
	{
		const char *started = object_text(one, "state", "running", "startedAt", NULL);

		if (strcmp(object_text(one, "name", NULL), RUNTIME_CONTAINER) != 0 || !started[0])
			continue;
		*ret_started_ms = object_time(started);
		return true;
	}
	return false;
}

bool pod_is_failing(const struct view *view, const json_t *pod, struct finding *ready)
{
	const json_t *status = object_at(pod, "status", NULL);
	const json_t *scheduled = object_condition(object_at(status, "conditions", NULL), "PodScheduled");
	const json_t *container = failing_container(object_at(status, "containerStatuses", NULL));
	const char *words = object_text(view->observed->reports, object_uid(pod), "words", NULL),
	           *name = object_name(pod);
	int64_t started_ms;

	if (!container)
		container = failing_container(object_at(status, "initContainerStatuses", NULL));
	if (container && !pod_is_running(pod, &started_ms)) {
		container_words(container, name, ready);
		return true;
	}
	if (!strcmp(object_text(scheduled, "status", NULL), "False")) {
		finding_set(ready, TRUTH_FALSE, "PodFailing", "pod %s is not scheduled: %s", name,
		            object_text(scheduled, "message", NULL));
		return true;
	}
	if (words[0] && !pod_is_running(pod, &started_ms)) {
		finding_set(ready, TRUTH_FALSE, "PodFailing", "pod %s does not start: %s", name, words);
		return true;
	}
	return false;
}
