#include "operator/reconcile/owner.h"

#include "operator/reconcile/belongs.h"
#include "operator/reconcile/container.h"

#define REPORT_STALE_MS 60000

/* What this operator was told by the process that runs now, or why it was told nothing; NULL: it has not asked. */
static const json_t *pod_report(const struct view *view, const json_t *pod)
{
	const json_t *report = object_at(view->observed->reports, object_uid(pod), NULL);

	return object_integer(report, "restarts", NULL) == container_restarts(pod) ? report : NULL;
}

int64_t pod_silent_ms(const struct view *view, const json_t *pod)
{
	int64_t since_ms = object_integer(pod_report(view, pod), "failingSince", NULL);

	return since_ms ? view->observed->now_ms - since_ms : -1;
}

const json_t *pod_document(const struct view *view, const json_t *pod)
{
	const json_t *report = pod_report(view, pod);
	int64_t age_ms = view->observed->now_ms - object_integer(report, "at", NULL);

	return age_ms < REPORT_STALE_MS && pod_silent_ms(view, pod) < SILENT_MS ? json_object_get(report, "document")
	                                                                        : NULL;
}

bool document_stands_by(const json_t *document)
{
	return !strcmp(object_text(document, "owner", "role", NULL), "standby");
}

static bool is_running_ours(const struct view *view, const json_t *pod)
{
	return !strcmp(object_label(pod, LABEL_COMPONENT), COMPONENT_RUNTIME) &&
	       !strcmp(object_label(pod, LABEL_JOB_UID), view->uid) && !pod_is_gone(pod) &&
	       pod_belongs(pod, view->observed->children[KIND_REPLICA_SET], view_deployment(view));
}

static bool stands_by(const struct view *view, const json_t *pod)
{
	return document_stands_by(pod_document(view, pod));
}

/* The newest of the job's pods that is being deleted or not, and stands by or not, as asked for. */
static const json_t *newest(const struct view *view, bool deleted, bool standby)
{
	const json_t *newest = NULL;
	size_t index;
	json_t *pod;

	json_array_foreach(view->observed->children[KIND_POD], index, pod)
	{
		if (!is_running_ours(view, pod) || object_is_deleted(pod) != deleted || stands_by(view, pod) != standby)
			continue;
		if (!newest || strcmp(object_text(pod, "metadata", "creationTimestamp", NULL),
		                      object_text(newest, "metadata", "creationTimestamp", NULL)) > 0)
			newest = pod;
	}
	return newest;
}

const json_t *standby_pod(const struct view *view)
{
	return newest(view, false, true);
}

const json_t *speaking_pod(const struct view *view)
{
	const json_t *pod = newest(view, false, false), *waiting = standby_pod(view), *leaving;

	if (pod || !waiting)
		return pod;
	leaving = newest(view, true, false);
	return leaving && pod_document(view, leaving) ? leaving : waiting;
}

size_t standby_count(const struct view *view)
{
	size_t index, count = 0;
	json_t *pod;

	json_array_foreach(view->observed->children[KIND_POD], index, pod)
	{
		count += is_running_ours(view, pod) && stands_by(view, pod);
	}
	return count;
}
