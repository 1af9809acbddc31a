/*
 * A worker: one key at a time, observe -> plan -> write -> status. Whatever goes wrong, the key comes again; the one
 * switch in settle() says when.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/process/system_clock.h"
#include "lib/process/pause.h"
#include "operator/manager/checked_keep.h"
#include "operator/manager/claim.h"
#include "operator/manager/manager.h"
#include "operator/manager/namespaces.h"
#include "operator/manager/observe.h"
#include "operator/manager/perform.h"
#include "operator/manager/stores.h"
#include "operator/manager/watches.h"
#include "operator/reconcile/names.h"
#include "operator/reconcile/object.h"
#include "operator/reconcile/status_short.h"

#define LACK_AGAIN_MS 10000 /* a key of a namespace that the stores do not have all of */
#define UNSYNCED_MS   500   /* a key of a namespace that is not listed yet waits so long */
#define FIRST_LIST_MS 5000  /* and none is taken before the lists are there, for so long at most */
#define STEP_MS       20
#define SAID_MS       5000 /* a write that failed for so long is said in the status, though it may pass */

/* The API server says that this very write cannot be: worth a condition at once. */
static bool is_refusal(const struct kube_error *err)
{
	return err->reason == KUBE_FORBIDDEN || err->reason == KUBE_INVALID || err->reason == KUBE_TOO_LARGE;
}

/* Whether the failure has a place in the status: a refusal at once, what may pass by itself after SAID_MS. */
static bool is_said(struct manager *manager, const char *key, const json_t *job, const struct kube_error *err)
{
	int64_t since_ms;

	if (err->reason == KUBE_NOT_LEADER || err->reason == KUBE_CANCELLED || err->reason == KUBE_ENDING_NAMESPACE)
		return false;
	since_ms = memory_failing(manager->memory, key, object_uid(job), clock_monotonic_ms(manager->clock));
	return is_refusal(err) || since_ms >= SAID_MS;
}

/* Decides when the key comes again after a failure. */
static enum reconcile_result settle(struct manager *manager, const char *key, const json_t *job,
                                    const struct kube_error *err)
{
	switch (err->reason) {
	case KUBE_NOT_LEADER:
	case KUBE_CANCELLED:
		return RECONCILE_SUCCESS; /* the leader does it, or the next start */
	case KUBE_NOT_FOUND:              /* the StreamJob itself went meanwhile: its event follows */
	case KUBE_CONFLICT:
	case KUBE_ALREADY_EXISTS:
		queue_add_rate_limited(manager->queue, key);
		return RECONCILE_REQUEUE;
	case KUBE_ENDING_NAMESPACE:
		memory_namespace_ends(manager->memory, key, object_uid(job), clock_monotonic_ms(manager->clock));
		queue_add(manager->queue, key);
		return RECONCILE_REQUEUE;
	case KUBE_UNAVAILABLE:
	case KUBE_SILENT:
	case KUBE_UNTRUSTED:
	case KUBE_CREDENTIALS:
	case KUBE_UNAUTHORIZED:
	case KUBE_FORBIDDEN:
	case KUBE_GONE:
	case KUBE_VERSION_TOO_LARGE:
	case KUBE_INVALID:
	case KUBE_THROTTLED:
	case KUBE_MALFORMED:
	case KUBE_TOO_LARGE:
		break;
	}
	log_warn("a write failed", "job=\"%s\" reason=%s error=\"%s\"", key, kube_reason_name(err->reason),
	         err->error.text);
	if (err->retry_after_ms)
		queue_add_after(manager->queue, key, err->retry_after_ms);
	else
		queue_add_rate_limited(manager->queue, key);
	return RECONCILE_ERROR;
}

static void record(struct manager *manager, struct kube_client *client, const struct plan *plan, const json_t *job,
                   size_t from)
{
	for (size_t i = from; i < plan->events_count; i++)
		recorder_record(manager->recorder, client, job, &plan->events[i]);
}

/* Takes `object`, which may be NULL; the events of the plan from the `events`th are its own. */
static int write_object(struct manager *manager, struct kube_client *client, const char *key, const json_t *job,
                        struct plan *plan, size_t events, json_t *object, struct kube_error *err)
{
	const char *version = object_text(job, "metadata", "resourceVersion", NULL);
	int result = 0;

	if (!object)
		return 0;
	/* Before the write, for its event may come before its answer. */
	memory_status_begins(manager->memory, key, object_uid(job), version, json_object_get(object, "status"),
	                     clock_monotonic_ms(manager->clock));
	result = perform_status(client, object, err);
	if (result == 0)
		record(manager, client, plan, job, events);
	else
		memory_status_failed(manager->memory, key, object_uid(job));
	json_decref(object);
	return result;
}

static int write_status(struct manager *manager, struct kube_client *client, const char *key, const json_t *job,
                        struct plan *plan, const struct step *failed, const struct error *words, struct kube_error *err)
{
	size_t events = plan->events_count;

	return write_object(manager, client, key, job, plan, events, plan_status(plan, failed, words), err);
}

static int take_steps(struct kube_client *client, const struct plan *plan, const struct step **ret_failed,
                      struct kube_error *err)
{
	for (size_t i = 0; i < plan->steps_count; i++) {
		const struct step *step = &plan->steps[i];

		if (perform(client, step, err) < 0) {
			*ret_failed = step;
			return -1;
		}
		log_info("written", "kind=%s namespace=\"%s\" name=\"%s\" verb=%s", kind_names[step->kind].kind,
		         object_text(step->object, "metadata", "namespace", NULL), object_name(step->object),
		         verb_names[step->verb]);
	}
	return 0;
}

static enum reconcile_result reconcile(struct manager *manager, struct kube_client *client, const char *key,
                                       const struct observed *observed)
{
	const json_t *job = observed->job;
	struct plan plan;
	struct kube_error err, status_err;
	const struct step *failed = NULL;
	enum reconcile_result result = RECONCILE_SUCCESS;
	const struct error *words = NULL;

	plan_make(observed, &manager->settings, &plan);
	waves_note(manager->waves, key, plan_waits(&plan));
	if (take_steps(client, &plan, &failed, &err) == 0) {
		record(manager, client, &plan, job, 0);
		memory_not_failing(manager->memory, key, object_uid(job));
	} else if (is_said(manager, key, job, &err)) {
		words = &err.error;
	}
	/* How the job is does not depend on what a child's write did. */
	if (write_status(manager, client, key, job, &plan, failed, words, &status_err) < 0) {
		result = settle(manager, key, job, &status_err);
	} else if (failed) {
		result = settle(manager, key, job, &err);
	} else {
		queue_forget(manager->queue, key);
		if (plan.again_ms)
			queue_add_after(manager->queue, key, plan.again_ms);
		result = plan.again_ms ? RECONCILE_REQUEUE_AFTER : RECONCILE_SUCCESS;
	}
	plan_release(&plan);
	return result;
}

/* A kind may not be read there: nothing is known of the children, so nothing is written but the status. */
static enum reconcile_result say_forbidden(struct manager *manager, struct kube_client *client, const char *key,
                                           const struct observed *observed, enum kind kind)
{
	json_t *all = json_pack("{s:{s:s}}", "metadata", "name", "*");
	struct step reading = {.kind = kind, .object = all};
	struct kube_error err;
	struct plan plan;
	struct error words;

	error_write(&words, "the operator may not list and watch %s in this namespace; grant it the verbs of its Role",
	            kind_names[kind].plural);
	plan_make(observed, &manager->settings, &plan);
	waves_note(manager->waves, key, plan_waits(&plan));
	if (write_status(manager, client, key, observed->job, &plan, &reading, &words, &err) < 0)
		log_warn("a status could not be written", "job=\"%s\" error=\"%s\"", key, err.error.text);
	plan_release(&plan);
	json_decref(all);
	queue_add_rate_limited(manager->queue, key);
	return RECONCILE_ERROR;
}

/* Of which kind, and which of its objects. */
static void lacking_words(enum kind kind, struct error *ret_words)
{
	if (kind == KIND_COUNT)
		error_write(ret_words, "configmaps of this namespace, where the code of the job's functions may be");
	else
		error_write(ret_words, "%s of this namespace with the label " LABEL_MANAGER "=" FIELD_MANAGER,
		            kind_names[kind].plural);
}

/*
 * There was no room for all children of the namespace: what would be missing may be there, so nothing is written. Or
 * for all other ConfigMaps (KIND_COUNT), one of which may have the code of the job's functions.
 */
static enum reconcile_result say_lacking(struct manager *manager, struct kube_client *client, const char *key,
                                         const struct observed *observed, enum kind kind, size_t left_out)
{
	struct kube_error err;
	struct error words, which;
	struct plan plan;
	size_t events;

	lacking_words(kind, &which);
	error_write(&words,
	            "the operator has no room in its memory for %zu or more %s, and neither writes anything here nor "
	            "knows how the job is until it has; what runs goes on. Delete those that nobody needs, or give the "
	            "operator more memory",
	            left_out, which.text);
	plan_make(observed, &manager->settings, &plan);
	waves_note(manager->waves, key, false);
	events = plan.events_count;
	if (write_object(manager, client, key, observed->job, &plan, events, plan_status_short(&plan, words.text),
	                 &err) < 0)
		log_warn("a status could not be written", "job=\"%s\" error=\"%s\"", key, err.error.text);
	plan_release(&plan);
	queue_add_after(manager->queue, key, LACK_AGAIN_MS);
	return RECONCILE_REQUEUE_AFTER;
}

static enum reconcile_result look_at(struct manager *manager, struct kube_client *client, const char *key,
                                     const char *namespace, enum kind forbidden)
{
	struct look look;
	enum reconcile_result result;
	size_t left_out;
	enum kind lack = stores_lack(manager, namespace, &left_out);

	if (!namespaces_have(manager, namespace) || !observe(manager, key, &look)) {
		memory_forget(manager->memory, key);
		checked_forget(manager->checked, key);
		queue_forget(manager->queue, key);
		return RECONCILE_SUCCESS;
	}
	if (lack == KIND_COUNT)
		lack = stores_lack(manager, namespace, &left_out); /* it may have come to that meanwhile */
	if (claim_is_of_other(manager, client, key, &look.observed)) {
		waves_note(manager->waves, key, false); /* nobody waits until it has been looked at */
		queue_add_after(manager->queue, key, CLAIM_AGAIN_MS);
		result = RECONCILE_REQUEUE_AFTER;
	} else if (forbidden != KIND_COUNT)
		result = say_forbidden(manager, client, key, &look.observed, forbidden);
	else if (lack != KIND_COUNT || look.code_left_out)
		result = say_lacking(manager, client, key, &look.observed, lack,
		                     lack != KIND_COUNT ? left_out : look.code_left_out);
	else
		result = reconcile(manager, client, key, &look.observed);
	look_release(&look);
	return result;
}

static enum reconcile_result settle_unknown_cluster(struct manager *manager, const char *key,
                                                    const struct kube_error *err)
{
	if (err->reason == KUBE_NOT_LEADER || err->reason == KUBE_CANCELLED)
		return RECONCILE_SUCCESS;
	log_warn("no job is worked on: the cluster's id can neither be read nor made; --cluster-id gives one",
	         "reason=%s error=\"%s\"", kube_reason_name(err->reason), err->error.text);
	queue_add_rate_limited(manager->queue, key);
	return RECONCILE_ERROR;
}

/* Before the first look: what pods are told depends on the cluster's id; and which specs are known. */
static int know_cluster(struct manager *manager, struct kube_client *client, struct kube_error *err)
{
	int result = 0;

	pthread_mutex_lock(&manager->cluster_id_mutex);
	if (!manager->settings.cluster_id) {
		result = cluster_id_make(client, manager_namespace(manager), manager->cluster_id, err);
		if (result == 0) {
			manager->settings.cluster_id = manager->cluster_id;
			log_info("the cluster's id", "id=\"%s\" namespace=\"%s\" config_map=\"%s\"",
			         manager->cluster_id, manager_namespace(manager), CLUSTER_ID_CONFIG_MAP);
		}
	}
	if (!manager->checked_known)
		checked_read(manager, client);
	manager->checked_known = true;
	pthread_mutex_unlock(&manager->cluster_id_mutex);
	return result;
}

static enum reconcile_result work_on(struct manager *manager, struct kube_client *client, const char *key)
{
	char *namespace = xstrdup(key);
	enum reconcile_result result = RECONCILE_REQUEUE_AFTER;
	struct kube_error err;
	enum kind forbidden;

	*strchr(namespace, '/') = '\0';
	forbidden = watches_forbidden(manager, namespace);
	if (!watches_know_jobs(manager) || (forbidden == KIND_COUNT && !watches_synced(manager, namespace)))
		queue_add_after(manager->queue, key, UNSYNCED_MS);
	else if (know_cluster(manager, client, &err) < 0)
		result = settle_unknown_cluster(manager, key, &err);
	else
		result = look_at(manager, client, key, namespace, forbidden);
	free(namespace);
	return result;
}

static void wait_for_lists(struct manager *manager)
{
	for (int waited_ms = 0; waited_ms < FIRST_LIST_MS && !watches_synced(manager, NULL); waited_ms += STEP_MS) {
		if (watches_forbidden(manager, NULL) != KIND_COUNT || atomic_load(&manager->stopping))
			return;
		pause_ms(STEP_MS);
	}
}

void *worker_thread(void *context)
{
	struct manager *manager = context;
	struct kube_client *client = manager_client(manager);
	char *key;

	wait_for_lists(manager);
	while ((key = queue_get(manager->queue))) {
		if (!atomic_load(&manager->stopping)) {
			int64_t started_ns = system_clock_ns();
			enum reconcile_result result;

			atomic_fetch_add(&manager->counters.active, 1);
			result = work_on(manager, client, key);
			counters_count(&manager->counters, result, (system_clock_ns() - started_ns) / 1000);
			atomic_fetch_sub(&manager->counters.active, 1);
		}
		queue_done(manager->queue, key);
		free(key);
	}
	kube_client_free(client);
	return NULL;
}
