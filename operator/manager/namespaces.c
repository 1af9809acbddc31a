/* The namespaces of --namespace-selector: the API server says which have the labels. */
#include "lib/base/log.h"
#include "operator/manager/namespaces.h"
#include "operator/reconcile/object.h"

static const struct kube_resource namespaces = {"/api/v1", "namespaces"};

static void trim(void *context, json_t *namespace)
{
	(void)context;
	json_object_del(namespace, "spec");
	json_object_del(namespace, "status");
	json_object_del(json_object_get(namespace, "metadata"), "annotations");
}

/* One that has lost the labels comes as deleted. */
static void changed(void *context, enum change change, const json_t *before, const json_t *after)
{
	struct manager *manager = context;
	const char *name = object_name(after ? after : before);
	json_t *keys, *key;
	size_t index;

	if (change == CHANGE_UPDATED)
		return;
	keys = store_keys(manager->stores[KIND_STREAM_JOB], name);
	json_array_foreach(keys, index, key)
	{
		queue_add(manager->queue, json_string_value(key));
	}
	log_info(change == CHANGE_ADDED ? "a namespace comes in sight" : "a namespace goes out of sight",
	         "namespace=\"%s\" jobs=%zu", name, json_array_size(keys));
	json_decref(keys);
}

static void trouble(void *context, const struct kube_error *why)
{
	(void)context;
	if (why)
		log_warn("cannot watch", "kind=namespaces error=\"%s\"", why->error.text);
}

void namespaces_start(struct manager *manager)
{
	struct informer_options options = {.cluster = manager->cluster,
	                                   .resource = namespaces,
	                                   .label_selector = manager->options->namespace_selector,
	                                   .trim = trim,
	                                   .changed = changed,
	                                   .trouble = trouble,
	                                   .context = manager,
	                                   .clock = manager->clock};

	if (!manager->options->namespace_selector)
		return;
	manager->selected = options.store = store_new(0);
	manager->selection = informer_start(&options);
}

void namespaces_stop(struct manager *manager)
{
	informer_stop(manager->selection);
	manager->selection = NULL;
}

bool namespaces_synced(const struct manager *manager)
{
	return !manager->selection || informer_synced(manager->selection);
}

bool namespaces_have(const struct manager *manager, const char *namespace)
{
	return !manager->selected || store_has(manager->selected, NULL, namespace);
}

bool manager_has_job(const struct manager *manager, const char *namespace, const char *name)
{
	return store_has(manager->stores[KIND_STREAM_JOB], namespace, name) && namespaces_have(manager, namespace);
}
