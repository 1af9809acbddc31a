#include "operator/reconcile/desired.h"

#include <stdlib.h>

#include "lib/base/memory.h"
#include "operator/reconcile/mounts.h"
#include "operator/reconcile/pod.h"

const enum kind desired_kinds[] = {KIND_SERVICE_ACCOUNT, KIND_NETWORK_POLICY, KIND_SERVICE,
                                   KIND_CONFIG_MAP,      KIND_DEPLOYMENT,     KIND_BUDGET};

/* Only the Deployment holds up a deletion in the foreground: its pods drain.
 */
static json_t *owners(const struct view *view, enum kind kind)
{
	return json_pack("[{s:s, s:s, s:s, s:s, s:b, s:b}]", "apiVersion", JOB_API_VERSION, "kind", JOB_KIND, "name",
	                 view->name, "uid", view->uid, "controller", 1, "blockOwnerDeletion", kind == KIND_DEPLOYMENT);
}

static json_t *head(const struct view *view, enum kind kind, const char *component, const char *name)
{
	json_t *object =
	        json_pack("{s:s, s:s, s:{s:s, s:s, s:o, s:o}}", "apiVersion", kind_names[kind].api_version, "kind",
	                  kind_names[kind].kind, "metadata", "name", name, "namespace", view->namespace, "labels",
	                  pod_labels(view, component), "ownerReferences", owners(view, kind));

	pod_note_job(view, json_object_get(object, "metadata"));
	return object;
}

static void note(json_t *object, const char *key, const char *value)
{
	json_t *notes = json_object_get(json_object_get(object, "metadata"), "annotations");

	if (!notes) {
		notes = json_object();
		json_object_set_new(json_object_get(object, "metadata"), "annotations", notes);
	}
	json_object_set_new(notes, key, json_string(value));
}

/* Says what was applied, so that a field which is no longer asked for is seen too. */
static json_t *finish(json_t *object)
{
	char hash[OBJECT_HASH_SIZE];

	object_hash(object, hash);
	note(object, NOTE_APPLIED, hash);
	return object;
}

static void add_job_file(const struct view *view, json_t *object)
{
	struct buffer text;

	buffer_init(&text);
	jobspec_canonical(view->spec, &text);
	json_object_set_new(object, "immutable", json_true());
	json_object_set_new(object, "data", json_pack("{s:s}", JOB_FILE, text.data));
	buffer_release(&text);
}

static json_t *service_spec(const struct view *view)
{
	return json_pack("{s:s, s:b, s:o, s:[{s:s, s:i, s:s, s:s}]}", "clusterIP", "None", "publishNotReadyAddresses",
	                 1, "selector", pod_selector(view), "ports", "name", "status", "port", STATUS_PORT,
	                 "targetPort", "status", "protocol", "TCP");
}

/* Pods of the operator's namespace that are the operator; anywhere, those that say they scrape, or are Prometheus. */
static json_t *network_policy_spec(const struct view *view)
{
	const char *own = view->settings->own_namespace;
	json_t *home = own ? json_pack("{s:{s:s}}", "matchLabels", "kubernetes.io/metadata.name", own) : json_object();
	json_t *from = json_pack("[{s:o, s:{s:{s:s}}}, {s:{}, s:{s:{s:s}}}, {s:{}, s:{s:{s:s}}}]", "namespaceSelector",
	                         home, "podSelector", "matchLabels", LABEL_NAME, FIELD_MANAGER, "namespaceSelector",
	                         "podSelector", "matchLabels", LABEL_SCRAPER, "true", "namespaceSelector",
	                         "podSelector", "matchLabels", LABEL_NAME, "prometheus");

	return json_pack("{s:{s:{s:s, s:s}}, s:[s], s:[{s:o, s:[{s:i, s:s}]}]}", "podSelector", "matchLabels",
	                 LABEL_NAME, "streamjob", LABEL_INSTANCE, view->label, "policyTypes", "Ingress", "ingress",
	                 "from", from, "ports", "port", STATUS_PORT, "protocol", "TCP");
}

/*
 * A job has one pod: a budget lets it be evicted, or nothing. Evicted, it drains and commits, and another one goes on.
 * A pod that is not ready is never held: it would hold up the node for nothing.
 */
static json_t *budget_spec(const struct view *view)
{
	return json_pack("{s:i, s:s, s:{s:o}}", "maxUnavailable",
	                 view->spec->cluster.evictions == EVICTIONS_BLOCK ? 0 : 1, "unhealthyPodEvictionPolicy",
	                 "AlwaysAllow", "selector", "matchLabels", pod_selector(view));
}

static json_t *deployment_spec(const struct view *view, int replicas)
{
	return json_pack("{s:i, s:b, s:i, s:{s:s}, s:{s:o}, s:o}", "replicas", replicas, "paused", 0,
	                 "revisionHistoryLimit", 2, "strategy", "type", "Recreate", "selector", "matchLabels",
	                 pod_selector(view), "template", pod_template(view, &view->rollout));
}

static void claim(const struct view *view, json_t *object)
{
	const char *operator= view->settings->operator;

	if (!operator)
		operator= object_text(view_deployment(view), "metadata", "annotations", NOTE_OPERATOR, NULL);
	if (operator[0])
		note(object, NOTE_OPERATOR, operator);
}

json_t *desired_child(const struct view *view, enum kind kind, int replicas)
{
	char name[NAME_MAX_BYTES + 1];
	json_t *object;

	view_child_name(view, kind, view->spec->spec_hash, name);
	object = head(view, kind, kind == KIND_CONFIG_MAP ? COMPONENT_JOB_FILE : COMPONENT_RUNTIME, name);
	switch (kind) {
	case KIND_SERVICE_ACCOUNT:
		json_object_set_new(object, "automountServiceAccountToken", json_false());
		break;
	case KIND_NETWORK_POLICY:
		json_object_set_new(object, "spec", network_policy_spec(view));
		break;
	case KIND_SERVICE:
		json_object_set_new(object, "spec", service_spec(view));
		break;
	case KIND_CONFIG_MAP:
		add_job_file(view, object);
		break;
	case KIND_DEPLOYMENT:
		json_object_set_new(object, "spec", deployment_spec(view, replicas));
		claim(view, object);
		break;
	case KIND_BUDGET:
		json_object_set_new(object, "spec", budget_spec(view));
		break;
	case KIND_STREAM_JOB:
	case KIND_JOB:
	case KIND_REVISION:
	case KIND_REPLICA_SET:
	case KIND_POD:
	case KIND_COUNT:
		abort(); /* desired_kinds has no other */
	}
	return finish(object);
}

json_t *desired_place(const struct view *view, const struct place *place, int64_t written_ms)
{
	json_t *known = json_pack("{s:s, s:I}", "life", place->life, "sequence", (json_int_t)place->sequence);
	char *text = json_dumps(known, JSON_COMPACT), name[NAME_MAX_BYTES + 1];
	json_t *object;

	if (!text)
		memory_exhausted();
	view_place_name(view, name);
	object = head(view, KIND_CONFIG_MAP, COMPONENT_PLACE, name);
	json_object_set_new(object, "data",
	                    json_pack("{s:s, s:o}", PLACE_FILE, text, PLACE_WRITTEN, object_time_json(written_ms)));
	free(text);
	json_decref(known);
	return finish(object);
}

json_t *desired_code(const struct view *view, const char *name, const char *config_map, const char *hash)
{
	json_t *object = head(view, KIND_CONFIG_MAP, COMPONENT_CODE, name);

	json_object_set_new(object, "immutable", json_true());
	note(object, NOTE_COPY_OF, config_map);
	note(object, NOTE_CODE_HASH, hash);
	return finish(object);
}

json_t *desired_revision(const struct view *view, const char *name, const json_t *pods, const json_t *code)
{
	json_t *object = head(view, KIND_REVISION, COMPONENT_GOOD, name);

	json_object_set_new(object, "revision",
	                    json_integer(object_integer(view->job, "metadata", "generation", NULL)));
	json_object_set_new(object, "data", json_pack("{s:O}", "spec", pods));
	if (json_object_size(code))
		json_object_set(json_object_get(object, "data"), "code", object_borrow(code));
	return finish(object);
}
