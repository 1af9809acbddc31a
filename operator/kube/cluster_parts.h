/*
 * The parts of a cluster that clients use. Inside operator/kube only.
 */
#ifndef STREAMJOB_KUBE_CLUSTER_PARTS_H
#define STREAMJOB_KUBE_CLUSTER_PARTS_H

#include "operator/kube/cluster.h"
#include "operator/kube/credentials.h"

enum kube_method { KUBE_METHOD_GET, KUBE_METHOD_POST, KUBE_METHOD_PUT, KUBE_METHOD_PATCH, KUBE_METHOD_DELETE };
#define KUBE_METHODS          5
#define KUBE_STATUS_MAX       599 /* counted one by one; status 0: no answer */
#define KUBE_DURATION_BUCKETS 14
extern const char *const kube_method_names[KUBE_METHODS];

struct kube_durations {
	_Atomic uint64_t buckets[KUBE_DURATION_BUCKETS + 1]; /* the last: all longer ones */
	_Atomic uint64_t total_us;
};

struct kube_cluster {
	struct access access;
	struct credentials_source *credentials;
	const struct clock *clock;
	char *user_agent;
	_Atomic uint64_t requests[KUBE_METHODS][KUBE_STATUS_MAX + 1];
	struct kube_durations durations[KUBE_METHODS];
};

/* After each request. duration_ms < 0: not measured, as of watches. */
void kube_cluster_count(struct kube_cluster *cluster, enum kube_method method, int http_status, int64_t duration_ms);

#endif
