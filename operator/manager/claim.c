#include "operator/manager/claim.h"

#include <string.h>

#include "lib/base/log.h"
#include "operator/reconcile/names.h"
#include "operator/reconcile/object.h"

#define SILENT_MS 300000 /* a Lease that was renewed so long ago, by two clocks, is nobody's */

static const char *claim_on(const struct observed *observed)
{
	const json_t *deployment;
	char name[NAME_MAX_BYTES + 1];

	name_workload(object_name(observed->job), name);
	deployment = object_named(observed->children[KIND_DEPLOYMENT], name);
	if (!deployment || !object_is_controlled(deployment, object_uid(observed->job)))
		return "";
	return object_text(deployment, "metadata", "annotations", NOTE_OPERATOR, NULL);
}

/* "/LEASE": of one class, of which only one operator may have the job. */
static bool is_of_our_class(const char *claim, const char *own)
{
	const char *theirs = strchr(claim, '/'), *ours = strchr(own, '/');

	return theirs && ours && !strcmp(theirs, ours);
}

static bool is_held(const json_t *lease, int64_t now_ms)
{
	return object_text(lease, "spec", "holderIdentity", NULL)[0] &&
	       now_ms - object_time(object_text(lease, "spec", "renewTime", NULL)) < SILENT_MS;
}

/* By its Lease. Where that may not be read, it is taken to live: the job is its own until somebody says otherwise. */
static bool is_alive(struct kube_client *client, const char *claim, int64_t now_ms)
{
	static const struct kube_resource leases = {"/apis/coordination.k8s.io/v1", "leases"};
	json_t *namespace = json_stringn(claim, (size_t)(strchr(claim, '/') - claim)), *lease = NULL;
	struct kube_error err;
	bool alive = true;

	if (kube_get(client, &leases, json_string_value(namespace), strchr(claim, '/') + 1, &lease, &err) == 0)
		alive = is_held(lease, now_ms);
	else
		alive = err.reason != KUBE_NOT_FOUND;
	json_decref(lease);
	json_decref(namespace);
	return alive;
}

static void say(struct manager *manager, struct kube_client *client, const json_t *job, const char *key,
                const char *claim)
{
	struct event event = {
	        .warning = true,
	        .reason = "OtherOperator",
	        .note = json_sprintf(
	                "the operator %s has this job, and %s, which sees it too, leaves it alone; give each operator "
	                "namespaces or a class of its own. To hand the job over: kubectl -n %s annotate deployment %s "
	                "%s-",
	                claim, manager->operator, object_text(job, "metadata", "namespace", NULL), object_name(job),
	                NOTE_OPERATOR)};

	log_warn("another operator has the job", "job=\"%s\" other=\"%s\" us=\"%s\"", key, claim, manager->operator);
	recorder_record(manager->recorder, client, job, &event);
	json_decref(event.note);
}

bool claim_is_of_other(struct manager *manager, struct kube_client *client, const char *key,
                       const struct observed *observed)
{
	const char *claim = claim_on(observed);

	if (!claim[0] || !strcmp(claim, manager->operator) || !is_of_our_class(claim, manager->operator))
		return false;
	if (!is_alive(client, claim, observed->now_ms)) {
		log_info("a job is taken over from an operator that is gone", "job=\"%s\" other=\"%s\"", key, claim);
		return false;
	}
	say(manager, client, observed->job, key, claim);
	return true;
}
