/* What the operator says of itself over HTTP. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "lib/metrics/metrics.h"
#include "operator/manager/manager.h"
#include "operator/manager/namespaces.h"
#include "operator/manager/watches.h"
#include "operator/reconcile/object.h"

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

static void job_labels(const json_t *job, struct buffer *out)
{
	buffer_append_char(out, '{');
	metrics_label(out, true, "namespace", slice_of(object_text(job, "metadata", "namespace", NULL)));
	metrics_label(out, false, "name", slice_of(object_name(job)));
	buffer_append_char(out, '}');
}

static double job_ready(const json_t *job)
{
	const json_t *ready = object_condition(object_at(job, "status", "conditions", NULL), "Ready");

	return !strcmp(object_text(ready, "status", NULL), "True");
}

static double job_stalled(const json_t *job)
{
	const json_t *stalled = object_condition(object_at(job, "status", "conditions", NULL), "Stalled");

	return !strcmp(object_text(stalled, "status", NULL), "True");
}

static double job_suspended(const json_t *job)
{
	return json_is_true(object_at(job, "spec", "suspend", NULL));
}

static double job_lag(const json_t *job)
{
	return (double)object_integer(job, "status", "lag", NULL);
}

static double job_window(const json_t *job)
{
	return (double)object_time(object_text(job, "status", "lastWindow", "end", NULL)) / 1000;
}

static const struct family {
	const char *name, *help;
	double (*value)(const json_t *job);
} families[] = {
        {"streamjob_job_ready", "1 when the job is Ready: data flows, or none is to flow.", job_ready},
        {"streamjob_job_stalled", "1 when the job waits for a change of its spec.", job_stalled},
        {"streamjob_job_suspended", "1 when spec.suspend is true.", job_suspended},
        {"streamjob_job_lag", "Records of the source that no accepted window has yet.", job_lag},
        {"streamjob_job_last_window_end_seconds", "When the last closed window ended.", job_window},
};

#define FAMILIES (sizeof(families) / sizeof(families[0]))

struct figures {        /* of one job; its tree is many times larger */
	json_t *labels; /* NULL: it is gone */
	double values[FAMILIES];
};

static void read_figures(const struct manager *manager, const char *key, struct figures *ret_figures)
{
	const char *name = strchr(key, '/') + 1;
	json_t *namespace = json_stringn(key, (size_t)(name - key) - 1);
	bool ours = namespaces_have(manager, json_string_value(namespace));
	json_t *job = ours ? store_get(manager->stores[KIND_STREAM_JOB], json_string_value(namespace), name) : NULL;
	struct buffer labels;

	if (job) {
		buffer_init(&labels);
		job_labels(job, &labels);
		ret_figures->labels = json_string(labels.data);
		buffer_release(&labels);
		for (size_t f = 0; f < FAMILIES; f++)
			ret_figures->values[f] = families[f].value(job);
	}
	json_decref(job);
	json_decref(namespace);
}

static void jobs_metrics(const struct manager *manager, struct buffer *out)
{
	json_t *keys = store_keys(manager->stores[KIND_STREAM_JOB], NULL), *key;
	size_t count = json_array_size(keys), index;
	struct figures *jobs = xcalloc(count + 1, sizeof(*jobs));

	json_array_foreach(keys, index, key)
	{
		read_figures(manager, json_string_value(key), &jobs[index]);
	}
	for (size_t f = 0; f < FAMILIES; f++) {
		metrics_family(out, families[f].name, "gauge", families[f].help);
		for (size_t i = 0; i < count; i++) {
			if (!jobs[i].labels)
				continue;
			buffer_append_text(out, families[f].name);
			buffer_append_text(out, json_string_value(jobs[i].labels));
			metrics_number(out, jobs[i].values[f]);
		}
	}
	for (size_t i = 0; i < count; i++)
		json_decref(jobs[i].labels);
	free(jobs);
	json_decref(keys);
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
	waves_metrics(manager->waves, out);
	jobs_metrics(manager, out);
	return 200;
}
