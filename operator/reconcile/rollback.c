#include "operator/reconcile/rollback.h"

#include "lib/base/text.h"
#include "operator/reconcile/desired.h"
#include "operator/reconcile/health.h"
#include "operator/reconcile/kept_code.h"
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

/* Of all its code; "" where it has none, or one of its ConfigMaps is not there. */
static void code_hash(const struct view *view, char ret_hash[OBJECT_HASH_SIZE])
{
	json_t *code = kept_code_now(view);

	ret_hash[0] = '\0';
	if (json_object_size(code))
		object_hash(code, ret_hash);
	json_decref(code);
}

/* The job went back from the spec and the code that it has. */
static bool went_back(const struct view *view)
{
	const json_t *from = object_at(view->job, "status", "rollback", NULL);
	char now[OBJECT_HASH_SIZE];

	if (object_integer(from, "generation", NULL) != object_integer(view->job, "metadata", "generation", NULL))
		return false;
	code_hash(view, now);
	return !now[0] || !object_text(from, "codeHash", NULL)[0] || !strcmp(object_text(from, "codeHash", NULL), now);
}

static void find_code(const struct view *view, struct rollback *rollback)
{
	const json_t *good = object_at(kept_revision(view), "data", "code", NULL);
	char copy[NAME_MAX_BYTES + 1];
	const char *config_map, *now;
	json_t *hash;

	rollback->code = json_object();
	json_object_foreach(object_borrow(good), config_map, hash)
	{
		now = object_text(view->observed->code, config_map, NULL);
		if (kept_code_copy(view, json_string_value(hash), copy))
			json_object_set(rollback->code, config_map, hash);
		else if (strcmp(now, json_string_value(hash)) != 0)
			rollback->lost_code = true;
	}
}

void rollback_find(struct view *view)
{
	struct rollback *rollback = &view->rollback;
	const json_t *good;

	problems_init(&rollback->problems);
	rollback->generation = object_integer(view->job, "metadata", "generation", NULL);
	if (!view->spec || view->deleting || view->spec->cluster.rollback != ROLLBACK_AUTO || !went_back(view))
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
		find_code(view, rollback);
	}
}

void rollback_release(struct rollback *rollback)
{
	jobspecs_release(&rollback->jobs);
	problems_release(&rollback->problems);
	json_decref(rollback->job);
	json_decref(rollback->code);
}

/* By its spec, and its code where it has some. */
static void revision_name(const struct view *view, const json_t *pods, const json_t *code,
                          char ret_name[NAME_MAX_BYTES + 1])
{
	json_t *both = json_object_size(code) ? json_pack("[O, O]", pods, code) : NULL;
	char hash[OBJECT_HASH_SIZE];

	object_hash(both ? both : pods, hash);
	view_child_name(view, KIND_REVISION, hash, ret_name);
	json_decref(both);
}

/* `name`: of the revision that is to be there; "": none. */
static void delete_revisions(struct plan *plan, const char *name)
{
	const struct view *view = plan->view;
	size_t index;
	json_t *one;

	json_array_foreach(view->observed->children[KIND_REVISION], index, one)
	{
		if (object_is_controlled(one, view->uid) && strcmp(object_name(one), name) != 0)
			plan_delete(plan, KIND_REVISION, one);
	}
}

static void keep_revision(struct plan *plan)
{
	const struct view *view = plan->view;
	json_t *pods = pods_part(json_object_get(view->job, "spec")), *code = kept_code_now(view);
	char name[NAME_MAX_BYTES + 1], note[OBJECT_HASH_SIZE];

	code_hash(view, note);
	if (code && !strcmp(note, view_deployed_note(view, NOTE_CODE_HASH))) { /* else the pods have other code */
		revision_name(view, pods, code, name);
		if (!view_child(view, KIND_REVISION, name))
			plan_apply(plan, KIND_REVISION, desired_revision(view, name, pods, code), NULL);
		delete_revisions(plan, name);
		plan_kept_code(plan, code);
	}
	json_decref(pods);
	json_decref(code);
}

void plan_revision(struct plan *plan)
{
	const struct view *view = plan->view;

	if (view->rollback.active)
		return;
	if (view->spec->cluster.rollback != ROLLBACK_AUTO) {
		delete_revisions(plan, "");
		plan_kept_code(plan, NULL);
	} else if (view_flows(view)) {
		keep_revision(plan);
	}
}

static int64_t rollback_waits_since(const struct view *view, const struct health *health)
{
	const json_t *rollout = object_at(view->job, "status", "rollout", NULL);

	if (!view->spec || view->deleting || view->rollback.active || health->flows || !pods_wanted(view) ||
	    json_is_true(json_object_get(rollout, "good")) || json_is_true(json_object_get(rollout, "byOperator")) ||
	    object_integer(rollout, "number", NULL) != view->rollout.number ||
	    object_integer(rollout, "generation", NULL) != object_integer(view->job, "metadata", "generation", NULL))
		return 0;
	return object_time(object_text(rollout, "since", NULL));
}

/* What a ConfigMap held that now holds something else is kept. */
static bool has_other_code(const struct view *view)
{
	char copy[NAME_MAX_BYTES + 1];
	const char *config_map;
	json_t *hash;

	json_object_foreach(object_borrow(object_at(kept_revision(view), "data", "code", NULL)), config_map, hash)
	{
		const json_t *now = json_object_get(view->observed->code, config_map);

		if (now && !json_equal(now, hash) && kept_code_copy(view, json_string_value(hash), copy))
			return true;
	}
	return false;
}

/* The spec that is kept is another one, or its code. */
static bool can_go_back(const struct view *view)
{
	const json_t *good = object_at(kept_revision(view), "data", "spec", NULL);
	json_t *pods = pods_part(json_object_get(view->job, "spec"));
	bool other = good && (!json_equal(good, pods) || has_other_code(view));

	json_decref(pods);
	return other;
}

static const char *code_said(const struct view *view)
{
	if (view->rollback.lost_code)
		return ", but to the functions' code as it is now: there is no copy of what a ConfigMap of it held";
	return json_object_size(view->rollback.code) ? " and the functions' code of then" : "";
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
	            "with the spec of generation %lld%s no data flowed by its progressDeadline: %s; the pods went back "
	            "to the spec of generation %lld%s; another spec is tried anew%s",
	            generation, good == generation ? " and its functions' code" : "", why, good, code_said(view),
	            json_object_size(view->rollback.code) ? ", and so is other code" : "");
	finding_set(&health->ready, TRUTH_FALSE, "RolledBack",
	            "the pods run the spec of generation %lld again and not that of generation %lld, see the condition "
	            "Stalled; of those pods: %s",
	            good, generation, now.data);
	finding_set(&health->reconciling, TRUTH_FALSE, "RolledBack", "waits for another spec");
	buffer_release(&now);
}

/* Late, and by the job's own fault. */
static void judge_late(const struct view *view, struct health *health)
{
	const char *why = health->ready.message.data;
	const struct cluster_spec *cluster = &view->spec->cluster;
	char code[OBJECT_HASH_SIZE];
	struct buffer deadline;

	if (cluster->rollback == ROLLBACK_AUTO && can_go_back(view)) {
		code_hash(view, code);
		health->rollback = json_pack("{s:I, s:s, s:o, s:s, s:s%}", "generation",
		                             (json_int_t)object_integer(view->job, "metadata", "generation", NULL),
		                             "codeHash", code, "at", object_time_json(view->observed->now_ms), "reason",
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
