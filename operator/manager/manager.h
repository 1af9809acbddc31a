/*
 * The operator as a whole: who watches, who works, who asks the pods, and what they share.
 *
 *   informer × kind × namespace   fill the stores, put keys ("namespace/name" of a StreamJob) into the queue
 *   worker × N                    take a key: observe, plan, write, status; worker.c
 *   poller                        asks pods for /status; resyncs; poller.c
 *   keeper                        writes what is known of checked specs; checked_keep.c
 *   explainer                     asks the API server why pods do not start; explainer.c
 *   lease                         one operator works at a time; the others keep their stores warm
 *   probe                         answers HTTP
 *   main                          signals
 *
 * Everything here is set before the threads start; stores, queue, memory, recorder and counters lock for themselves.
 */
#ifndef STREAMJOB_MANAGER_H
#define STREAMJOB_MANAGER_H

#include <pthread.h>
#include <stdatomic.h>

#include "lib/probe/probe.h"
#include "operator/cache/informer.h"
#include "operator/lead/lease.h"
#include "operator/manager/checked.h"
#include "operator/manager/cluster_id.h"
#include "operator/manager/counters.h"
#include "operator/manager/figures.h"
#include "operator/manager/group_index.h"
#include "operator/manager/memory_of_jobs.h"
#include "operator/manager/options.h"
#include "operator/manager/recorder.h"
#include "operator/queue/queue.h"
#include "operator/reconcile/plan.h"
#define LEASE_NAME      "streamjob-operator"
#define LEASE_NAME_SIZE (sizeof(LEASE_NAME) + 1 + CLASS_MAX)

struct manager;
struct watch { /* one informer */
	struct manager *manager;
	enum kind kind;
	struct store *store;
	const char *namespace; /* NULL: all */
	struct informer *informer;
	_Atomic bool forbidden; /* the API server said 403 last */
	_Atomic bool listed;    /* has had a whole list, and an open watch behind it */
};

struct manager {
	const struct options *options;
	const struct clock *clock;
	struct settings settings; /* cluster_id: NULL until a worker knows it; under cluster_id_mutex */
	pthread_mutex_t cluster_id_mutex;
	char cluster_id[CLUSTER_ID_MAX + 1];
	struct kube_cluster *cluster;
	struct store *stores[KIND_COUNT];
	struct store *selected;     /* the namespaces that --namespace-selector has; NULL: without it */
	struct informer *selection; /* fills them */
	struct store *code; /* ConfigMaps that are not ours, reduced: functions may be in them; reconcile/code.h */
	struct watch watches[(KIND_COUNT + 1) * NAMESPACES_MAX];
	size_t watches_count;
	struct queue *queue;
	struct lease *lease; /* NULL: without election */
	struct probe *probe;
	struct recorder *recorder;
	struct memory_of_jobs *memory;
	struct waves *waves;
	struct group_index *groups;
	struct figures *figures;
	struct checked *checked;
	struct checked_keeper *keeper; /* NULL: it does not lead */
	bool checked_known;            /* what was kept is read; under cluster_id_mutex */
	struct counters counters;
	pthread_t workers[WORKERS_MAX], poller, main_thread;
	unsigned workers_started;
	bool poller_started, was_standby;
	_Atomic bool stopping, lost, moved; /* no new work; the lease was lost; the poller has pods to look at */
	_Atomic int64_t poller_ms;          /* monotonic, as started_ms: when it last came around */
	int64_t started_ms;
	char identity[128], lease_name[LEASE_NAME_SIZE]; /* the Lease's is of the class */
	char operator[512];                              /* NAMESPACE/LEASE, its claim on jobs */
};

void *worker_thread(void *context);

/* /healthz, /readyz, /metrics; the context is the manager. */
int manager_page_health(void *context, struct buffer *out);
int manager_page_ready(void *context, struct buffer *out);
int manager_page_metrics(void *context, struct buffer *out);

/* A client that writes only while the lease allows. */
struct kube_client *manager_client(struct manager *manager);
bool manager_may_work(struct manager *manager);
/* Where the operator keeps what is its own: the Lease, the cluster's id. */
const char *manager_namespace(const struct manager *manager);
/* What a pod of that job, its container started `restarts` times anew, said or did not; `report` as in struct observed,
 * a reference taken. From any thread. */
void manager_told(struct manager *manager, const char *uid, const char *key, int64_t restarts, json_t *report);
struct kube_resource resource_of(enum kind kind);

#endif
