/* What the threads of the manager share. */
#include "operator/manager/manager.h"

#include <string.h>

#include "operator/reconcile/object.h"

bool manager_may_work(struct manager *manager)
{
	return !manager->lease || lease_is_leader(manager->lease);
}

const char *manager_namespace(const struct manager *manager)
{
	const char *given = manager->options->lease_namespace;

	return given ? given : kube_cluster_namespace(manager->cluster);
}

struct kube_client *manager_client(struct manager *manager)
{
	struct kube_client *client = kube_client_new(manager->cluster);

	if (manager->lease)
		kube_client_set_gate(client, lease_writable_ms, manager->lease);
	return client;
}

void manager_told(struct manager *manager, const char *uid, const char *key, int64_t restarts, json_t *report)
{
	const json_t *document = json_object_get(report, "document");
	bool flows = json_is_true(json_object_get(document, "ready"));
	int64_t figures_ms = flows ? manager->settings.figures_ms : WORDS_MS;

	if (document && strcmp(object_text(document, "owner", "role", NULL), "standby") != 0)
		figures_told(manager->figures, key, document, clock_monotonic_ms(manager->clock));
	json_object_set_new(report, "at", json_integer(clock_wall_ms(manager->clock)));
	json_object_set_new(report, "restarts", json_integer(restarts));
	if (memory_report(manager->memory, uid, report, clock_monotonic_ms(manager->clock), figures_ms))
		queue_add(manager->queue, key);
}
