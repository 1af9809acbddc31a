#include "operator/reconcile/rollback.h"

#include "lib/base/text.h"
#include "operator/reconcile/desired.h"
#include "operator/reconcile/health.h"
#include "operator/reconcile/manifest.h"
#include "operator/reconcile/steps.h"

#define WHY_BYTES_MAX 2000 /* characters; the CRD allows 2048 */

/* What of a spec is about the job as an object: it is that of the spec that was given, also of one that went back. */
static const char *const of_the_object[] = {"suspend",        "parallelism",      "class",
                                            "deletionPolicy", "progressDeadline", "rollback"};

/* What the pods are made from. */
static json_t *pods_part(const json_t *spec)
{
	json_t *part = json_deep_copy(spec);

	for (size_t i = 0; i < sizeof(of_the_object) / sizeof(of_the_object[0]); i++)
		json_object_del(part, of_the_object[i]);
	return part;
}

/* The newest. */
static const json_t *kept_revision(const struct view *view)
{
	const json_t *newest = NULL;
	size_t index;
	json_t *one;

	json_array_foreach(view->observed->children[KIND_REVISION], index, one)
	{
		if (object_is_controlled(one, view->uid) && !object_is_deleted(one) &&
		    (!newest || object_integer(one, "revision", NULL) > object_integer(newest, "revision", NULL)))
			newest = one;
	}
	return newest;
}

static json_t *job_with(const json_t *job, const json_t *pods)
{
	json_t *copy = json_copy(object_borrow(job)), *spec = json_deep_copy(pods);

	for (size_t i = 0; i < sizeof(of_the_object) / sizeof(of_the_object[0]); i++)
		if (object_at(job, "spec", of_the_object[i], NULL))
			json_object_set(spec, of_the_object[i],
			                object_borrow(object_at(job, "spec", of_the_object[i], NULL)));
	json_object_set_new(copy, "spec", spec);
	return copy;
}

void rollback_find(struct view *view)
{
	struct rollback *rollback = &view->rollback;
	const json_t *good;

	problems_init(&rollback->problems);
	rollback->generation = object_integer(view->job, "metadata", "generation", NULL);
	if (!view->spec || view->deleting || view->spec->cluster.rollback != ROLLBACK_AUTO ||
	    object_integer(view->job, "status", "rollback", "generation", NULL) !=
	            object_integer(view->job, "metadata", "generation", NULL))
		return;
	rollback->active = true;
	rollback->generation = object_integer(kept_revision(view), "revision", NULL);
	good = object_at(kept_revision(view), "data", "spec", NULL);
	if (!good)
		return;
	rollback->job = job_with(view->job, good);
	view_load(view, rollback->job, &rollback->problems, &rollback->jobs);
	if (rollback->problems.count)
		jobspecs_release(&rollback->jobs);
	if (rollback->jobs.count) {
		view->job = rollback->job;
		view->spec = rollback->jobs.items[0];
	}
}

void rollback_release(struct rollback *rollback)
{
	jobspecs_release(&rollback->jobs);
	problems_release(&rollback->problems);
	json_decref(rollback->job);
}

void plan_revision(struct plan *plan)
{
	const struct view *view = plan->view;
	bool wanted = view->spec->cluster.rollback == ROLLBACK_AUTO;
	char hash[OBJECT_HASH_SIZE], name[NAME_MAX_BYTES + 1];
	json_t *pods, *one;
	size_t index;

	if (view->rollback.active || (wanted && !view_flows(view)))
		return;
	pods = pods_part(json_object_get(view->job, "spec"));
	object_hash(pods, hash);
	view_child_name(view, KIND_REVISION, hash, name);
	if (wanted && !view_child(view, KIND_REVISION, name))
		plan_apply(plan, KIND_REVISION, desired_revision(view, name, pods), NULL);
	json_array_foreach(view->observed->children[KIND_REVISION], index, one)
	{
		if (object_is_controlled(one, view->uid) && (!wanted || strcmp(object_name(one), name) != 0))
			plan_delete(plan, KIND_REVISION, one);
	}
	json_decref(pods);
}

int64_t rollback_waits_since(const struct view *view, const struct health *health)
{
	const json_t *rollout = object_at(view->job, "status", "rollout", NULL);

	if (!view->spec || view->deleting || view->rollback.active || health->flows || !pods_wanted(view) ||
	    json_is_true(json_object_get(rollout, "good")) || json_is_true(json_object_get(rollout, "byOperator")) ||
	    object_integer(rollout, "number", NULL) != view->rollout.number ||
	    object_integer(rollout, "generation", NULL) != object_integer(view->job, "metadata", "generation", NULL))
		return 0;
	return object_time(object_text(rollout, "since", NULL));
}

/* The spec that is kept is another one. */
static bool can_go_back(const struct view *view)
{
	const json_t *good = object_at(kept_revision(view), "data", "spec", NULL);
	json_t *pods = pods_part(json_object_get(view->job, "spec"));
	bool other = good && !json_equal(good, pods);

	json_decref(pods);
	return other;
}

static void say_rolled_back(const struct view *view, struct health *health)
{
	const char *why = object_text(health->rollback, "message", NULL);
	long long generation = (long long)object_integer(health->rollback, "generation", NULL),
	          good = (long long)object_integer(kept_revision(view), "revision", NULL);
	struct buffer now;

	buffer_init(&now);
	buffer_printf(&now, "%s: %s", health->ready.reason, health->ready.message.data);
	finding_set(&health->stalled, TRUTH_TRUE, "RolledBack",
	            "with the spec of generation %lld no data flowed by its progressDeadline: %s; the pods went back "
	            "to the "
	            "spec of generation %lld; another spec is tried anew",
	            generation, why, good);
	finding_set(&health->ready, TRUTH_FALSE, "RolledBack",
	            "the pods run the spec of generation %lld again and not that of generation %lld, see the condition "
	            "Stalled; of those pods: %s",
	            good, generation, now.data);
	finding_set(&health->reconciling, TRUTH_FALSE, "RolledBack", "waits for another spec");
	buffer_release(&now);
}

/* How much of the text fits, cut between characters. */
static size_t text_cut(const char *text, size_t max)
{
	size_t size = strlen(text) < max ? strlen(text) : max;

	while (size && !text_is_utf8((struct slice){text, size}))
		size--;
	return size;
}

/* Late, and by the job's own fault. */
static void judge_late(const struct view *view, struct health *health)
{
	const char *why = health->ready.message.data;
	const struct cluster_spec *cluster = &view->spec->cluster;
	struct buffer deadline;

	if (cluster->rollback == ROLLBACK_AUTO && can_go_back(view)) {
		health->rollback = json_pack("{s:I, s:o, s:s, s:s%}", "generation",
		                             (json_int_t)object_integer(view->job, "metadata", "generation", NULL),
		                             "at", object_time_json(view->observed->now_ms), "reason",
		                             health->ready.reason, "message", why, text_cut(why, WHY_BYTES_MAX));
		health->again_ms = 1;
		return;
	}
	buffer_init(&deadline);
	text_duration(&deadline, cluster->progress_deadline_ms);
	finding_set(&health->stalled, TRUTH_TRUE, LATE, "no data flowed with this spec within %s: %s", deadline.data,
	            why);
	finding_set(&health->reconciling, TRUTH_FALSE, LATE, "waits for another spec");
	buffer_release(&deadline);
}

static bool was_late(const struct view *view)
{
	const json_t *stalled = object_condition(object_at(view->job, "status", "conditions", NULL), "Stalled");

	return !strcmp(object_text(stalled, "reason", NULL), LATE);
}

static void keep_late(const struct view *view, struct health *health)
{
	finding_keep(view, "Stalled", &health->stalled);
	finding_keep(view, "Reconciling", &health->reconciling);
}

void rollback_judge(const struct view *view, struct health *health)
{
	int64_t since_ms = rollback_waits_since(view, health), left_ms;

	if (view->rollback.active) {
		health->rollback = json_incref(object_borrow(object_at(view->job, "status", "rollback", NULL)));
	} else if (since_ms) {
		left_ms = since_ms + view->spec->cluster.progress_deadline_ms - view->observed->now_ms;
		if (left_ms > 0)
			health_again(health, left_ms);
		else if (health->is_kept && was_late(view)) /* its pod has not been asked by this operator yet */
			keep_late(view, health);
		else if (cause_is_jobs(view, health))
			judge_late(view, health);
	}
	if (health->rollback)
		say_rolled_back(view, health);
}
