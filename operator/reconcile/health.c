/*
 * One verdict, the first that holds: what stands in the way of everything else comes first. The order is that of the
 * calls in judge_job and judge_pods.
 */
#include "operator/reconcile/health.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/text.h"
#include "operator/reconcile/cleanup.h"
#include "operator/reconcile/code.h"
#include "operator/reconcile/container.h"
#include "operator/reconcile/groups.h"
#include "operator/reconcile/life.h"
#include "operator/reconcile/owner.h"
#include "operator/reconcile/steps.h"

#define ANSWER_MS 10000 /* a pod's server may take so long to listen */

void finding_set(struct finding *finding, enum truth truth, const char *reason, const char *format, ...)
{
	char text[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	finding->truth = truth;
	finding->reason = reason;
	buffer_clear(&finding->message);
	finding->message.max = MESSAGE_BYTES_MAX;
	for (char *end = text + strlen(text); !text_is_utf8(slice_of(text)) && end > text;)
		*--end = '\0'; /* cut within a character */
	buffer_append_text(&finding->message, text);
}

static void set_reconciling(struct health *health, const char *reason, const char *words)
{
	finding_set(&health->reconciling, TRUTH_TRUE, reason, "%s", words);
}

/* Ready=False since the operator is still at work on it. */
static void set_progress(struct health *health, const char *reason, const char *words)
{
	finding_set(&health->ready, TRUTH_FALSE, reason, "%s", words);
	set_reconciling(health, reason, words);
}

/* A pod on a node that is away drains for ever. */
static void set_draining(const struct view *view, struct health *health, const char *words)
{
	set_progress(health, "Draining", words);
	(void)pods_overdue(view, &health->ready, &health->again_ms);
}

static void judge_spec(const struct view *view, struct health *health)
{
	struct finding *stalled = &health->stalled;
	const char *running = view_deployed_hash(view);
	struct buffer problems;

	buffer_init(&problems);
	problems_print(&view->problems, &problems);
	finding_set(stalled, TRUTH_TRUE, "InvalidSpec",
	            "the spec has %zu %s; lines and columns are those of `kubectl get streamjob %s -n %s -o yaml`:\n",
	            view->problems.count + view->problems.dropped, view->problems.count == 1 ? "problem" : "problems",
	            view->name, view->namespace);
	for (const char *line = problems.data; line && *line; line = strchr(line, '\n') + 1) {
		size_t size = (size_t)(strchr(line, '\n') - line) + 1;

		if (stalled->message.size + size < MESSAGE_BYTES_MAX)
			buffer_append(&stalled->message, line, size);
	}
	finding_set(&health->ready, TRUTH_FALSE, "InvalidSpec",
	            "the spec has problems, see the condition Stalled; %s%s",
	            running[0] ? "what runs is the last good one, job file " : "nothing runs", running);
	buffer_release(&problems);
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

bool finding_keep(const struct view *view, const char *type, struct finding *finding)
{
	static const char *const truths[] = {"Unknown", "False", "True"};
	const json_t *before = object_condition(object_at(view->job, "status", "conditions", NULL), type);

	for (int truth = TRUTH_UNKNOWN; truth <= TRUTH_TRUE; truth++) {
		if (strcmp(object_text(before, "status", NULL), truths[truth]) != 0)
			continue;
		finding->truth = (enum truth)truth;
		finding->reason = object_text(before, "reason", NULL);
		buffer_clear(&finding->message);
		finding->message.max = MESSAGE_BYTES_MAX;
		buffer_append_text(&finding->message, object_text(before, "message", NULL));
		return true;
	}
	return false;
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
		set_progress(health, "Starting", "the pod runs; its status is awaited");
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
		set_progress(health, "Starting", "the pod has started; its first status is awaited");
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
		set_draining(view, health, "the old pod drains and commits before a new one reads");
	} else if (!pod) {
		set_progress(health, "Progressing", "the pod is not there yet");
		(void)pod_is_evicted(view, &health->ready);
	} else if (pod_is_failing(view, pod, health)) {
		if (health->stalled.truth != TRUTH_TRUE)
			set_reconciling(health, "PodFailing", "the pod does not run yet");
	} else if (!container_running_since(pod)[0]) {
		set_progress(health, "Progressing", "the pod is being started");
		(void)pod_is_evicted(view, &health->ready);
	} else {
		health->running_hash = object_text(pod, "metadata", "annotations", NOTE_SPEC_HASH, NULL);
		judge_report(view, pod, health);
		if (view->spec && !view->update.held && strcmp(health->running_hash, view->spec->spec_hash) != 0)
			set_progress(health, "Progressing", "the pod still runs the job file before this one");
		else if (view->spec && !runs_the_code(view, pod))
			set_progress(health, "Progressing", "the pod still runs the functions' code before this one");
	}
}

/* Its pod is of the roll-out that is deployed, and that is the one that is asked for. */
static bool is_of_rollout(const struct view *view, const json_t *pod)
{
	const char *number = object_text(pod, "metadata", "annotations", NOTE_ROLLOUT, NULL);

	return view->spec && !object_is_deleted(pod) && !strcmp(number, view_deployed_note(view, NOTE_ROLLOUT)) &&
	       !strcmp(view_deployed_note(view, NOTE_TEMPLATE_HASH), view->rollout.template_hash);
}

static void judge_flow(const struct view *view, struct health *health)
{
	judge_pods(view, health);
	health->flows = health->ready.truth == TRUTH_TRUE && is_of_rollout(view, health->pod);
}

static void judge_understood(const struct view *view, struct health *health)
{
	struct buffer names;

	buffer_init(&names);
	for (size_t i = 0; i < view->unknown.count; i++)
		buffer_printf(&names, "%s%s", i ? ", " : "", view->unknown.items[i].path);
	if (view->unknown.count)
		finding_set(
		        &health->understood, TRUTH_FALSE, "UnknownFields",
		        "this operator (" STREAMJOB_VERSION
		        ") does not know what a later version of the CRD has, and the job runs without: %s; upgrade "
		        "the operator, or leave them out",
		        names.data);
	else
		finding_set(&health->understood, TRUTH_TRUE, "Understood",
		            "this operator knows every field of the spec");
	buffer_release(&names);
}

static void judge_shared(const struct view *view, struct health *health)
{
	char *words = groups_words(view);

	if (words[0])
		finding_set(&health->shared, TRUTH_TRUE, "GroupShared", "%s", words);
	free(words);
}

static void judge_held_back(const struct view *view, struct health *health)
{
	const json_t *holder = groups_holder(view);
	const char *running = view_deployed_hash(view);

	finding_set(
	        &health->stalled, TRUTH_TRUE, "GroupShared",
	        "%s is that of the StreamJob %s, and two on one lose rows: name another spec.source.kafka.groupId, or "
	        "delete the other one",
	        object_text(holder, "words", NULL), object_text(holder, "job", NULL));
	finding_set(&health->ready, TRUTH_FALSE, "GroupShared", "%s is that of the StreamJob %s; %s%s",
	            object_text(holder, "words", NULL), object_text(holder, "job", NULL),
	            running[0] ? "what ran before goes on, job file " : "this one is not started", running);
	finding_set(&health->reconciling, TRUTH_FALSE, "GroupShared", "waits for a group of its own");
}

static void judge_deletion(const struct view *view, const struct step *refused, const struct error *words,
                           struct health *health)
{
	struct cleanup cleanup;

	cleanup_look(view, &cleanup);
	set_progress(health, "Deleting", "pods drain, then the Pushgateway groups are deleted");
	if (refused)
		finding_set(&health->ready, TRUTH_FALSE, "CleanupFailing", "%s %s: %s", kind_names[refused->kind].kind,
		            object_name(refused->object), words->text);
	else if (cleanup.words.size && cleanup.stage != CLEANUP_DONE)
		finding_set(&health->ready, TRUTH_FALSE, "CleanupFailing",
		            "the groups of the Pushgateway sinks are not deleted yet: %s", cleanup.words.data);
	cleanup_release(&cleanup);
}

/* The pod that runs this very job file says so. */
static bool has_just_succeeded(const struct view *view, const struct health *health)
{
	return document_has_succeeded(health->document) && !strcmp(health->running_hash, view->spec->spec_hash);
}

static void judge_job(const struct view *view, const struct step *refused, const struct error *words,
                      struct health *health)
{
	judge_flow(view, health);
	if (view->deleting) {
		judge_deletion(view, refused, words, health);
	} else if (!view->spec) {
		judge_spec(view, health);
		finding_set(&health->reconciling, TRUTH_FALSE, "InvalidSpec", "waits for a spec without problems");
	} else if (groups_hold_back(view)) {
		judge_held_back(view, health);
	} else if (refused) {
		set_progress(health, "ApplyFailed", "the API server refused a write; it is tried again");
		finding_set(&health->ready, TRUTH_FALSE, "ApplyFailed", "%s %s: %s", kind_names[refused->kind].kind,
		            object_name(refused->object), words->text);
	} else if (view->held_back) {
		life_judge_paused(view, health); /* it is as its pods are, not as the spec would have it */
		return;
	} else if (!pods_wanted(view) && health->replicas && !life_has_succeeded(view)) {
		set_draining(view, health, "the pod drains and commits");
	} else if (!pods_wanted(view) || has_just_succeeded(view, health)) {
		life_judge_ended(view, health);
	}
	if (life_is_paused(view) && !view->deleting)
		life_judge_paused(view, health);
}

static void health_init(const struct view *view, struct health *health)
{
	*health = (struct health){.running_hash = ""};
	finding_set(&health->reconciling, TRUTH_FALSE, "UpToDate", "what the spec asks for is there");
	finding_set(&health->stalled, TRUTH_FALSE, "NotStalled", "nothing waits for a change of the spec");
	finding_set(&health->functions, TRUTH_UNKNOWN, "NoStatus", "no pod has said how it is");
	finding_set(&health->sinks, TRUTH_UNKNOWN, "NoStatus", "no pod has said how it is");
	finding_set(&health->input, TRUTH_UNKNOWN, "NoStatus", "no pod has said how it is");
	health->replicas = (int64_t)view_count_pods(view, true, false);
}

void health_judge(const struct view *view, const struct step *refused, const struct error *words,
                  struct health *ret_health)
{
	struct health *health = ret_health;

	health_init(view, health);
	judge_job(view, refused, words, health);
	judge_understood(view, health);
	rollback_judge(view, health);
	update_judge(view, health);
	judge_shared(view, health);
}

bool view_flows(const struct view *view)
{
	struct health health;
	bool flows;

	health_init(view, &health);
	judge_flow(view, &health);
	flows = health.flows;
	health_release(&health);
	return flows;
}

void health_again(struct health *health, int64_t ms)
{
	if (!health->again_ms || ms < health->again_ms)
		health->again_ms = ms;
}

void health_release(struct health *health)
{
	struct finding *findings[] = {&health->ready,     &health->reconciling, &health->stalled,    &health->functions,
	                              &health->sinks,     &health->input,       &health->understood, &health->updated,
	                              &health->suspended, &health->succeeded,   &health->paused,     &health->shared};

	for (size_t i = 0; i < sizeof(findings) / sizeof(findings[0]); i++)
		buffer_release(&findings[i]->message);
	json_decref(health->rollback);
}
