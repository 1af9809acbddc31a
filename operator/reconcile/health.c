/*
 * One verdict, the first that holds: what stands in the way of everything else comes first. The order is that of the
 * calls in judge_job, and in flow.c.
 */
#include "operator/reconcile/health.h"

#include <stdlib.h>

#include "operator/reconcile/cleanup.h"
#include "operator/reconcile/groups.h"
#include "operator/reconcile/life.h"
#include "operator/reconcile/steps.h"

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
	health_progresses(health, "Deleting", "pods drain, then the Pushgateway groups are deleted");
	if (refused)
		finding_set(&health->ready, TRUTH_FALSE, "CleanupFailing", "%s %s: %s", kind_names[refused->kind].kind,
		            object_name(refused->object), words->text);
	else if (cleanup.words.size && cleanup.stage != CLEANUP_DONE)
		finding_set(&health->ready, TRUTH_FALSE, "CleanupFailing",
		            "the groups of the Pushgateway sinks are not deleted yet: %s", cleanup.words.data);
	cleanup_release(&cleanup);
}

/* The pod that runs this very job file says so. */
static bool has_just_ended(const struct view *view, const struct health *health)
{
	return document_has_ended(health->document) && !strcmp(health->running_hash, view->spec->spec_hash);
}

static void judge_job(const struct view *view, const struct step *refused, const struct error *words,
                      struct health *health)
{
	health_judge_flow(view, health);
	if (view->deleting) {
		judge_deletion(view, refused, words, health);
	} else if (!view->spec) {
		judge_spec(view, health);
		finding_set(&health->reconciling, TRUTH_FALSE, "InvalidSpec", "waits for a spec without problems");
	} else if (groups_hold_back(view)) {
		judge_held_back(view, health);
	} else if (refused) {
		health_progresses(health, "ApplyFailed", "the API server refused a write; it is tried again");
		finding_set(&health->ready, TRUTH_FALSE, "ApplyFailed", "%s %s: %s", kind_names[refused->kind].kind,
		            object_name(refused->object), words->text);
	} else if (view->held_back) {
		life_judge_paused(view, health); /* it is as its pods are, not as the spec would have it */
		return;
	} else if (!pods_wanted(view) && health->replicas && !life_has_ended(view)) {
		health_drains(view, health, "the pod drains and commits");
	} else if (!pods_wanted(view) || has_just_ended(view, health)) {
		life_judge_ended(view, health);
	}
	if (life_is_paused(view) && !view->deleting)
		life_judge_paused(view, health);
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
