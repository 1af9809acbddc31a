/* Why a pod does not run, in the words of whoever knows. */
#include "lib/base/exit_code.h"
#include "operator/reconcile/container.h"
#include "operator/reconcile/health.h"
#include "operator/reconcile/owner.h"

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

/* An init container ends well before the others start. */
static bool has_ended_badly(const json_t *container, bool init)
{
	const json_t *ended = object_at(container, "state", "terminated", NULL);

	return ended && (!init || object_integer(ended, "exitCode", NULL));
}

/* The pod's only failing container, or the runtime's. */
static const json_t *failing_container(const json_t *statuses, bool init)
{
	size_t index;
	json_t *one;

	json_array_foreach(statuses, index, one)
	{
		if (is_in_vain(object_text(one, "state", "waiting", "reason", NULL)) || has_ended_badly(one, init))
			return one;
	}
	return NULL;
}

/*
 * The operator has checked the spec, so what the runtime refuses is what only it can see: a function's code. Or it is
 * another version's, and does not know the job file: then its words have neither of these.
 */
static bool is_refused(const json_t *ended)
{
	const char *words = object_text(ended, "message", NULL);

	return object_integer(ended, "exitCode", NULL) == EXIT_USAGE &&
	       (strstr(words, "function") || strstr(words, "Error"));
}

static void container_words(const json_t *pod, const json_t *container, struct health *health)
{
	const json_t *waiting = object_at(container, "state", "waiting", NULL);
	const json_t *ended = object_at(container, "state", "terminated", NULL);
	struct buffer text;

	buffer_init(&text);
	if (!ended)
		ended = object_at(container, "lastState", "terminated", NULL);
	if (ended) {
		container_print_end(pod, container, ended, &text);
		buffer_printf(&text, "%s%s", waiting ? "; " : "", object_text(waiting, "message", NULL));
	} else {
		buffer_printf(&text, "container %s of pod %s waits: %s: %s", object_text(container, "name", NULL),
		              object_name(pod), object_text(waiting, "reason", NULL),
		              object_text(waiting, "message", NULL));
	}
	finding_set(&health->ready, TRUTH_FALSE, is_refused(ended) ? "FunctionFailing" : "PodFailing", "%s", text.data);
	if (is_refused(ended)) {
		finding_set(&health->functions, TRUTH_FALSE, "FunctionFailing", "%s", text.data);
		finding_set(&health->stalled, TRUTH_TRUE, "FunctionFailing",
		            "the code of a function does not load, or does not fit the job; see the condition Ready");
	}
	buffer_release(&text);
}

bool pod_is_failing(const struct view *view, const json_t *pod, struct health *health)
{
	const json_t *status = object_at(pod, "status", NULL);
	const json_t *scheduled = object_condition(object_at(status, "conditions", NULL), "PodScheduled");
	const json_t *container = failing_container(object_at(status, "containerStatuses", NULL), false);
	const char *words = object_text(view->observed->reports, object_uid(pod), "words", NULL),
	           *name = object_name(pod);

	if (!container)
		container = failing_container(object_at(status, "initContainerStatuses", NULL), true);
	/* One that begins anew has not said yet that it is refused again. */
	if (!container && !pod_document(view, pod) &&
	    is_refused(object_at(container_status(pod), "lastState", "terminated", NULL)))
		container = container_status(pod);
	else if (container_running_since(pod)[0])
		container = NULL;
	if (container) {
		container_words(pod, container, health);
		return true;
	}
	if (!strcmp(object_text(scheduled, "status", NULL), "False")) {
		finding_set(&health->ready, TRUTH_FALSE, "PodFailing", "pod %s is not scheduled: %s", name,
		            object_text(scheduled, "message", NULL));
		return true;
	}
	if (words[0] && !container_running_since(pod)[0]) {
		finding_set(&health->ready, TRUTH_FALSE, "PodFailing", "pod %s does not start: %s", name, words);
		return true;
	}
	return false;
}
