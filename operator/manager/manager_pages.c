/* What the operator says of itself over HTTP. */
#include <string.h>

#include "lib/metrics/metrics.h"
#include "operator/manager/manager.h"
#include "operator/manager/namespaces.h"
#include "operator/manager/stores.h"
#include "operator/manager/watches.h"

/* The local loop is stuck, which only a restart mends: a request ends after 30 s, a look takes a few of them. */
#define WORK_STUCK_MS     600000
#define POLLER_STUCK_MS   600000
#define INFORMER_STUCK_MS 600000

int manager_page_health(void *context, struct buffer *out)
{
	struct manager *manager = context;
	int64_t now_ms = clock_monotonic_ms(manager->clock);

	if (queue_longest_running_ms(manager->queue) > WORK_STUCK_MS) {
		buffer_append_text(out, "a worker is stuck\n");
		return 503;
	}
	if (manager->poller_started && now_ms - atomic_load(&manager->poller_ms) > POLLER_STUCK_MS) {
		buffer_append_text(out, "the poller is stuck\n");
		return 503;
	}
	for (size_t i = 0; i < manager->watches_count; i++) {
		if (now_ms - informer_counts(manager->watches[i].informer).alive_ms < INFORMER_STUCK_MS)
			continue;
		buffer_printf(out, "the watch of %s is stuck\n", kind_names[manager->watches[i].kind].plural);
		return 503;
	}
	buffer_append_text(out, "ok\n");
	return 200;
}

int manager_page_ready(void *context, struct buffer *out)
{
	struct manager *manager = context;
	bool ready = true;

	for (size_t i = 0; i < manager->watches_count; i++) {
		const struct watch *watch = &manager->watches[i];

		if (informer_synced(watch->informer) || watch_is_missed(watch))
			continue;
		ready = false;
		buffer_printf(out, "waits for the list of %s %s\n", kind_names[watch->kind].plural,
		              watch->namespace ? watch->namespace : "");
	}
	if (!namespaces_synced(manager)) {
		ready = false;
		buffer_append_text(out, "waits for the list of namespaces\n");
	}
	if (ready)
		buffer_append_text(out, "ready\n");
	return ready ? 200 : 503;
}

static bool is_watched(void *context, const char *key)
{
	json_t *namespace = json_stringn(key, strcspn(key, "/"));
	bool watched = namespaces_have(context, json_string_value(namespace));

	json_decref(namespace);
	return watched;
}

int manager_page_metrics(void *context, struct buffer *out)
{
	struct manager *manager = context;

	counters_metrics(&manager->counters, manager->options->workers, out);
	queue_metrics(manager->queue, out);
	kube_cluster_metrics(manager->cluster, out);
	metrics_family(out, "leader_election_master_status", "gauge",
	               "Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 "
	               "indicates master.");
	buffer_append_text(out, "leader_election_master_status");
	buffer_printf(out, "{name=\"%s\"}", manager->lease_name);
	metrics_number(out, manager_may_work(manager));
	checked_metrics(manager->checked, out);
	waves_metrics(manager->waves, out);
	stores_metrics(manager, out);
	figures_metrics(manager->figures, is_watched, manager, clock_monotonic_ms(manager->clock), out);
	return 200;
}
