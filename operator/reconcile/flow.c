/*
 * Does data flow: what the pods and those who run them say. The first that holds; the order is that of the calls in
 * judge_pods and judge_report.
 */
#include "operator/reconcile/code.h"
#include "operator/reconcile/container.h"
#include "operator/reconcile/health.h"
#include "operator/reconcile/owner.h"

#define ANSWER_MS 10000 /* a pod's server may take so long to listen */

static void set_reconciling(struct health *health, const char *reason, const char *words)
{
	finding_set(&health->reconciling, TRUTH_TRUE, reason, "%s", words);
}

void health_progresses(struct health *health, const char *reason, const char *words)
{
	finding_set(&health->ready, TRUTH_FALSE, reason, "%s", words);
	set_reconciling(health, reason, words);
}

void health_drains(const struct view *view, struct health *health, const char *words)
{
	health_progresses(health, "Draining", words);
	(void)pods_overdue(view, &health->ready, &health->again_ms);
}

/* The controllers' words where they can't make the pod at all: quota, admission. */
static const char *replica_failure(const struct view *view)
{
	const json_t *condition =
	        object_condition(object_at(view_deployment(view), "status", "conditions", NULL), "ReplicaFailure");

	return strcmp(object_text(condition, "status", NULL), "True") == 0 ? object_text(condition, "message", NULL)
	                                                                   : "";
}

/* No pod has the job: how it is, is not known here. */
static void judge_standby(const json_t *pod, const json_t *document, struct health *health)
{
	struct finding *unknown[] = {&health->functions, &health->sinks, &health->input};

	finding_set(&health->ready, TRUTH_FALSE, "StandingBy", "pod %s stands by: %s", object_name(pod),
	            object_text(document, "owner", "reason", NULL));
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		finding_set(unknown[i], TRUTH_UNKNOWN, "StandingBy", "another process has the job");
}

static void judge_owner(const struct view *view, const json_t *document, struct health *health)
{
	const json_t *waiting = standby_pod(view);

	health->document = document;
	document_judge(document, health);
	health->ready_replicas = health->ready.truth == TRUTH_TRUE;
	if (waiting)
		buffer_printf(&health->ready.message, "; pod %s stands by", object_name(waiting));
}

/* Ready as it was last said of a pod that ran, and not for a reason of the operator's own. */
static bool ready_is_a_pods(const struct view *view)
{
	const json_t *conditions = object_at(view->job, "status", "conditions", NULL);

	const char *reconciling = object_text(object_condition(conditions, "Reconciling"), "reason", NULL);

	return (!strcmp(reconciling, "UpToDate") || !strcmp(reconciling, LATE)) &&
	       strcmp(object_text(object_condition(conditions, "Ready"), "reason", NULL), "Suspended") != 0;
}

/*
 * The pod runs, and this operator, which has just started or begun to lead, has not been told how it is: what the one
 * before was told is the best that is known, and to say anything else would be a transition that nobody made.
 */
static void keep_status(const struct view *view, struct health *health)
{
	health->is_kept = true;
	finding_keep(view, "FunctionsHealthy", &health->functions);
	finding_keep(view, "SinksHealthy", &health->sinks);
	finding_keep(view, "InputOK", &health->input);
	if (!ready_is_a_pods(view) || !finding_keep(view, "Ready", &health->ready))
		health_progresses(health, "Starting", "the pod runs; its status is awaited");
	health->ready_replicas = health->ready.truth == TRUTH_TRUE;
}

/* No other process of the pod was asked, and the status was last changed when the one that runs had begun. */
static bool is_status_of(const struct view *view, const json_t *pod)
{
	const json_t *ready = object_condition(object_at(view->job, "status", "conditions", NULL), "Ready");

	return ready_is_a_pods(view) && !object_at(view->observed->reports, object_uid(pod), NULL) &&
	       object_time(object_text(ready, "lastTransitionTime", NULL)) >= object_time(container_running_since(pod));
}

static void judge_report(const struct view *view, const json_t *pod, struct health *health)
{
	const json_t *document = pod_document(view, pod);
	const char *error = object_text(view->observed->reports, object_uid(pod), "error", NULL);
	int64_t since_ms = view->observed->now_ms - object_time(container_running_since(pod));
	int64_t silent_ms = pod_silent_ms(view, pod);

	if (silent_ms >= 0 && silent_ms < SILENT_MS)
		health->again_ms = SILENT_MS - silent_ms;
	health->owner = json_object_get(document, "owner");
	health->standbys = (int64_t)standby_count(view);
	if (document_stands_by(document)) {
		judge_standby(pod, document, health);
	} else if (document) {
		judge_owner(view, document, health);
	} else if (pod_is_lost(pod, &health->ready)) {
		return;
	} else if (since_ms < ANSWER_MS && !is_status_of(view, pod)) {
		health_progresses(health, "Starting", "the pod has started; its first status is awaited");
		health_again(health, ANSWER_MS - since_ms);
	} else if (silent_ms < SILENT_MS) {
		keep_status(view, health);
	} else {
		finding_set(&health->ready, TRUTH_FALSE, "StatusUnreachable",
		            "the status of pod %s at %s cannot be read: %s", object_name(pod),
		            object_text(pod, "status", "podIP", NULL), error);
	}
}

static bool runs_the_code(const struct view *view, const json_t *pod)
{
	char wanted[OBJECT_HASH_SIZE];

	code_note(view, wanted);
	return !strcmp(object_text(pod, "metadata", "annotations", NOTE_CODE_HASH, NULL), wanted);
}

static void judge_pods(const struct view *view, struct health *health)
{
	const json_t *pod = speaking_pod(view);
	const char *failure = replica_failure(view);

	health->pod = pod;
	if (failure[0] && !pod) {
		finding_set(&health->ready, TRUTH_FALSE, "PodFailing", "no pod can be made: %s", failure);
		set_reconciling(health, "PodFailing", "the pod is not there yet");
	} else if (!pod && view_count_pods(view, true, true) + view_count_pods(view, false, false) > 0) {
		health_drains(view, health, "the old pod drains and commits before a new one reads");
	} else if (!pod) {
		health_progresses(health, "Progressing", "the pod is not there yet");
		(void)pod_is_evicted(view, &health->ready);
	} else if (pod_is_failing(view, pod, health)) {
		if (health->stalled.truth != TRUTH_TRUE)
			set_reconciling(health, "PodFailing", "the pod does not run yet");
	} else if (!container_running_since(pod)[0]) {
		health_progresses(health, "Progressing", "the pod is being started");
		(void)pod_is_evicted(view, &health->ready);
	} else {
		health->running_hash = object_text(pod, "metadata", "annotations", NOTE_SPEC_HASH, NULL);
		judge_report(view, pod, health);
		if (view->spec && !view->update.held && strcmp(health->running_hash, view->spec->spec_hash) != 0)
			health_progresses(health, "Progressing", "the pod still runs the job file before this one");
		else if (view->spec && !runs_the_code(view, pod))
			health_progresses(health, "Progressing",
			                  "the pod still runs the functions' code before this one");
	}
}

/* Its pod is of the roll-out that is deployed, and that is the one that is asked for. */
static bool is_of_rollout(const struct view *view, const json_t *pod)
{
	const char *number = object_text(pod, "metadata", "annotations", NOTE_ROLLOUT, NULL);

	return view->spec && !object_is_deleted(pod) && !strcmp(number, view_deployed_note(view, NOTE_ROLLOUT)) &&
	       !strcmp(view_deployed_note(view, NOTE_TEMPLATE_HASH), view->rollout.template_hash);
}

void health_judge_flow(const struct view *view, struct health *health)
{
	judge_pods(view, health);
	health->flows = health->ready.truth == TRUTH_TRUE && is_of_rollout(view, health->pod);
}

void health_init(const struct view *view, struct health *health)
{
	*health = (struct health){.running_hash = ""};
	finding_set(&health->reconciling, TRUTH_FALSE, "UpToDate", "what the spec asks for is there");
	finding_set(&health->stalled, TRUTH_FALSE, "NotStalled", "nothing waits for a change of the spec");
	finding_set(&health->functions, TRUTH_UNKNOWN, "NoStatus", "no pod has said how it is");
	finding_set(&health->sinks, TRUTH_UNKNOWN, "NoStatus", "no pod has said how it is");
	finding_set(&health->input, TRUTH_UNKNOWN, "NoStatus", "no pod has said how it is");
	health->replicas = (int64_t)view_count_pods(view, true, false);
}

bool view_flows(const struct view *view)
{
	struct health health;
	bool flows;

	health_init(view, &health);
	health_judge_flow(view, &health);
	flows = health.flows;
	health_release(&health);
	return flows;
}
