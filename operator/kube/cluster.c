#include "operator/kube/cluster.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <curl/curl.h>

#include "lib/base/memory.h"
#include "lib/metrics/metrics.h"
#include "operator/kube/cluster_parts.h"

const char *const kube_method_names[KUBE_METHODS] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

static const double bucket_s[KUBE_DURATION_BUCKETS] = {0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6,
                                                       0.8,   1,     1.25, 1.5, 2,   4,   8};

static void init_library(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool given(const char *text)
{
	return text && *text;
}

static int find_access(const struct kube_cluster_options *options, struct access *found, struct error *err)
{
	const char *directory = options->service_account_dir ? options->service_account_dir : KUBE_SERVICE_ACCOUNT_DIR;
	const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
	const char *files = getenv("KUBECONFIG"), *home = getenv("HOME");
	char *path = NULL;
	int failed;

	if (given(options->kubeconfig))
		return access_from_kubeconfig(options->kubeconfig, options->context, found, err);
	if (given(files))
		return access_from_kubeconfig(files, options->context, found, err);
	if (given(host) && given(port))
		return access_from_pod(host, port, directory, found, err);
	if (asprintf(&path, "%s/.kube/config", given(home) ? home : "") < 0)
		memory_exhausted();
	if (access(path, F_OK) == 0)
		failed = access_from_kubeconfig(path, options->context, found, err);
	else
		failed = error_set(
		        err,
		        "no API server is known: this is no Pod, and there is no %s; name a kubeconfig, or set "
		        "KUBECONFIG",
		        path);
	free(path);
	return failed;
}

struct kube_cluster *kube_cluster_open(const struct kube_cluster_options *options, struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct kube_cluster *cluster = xcalloc(1, sizeof(*cluster));
	struct credentials *credentials;

	pthread_once(&once, init_library);
	if (find_access(options, &cluster->access, err) < 0) {
		kube_cluster_free(cluster);
		return NULL;
	}
	if (cluster->access.exec)
		cluster->access.exec->limit_ms = options->plugin_ms;
	cluster->clock = options->clock;
	cluster->user_agent =
	        xstrdup(options->user_agent ? options->user_agent : "streamjob-operator/" STREAMJOB_VERSION);
	cluster->credentials = credentials_source_new(
	        &cluster->access, options->credentials_ms ? options->credentials_ms : KUBE_CREDENTIALS_MS,
	        cluster->clock);
	/* What is unreadable now is a mistake of the set-up: said at once, not at the first request. */
	credentials = credentials_get(cluster->credentials, NULL, err);
	if (!credentials) {
		kube_cluster_free(cluster);
		return NULL;
	}
	credentials_put(credentials);
	return cluster;
}

void kube_cluster_free(struct kube_cluster *cluster)
{
	if (!cluster)
		return;
	credentials_source_free(cluster->credentials);
	access_release(&cluster->access);
	free(cluster->user_agent);
	free(cluster);
}

const char *kube_cluster_server(const struct kube_cluster *cluster)
{
	return cluster->access.server;
}

const char *kube_cluster_namespace(const struct kube_cluster *cluster)
{
	return cluster->access.namespace;
}

void kube_cluster_count(struct kube_cluster *cluster, enum kube_method method, int http_status, int64_t duration_ms)
{
	struct kube_durations *durations = &cluster->durations[method];
	int bucket = 0;

	if (http_status < 0 || http_status > KUBE_STATUS_MAX)
		http_status = KUBE_STATUS_MAX;
	atomic_fetch_add_explicit(&cluster->requests[method][http_status], 1, memory_order_relaxed);
	if (duration_ms < 0)
		return;
	while (bucket < KUBE_DURATION_BUCKETS && (double)duration_ms > bucket_s[bucket] * 1000)
		bucket++;
	atomic_fetch_add_explicit(&durations->buckets[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&durations->total_us, (uint64_t)duration_ms * 1000, memory_order_relaxed);
}

static void write_requests(struct kube_cluster *cluster, struct slice host, struct buffer *out)
{
	metrics_family(out, "rest_client_requests_total", "counter",
	               "Requests to the API server, by status code (<error>: no answer), method and host.");
	for (int method = 0; method < KUBE_METHODS; method++) {
		for (int status = 0; status <= KUBE_STATUS_MAX; status++) {
			uint64_t count = atomic_load_explicit(&cluster->requests[method][status], memory_order_relaxed);
			char code[16] = "<error>";

			if (!count)
				continue;
			if (status)
				snprintf(code, sizeof(code), "%d", status);
			buffer_append_text(out, "rest_client_requests_total{");
			metrics_label(out, true, "code", slice_of(code));
			metrics_label(out, false, "host", host);
			metrics_label(out, false, "method", slice_of(kube_method_names[method]));
			buffer_append_char(out, '}');
			metrics_number(out, (double)count);
		}
	}
}

static void write_sample(struct buffer *out, const char *name, const char *method, const char *le, double value)
{
	buffer_printf(out, "rest_client_request_duration_seconds%s{", name);
	if (le)
		metrics_label(out, true, "le", slice_of(le));
	metrics_label(out, !le, "verb", slice_of(method));
	buffer_append_char(out, '}');
	metrics_number(out, value);
}

static void write_durations(struct kube_cluster *cluster, struct buffer *out)
{
	metrics_family(out, "rest_client_request_duration_seconds", "histogram",
	               "How long requests to the API server took, watches left out.");
	for (int method = 0; method < KUBE_METHODS; method++) {
		struct kube_durations *durations = &cluster->durations[method];
		const char *verb = kube_method_names[method];
		uint64_t count = 0;

		for (int bucket = 0; bucket <= KUBE_DURATION_BUCKETS; bucket++) {
			char le[32] = "+Inf";

			count += atomic_load_explicit(&durations->buckets[bucket], memory_order_relaxed);
			if (bucket < KUBE_DURATION_BUCKETS)
				snprintf(le, sizeof(le), "%g", bucket_s[bucket]);
			write_sample(out, "_bucket", verb, le, (double)count);
		}
		write_sample(out, "_sum", verb, NULL,
		             (double)atomic_load_explicit(&durations->total_us, memory_order_relaxed) / 1e6);
		write_sample(out, "_count", verb, NULL, (double)count);
	}
}

void kube_cluster_metrics(struct kube_cluster *cluster, struct buffer *out)
{
	const char *scheme_end = strstr(cluster->access.server, "://");

	write_requests(cluster, slice_of(scheme_end ? scheme_end + 3 : cluster->access.server), out);
	write_durations(cluster, out);
}
