/*
 * Where the API server is and who we are there: shared by all clients of the process, which it outlives.
 *
 * Found in this order: the file of `kubeconfig`; the files of $KUBECONFIG; the Pod's own ServiceAccount;
 * ~/.kube/config. Tokens, CA and certificates that are files are read again when they are older than
 * KUBE_CREDENTIALS_MS, and at once when the API server answers 401 or cannot be trusted. TLS is always verified. Exec
 * plugins, auth providers and passwords are refused with a sentence that says what to do.
 *
 * Threads: any.
 */
#ifndef STREAMJOB_KUBE_CLUSTER_H
#define STREAMJOB_KUBE_CLUSTER_H

#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "operator/kube/failure.h"

#define KUBE_CREDENTIALS_MS      60000
#define KUBE_SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

struct kube_cluster_options {
	const char *kubeconfig;          /* NULL: as said above */
	const char *context;             /* of the kubeconfig; NULL: its current-context */
	const char *service_account_dir; /* NULL: KUBE_SERVICE_ACCOUNT_DIR */
	const char *user_agent;          /* NULL: streamjob-operator/VERSION */
	int64_t credentials_ms;          /* 0: KUBE_CREDENTIALS_MS */
	int64_t plugin_ms;               /* how long a credential plugin may take; 0: exec_plugin.h says */
	const struct clock *clock;       /* outlives the cluster */
};

struct kube_cluster;

struct kube_cluster *kube_cluster_open(const struct kube_cluster_options *options, struct error *err);
void kube_cluster_free(struct kube_cluster *cluster);
/* "https://10.0.0.1:443" */
const char *kube_cluster_server(const struct kube_cluster *cluster);
/* Of the context or of the Pod; "default" where neither says. */
const char *kube_cluster_namespace(const struct kube_cluster *cluster);
/* rest_client_requests_total and rest_client_request_duration_seconds, as client-go has them. */
void kube_cluster_metrics(struct kube_cluster *cluster, struct buffer *out);

#endif
