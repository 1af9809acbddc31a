/* The status as an object, and whether it says more than the one that is there. */
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "operator/reconcile/container.h"
#include "operator/reconcile/groups.h"
#include "operator/reconcile/health.h"
#include "operator/reconcile/life.h"
#include "operator/reconcile/place.h"
#include "operator/reconcile/status_due.h"
#include "operator/reconcile/steps.h"

#define ROUNDED_MAX       1e15
#define ERROR_MESSAGE_MAX 2000 /* characters; the CRD allows 2048 */

static json_t *condition_json(const struct view *view, const char *type, const struct finding *finding)
{
	static const char *const truths[] = {"Unknown", "False", "True"};
	const json_t *before = object_condition(object_at(view->job, "status", "conditions", NULL), type);
	const char *status = truths[finding->truth], *since = object_text(before, "lastTransitionTime", NULL);
	bool same = since[0] && !strcmp(object_text(before, "status", NULL), status);

	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:o}", "type", type, "status", status, "reason", finding->reason,
	                 "message", finding->message.data, "observedGeneration",
	                 (json_int_t)object_integer(view->job, "metadata", "generation", NULL), "lastTransitionTime",
	                 same ? json_string(since) : object_time_json(view->observed->now_ms));
}

static void set_text(json_t *status, const char *key, const char *text)
{
	if (text[0])
		json_object_set_new(status, key, json_string(text));
}

static json_t *last_push(const json_t *document)
{
	const char *newest = "";
	size_t index;
	json_t *sink;

	json_array_foreach(json_object_get(document, "sinks"), index, sink)
	{
		const char *at = object_text(sink, "lastAccepted", "at", NULL);

		if (strcmp(at, newest) > 0)
			newest = at;
	}
	return newest[0] ? json_string(newest) : NULL;
}

static json_t *lag(const json_t *document)
{
	json_t *told = json_object_get(document, "lag");
	int64_t sum = 0;
	bool known = false;
	size_t index;
	json_t *partition;

	if (json_is_integer(told))
		return json_incref(told);
	json_array_foreach(json_object_get(document, "partitions"), index, partition)
	{
		const json_t *one = json_object_get(partition, "lag");

		known = known || one;
		sum += json_integer_value(one);
	}
	return known ? json_integer(sum) : NULL;
}

static json_t *members(const json_t *object, const char *const *keys)
{
	json_t *some = json_object();

	for (size_t i = 0; keys[i]; i++)
		if (json_object_get(object, keys[i]))
			json_object_set(some, keys[i], json_object_get(object, keys[i]));
	if (json_object_size(some))
		return some;
	json_decref(some);
	return NULL;
}

static json_t *error_json(const char *at, const char *message)
{
	size_t size = strlen(message);

	for (size = size > ERROR_MESSAGE_MAX ? ERROR_MESSAGE_MAX : size;
	     size && !text_is_utf8((struct slice){message, size}); size--)
		;
	return json_pack("{s:s, s:s%}", "at", at, "message", message, size);
}

static json_t *eviction_json(const json_t *pod, const char *at)
{
	struct buffer text;
	json_t *json;

	buffer_init(&text);
	pod_print_eviction(pod, &text);
	json = error_json(at, text.data);
	buffer_release(&text);
	return json;
}

/* The latest of what the runtime says, of how its process before this one ended, and of a pod that its node ended. */
static json_t *last_error(const struct view *view, const struct health *health)
{
	const char *evicted_at;
	const json_t *evicted = pod_evicted(view, &evicted_at);

	const json_t *error = json_object_get(health->document, "lastError");
	const json_t *container = container_status(health->pod);
	const json_t *ended = object_at(container, "lastState", "terminated", NULL);
	const char *at = object_text(error, "at", NULL), *message = object_text(error, "message", NULL);
	const char *ended_at = object_text(ended, "finishedAt", NULL);
	struct buffer text;
	json_t *json;

	if (evicted && object_time(evicted_at) > object_time(at) && object_time(evicted_at) > object_time(ended_at))
		return eviction_json(evicted, evicted_at);
	if (!object_integer(ended, "exitCode", NULL) || !object_time(ended_at) ||
	    object_time(at) > object_time(ended_at))
		return message[0] ? error_json(at, message) : NULL;
	buffer_init(&text);
	container_print_end(health->pod, container, ended, &text);
	json = error_json(ended_at, text.data);
	buffer_release(&text);
	return json;
}

/* Takes `value`; where there is none now, what was known stays. */
static void set_figure(const struct view *view, json_t *status, const char *key, json_t *value, bool stays)
{
	const json_t *before = object_at(view->job, "status", key, NULL);

	if (value)
		json_object_set_new(status, key, value);
	else if (stays && before)
		json_object_set(status, key, object_borrow(before));
}

/* Who has the job. */
static json_t *owner_json(const struct health *health)
{
	static const char *const keys[] = {"process", "since", "fenced", NULL};
	json_t *owner = object_text(health->owner, "process", NULL)[0] ? members(health->owner, keys) : NULL;

	if (owner)
		json_object_set_new(owner, "standby", json_integer(health->standbys));
	return owner;
}

static json_t *place_json(const struct view *view)
{
	struct place place;
	json_t *json;

	place_known(view, &place);
	if (!place.life[0])
		return NULL;
	json = json_pack("{s:s, s:I}", "life", place.life, "sequence", (json_int_t)place.sequence);
	set_text(json, "specHash", place.spec_hash);
	return json;
}

/* Since when it is so (a job that was suspended has its pods from now on), whether data flowed with it, and who asked
 * for it: of a new one, or as it is known. */
static void add_course(const struct view *view, const struct health *health, json_t *json)
{
	const json_t *before = object_at(view->job, "status", "rollout", NULL);
	bool same = object_integer(before, "number", NULL) == view->rollout.number;
	const char *since = same && !view->rollout.begins ? object_text(before, "since", NULL) : "";

	json_object_set_new(json, "generation", json_integer(view->rollback.generation));
	json_object_set_new(json, "since", since[0] ? json_string(since) : object_time_json(view->observed->now_ms));
	json_object_set_new(json, "good",
	                    json_boolean(health->flows || (same && json_is_true(json_object_get(before, "good")))));
	json_object_set_new(
	        json, "byOperator",
	        json_boolean(same ? json_is_true(json_object_get(before, "byOperator")) : view->update.by_operator));
}

static json_t *rollout_json(const struct view *view, const struct health *health)
{
	const struct rollout *rollout = &view->rollout;
	char *previous = previous_note(&view->previous);
	json_t *json = NULL;

	if (rollout->number > 0)
		json = json_pack("{s:I, s:s}", "number", (json_int_t)rollout->number, "templateHash",
		                 rollout->template_hash);
	if (json)
		add_course(view, health, json);
	if (json && previous)
		set_text(json, "previous", previous);
	free(previous);
	return json;
}

/*
 * Three digits are what a person reads, and change less often than all of them. A whole number is an integer, as the
 * API server gives it back. NULL: the runtime is older.
 */
static json_t *rounded(const json_t *number, double scale)
{
	double value;
	char text[32];

	if (!json_is_number(number))
		return NULL;
	snprintf(text, sizeof(text), "%.3g", json_number_value(number) * scale);
	value = strtod(text, NULL);
	if (value < ROUNDED_MAX && value == (double)(json_int_t)value)
		return json_integer((json_int_t)value);
	return json_real(value);
}

static void add_figures(const struct view *view, const struct health *health, json_t *status)
{
	const json_t *document = health->document;
	static const char *const window_keys[] = {"start", "end", "sequence", "rows", NULL};
	static const char *const row_keys[] = {"in", "filtered", "bad", "tombstones", "late", "out", NULL};

	set_figure(view, status, "lag", lag(document), health->is_kept);
	set_figure(view, status, "lastPush", last_push(document), true);
	set_figure(view, status, "lastWindow", members(json_object_get(document, "lastWindow"), window_keys), true);
	set_figure(view, status, "rows", members(json_object_get(document, "rows"), row_keys), true);
	set_figure(view, status, "rowsPerSecond", rounded(object_at(document, "recent", "rowsPerSecond", NULL), 1),
	           false);
	set_figure(view, status, "badPercent", rounded(object_at(document, "recent", "badShare", NULL), 100), false);
	set_figure(view, status, "lastError", last_error(view, health), true);
	set_figure(view, status, "owner", owner_json(health), health->is_kept);
	set_figure(view, status, "place", place_json(view), true);
}

static void add_while_true(const struct view *view, const char *type, const struct finding *finding, json_t *conditions)
{
	if (finding->truth == TRUTH_TRUE)
		json_array_append_new(conditions, condition_json(view, type, finding));
}

static json_t *status_json(const struct view *view, const struct health *health, bool failed)
{
	json_t *conditions = json_array(), *status;
	/* Nothing was rolled out. */
	bool is_ahead = failed || view->update.held || view->held_back || groups_hold_back(view);

	json_array_append_new(conditions, condition_json(view, "Ready", &health->ready));
	json_array_append_new(conditions, condition_json(view, "Reconciling", &health->reconciling));
	json_array_append_new(conditions, condition_json(view, "Stalled", &health->stalled));
	json_array_append_new(conditions, condition_json(view, "FunctionsHealthy", &health->functions));
	json_array_append_new(conditions, condition_json(view, "SinksHealthy", &health->sinks));
	json_array_append_new(conditions, condition_json(view, "InputOK", &health->input));
	json_array_append_new(conditions, condition_json(view, "SpecUnderstood", &health->understood));
	json_array_append_new(conditions, condition_json(view, "Updated", &health->updated));
	add_while_true(view, "GroupShared", &health->shared, conditions);
	add_while_true(view, "Suspended", &health->suspended, conditions);
	add_while_true(view, "Succeeded", &health->succeeded, conditions);
	add_while_true(view, "Failed", &health->ended_badly, conditions);
	add_while_true(view, "Paused", &health->paused, conditions);
	status = json_pack("{s:I, s:o, s:I, s:I, s:o}", "observedGeneration",
	                   (json_int_t)object_integer(view->job, "metadata", "generation", NULL), "conditions",
	                   conditions, "replicas", (json_int_t)health->replicas, "readyReplicas",
	                   (json_int_t)health->ready_replicas, "selector",
	                   json_sprintf(LABEL_NAME "=streamjob," LABEL_INSTANCE "=%s," LABEL_COMPONENT
	                                           "=" COMPONENT_RUNTIME,
	                                view->label));
	set_text(status, "specHash", view->jobs.count ? view->jobs.items[0]->spec_hash : "");
	set_text(status, "runningHash", health->running_hash);
	add_figures(view, health, status);
	set_figure(view, status, "rollout", is_ahead ? NULL : rollout_json(view, health), true);
	set_figure(view, status, "update", update_json(view, health), false);
	set_figure(view, status, "rollback", json_incref(health->rollback), false);
	set_figure(view, status, "consumerGroup", failed ? NULL : groups_kept(view), true);
	set_figure(view, status, "completed", life_completed(view, health), false);
	return status;
}

/* The condition has come to be False for that reason. */
static void plan_worsening(struct plan *plan, const char *type, const struct finding *now, const char *reason,
                           const char *event)
{
	const json_t *before = object_at(plan->view->job, "status", "conditions", NULL);

	if (!strcmp(now->reason, reason) &&
	    strcmp(object_text(object_condition(before, type), "reason", NULL), reason) != 0)
		plan_event(plan, true, event, json_string(now->message.data));
}

/* A change of Ready's reason, and of Stalled, is worth an Event. */
static void plan_condition_events(struct plan *plan, const struct health *health)
{
	const json_t *before = object_at(plan->view->job, "status", "conditions", NULL);
	const char *reason = object_text(object_condition(before, "Ready"), "reason", NULL);
	bool was_stalled = !strcmp(object_text(object_condition(before, "Stalled"), "status", NULL), "True");
	bool quiet = health->reconciling.truth == TRUTH_TRUE && strcmp(health->ready.reason, "PodFailing") != 0 &&
	             strcmp(health->ready.reason, "ApplyFailed") != 0 &&
	             strcmp(health->ready.reason, "CleanupFailing") != 0;

	plan_worsening(plan, "Updated", &health->updated, "UpdateFailed", "UpdateHalted");
	plan_worsening(plan, "SpecUnderstood", &health->understood, "UnknownFields", "UnknownFields");
	if (health->shared.truth == TRUTH_TRUE && !object_condition(before, "GroupShared"))
		plan_event(plan, true, "GroupShared", json_string(health->shared.message.data));
	if (health->stalled.truth == TRUTH_TRUE && !was_stalled)
		plan_event(plan, true, health->stalled.reason, json_string(health->stalled.message.data));
	else if (strcmp(reason, health->ready.reason) != 0 && !quiet && health->stalled.truth != TRUTH_TRUE)
		plan_event(plan, health->ready.truth != TRUTH_TRUE, health->ready.reason,
		           json_string(health->ready.message.data));
}

json_t *plan_status(struct plan *plan, const struct step *failed, const struct error *words)
{
	const struct view *view = plan->view;
	const json_t *before = object_at(view->job, "status", NULL);
	struct health health;
	json_t *status, *object = NULL;

	health_judge(view, words ? failed : NULL, words, &health);
	if (health.again_ms)
		plan_again(plan, health.again_ms);
	if (view->update.claims)
		plan_again(plan, 1);
	if (view->update.running && view->update.until_ms > view->observed->now_ms)
		plan_again(plan, view->update.until_ms - view->observed->now_ms);
	status = status_json(view, &health, failed != NULL);
	if (life_ends_now(view, &health))
		plan_again(plan, 1); /* for the pods, which this status takes away */
	if (status_is_due(plan, before, status)) {
		plan_condition_events(plan, &health);
		object = json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:O}", "apiVersion", JOB_API_VERSION, "kind",
		                   JOB_KIND, "metadata", "name", view->name, "namespace", view->namespace, "uid",
		                   view->uid, "status", status);
	}
	json_decref(status);
	health_release(&health);
	return object;
}
