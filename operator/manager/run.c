/* streamjob-operator run: starts everything, waits for a signal or the loss of the lease, ends everything. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/process/log_stderr.h"
#include "lib/process/pause.h"
#include "lib/process/system_clock.h"
#include "operator/manager/checked_keep.h"
#include "operator/manager/commands.h"
#include "operator/manager/manager.h"
#include "operator/manager/stores.h"
#include "operator/manager/watches.h"
#include "operator/manager/poller.h"

#define LEAD_MS_MAX  1000 /* a start waits so long for the lease, which is free after a restart */
#define LEAD_STEP_MS 10

#define BACKOFF_MS_MAX            10000 /* of a job whose writes fail: so soon after the cause is gone it is mended */
#define SERVICE_ACCOUNT_NAMESPACE KUBE_SERVICE_ACCOUNT_DIR "/namespace"

static void start_workers(struct manager *manager)
{
	for (; manager->workers_started < manager->options->workers; manager->workers_started++)
		if (pthread_create(&manager->workers[manager->workers_started], NULL, worker_thread, manager) != 0)
			abort();
	if (!manager->keeper)
		manager->keeper = checked_keeper_start(manager);
	log_info("working", "workers=%u", manager->workers_started);
}

/* On the lease's thread: main starts the workers. */
static void lease_acquired(void *context)
{
	struct manager *manager = context;

	pthread_kill(manager->main_thread, SIGUSR1);
}

static void lease_lost(void *context)
{
	struct manager *manager = context;

	log_error("the lease could not be renewed in time, or another operator holds it: this process ends",
	          "identity=\"%s\"", manager->identity);
	atomic_store(&manager->lost, true);
	pthread_kill(manager->main_thread, SIGUSR2);
}

static void lease_trouble(void *context, const struct kube_error *why)
{
	(void)context;
	if (why)
		log_warn("the lease could not be read or written", "error=\"%s\"", why->error.text);
}

static void lease_leader(void *context, const char *identity, bool is_us)
{
	(void)context;
	log_info("leader", "identity=\"%s\" us=%s", identity, is_us ? "true" : "false");
}

static int start_lease(struct manager *manager, struct error *err)
{
	struct lease_options lease = {.cluster = manager->cluster,
	                              .namespace = manager_namespace(manager),
	                              .name = manager->lease_name,
	                              .identity = manager->identity,
	                              .clock = manager->clock,
	                              .acquired = lease_acquired,
	                              .lost = lease_lost,
	                              .trouble = lease_trouble,
	                              .leader = lease_leader,
	                              .context = manager};

	return lease_start(&lease, &manager->lease, err);
}

static void make_identity(struct manager *manager)
{
	char host[64] = "";
	unsigned number = 0;

	gethostname(host, sizeof(host) - 1);
	while (getrandom(&number, sizeof(number), 0) < 0 && errno == EINTR)
		;
	snprintf(manager->identity, sizeof(manager->identity), "%s_%08x", host, number);
}

static int start_probe(struct manager *manager, struct error *err)
{
	static const struct probe_page pages[] = {
	        {"/healthz", "text/plain; charset=utf-8", manager_page_health, true},
	        {"/readyz", "text/plain; charset=utf-8", manager_page_ready, true},
	        {"/metrics", "text/plain; version=0.0.4; charset=utf-8", manager_page_metrics, false},
	};
	const struct probe_options options = {.listen = manager->options->listen,
	                                      .pages = pages,
	                                      .pages_count = sizeof(pages) / sizeof(pages[0]),
	                                      .context = manager};

	manager->probe = probe_start(&options, err);
	if (!manager->probe)
		return error_prefix(err, "--listen");
	log_info("serving", "listen=\"%s\" port=%d", manager->options->listen, probe_port(manager->probe));
	return 0;
}

/* Lists that begin before it leads would have to be made again. */
static void wait_to_lead(struct manager *manager)
{
	for (int waited_ms = 0; !manager_may_work(manager) && waited_ms < LEAD_MS_MAX; waited_ms += LEAD_STEP_MS)
		pause_ms(LEAD_STEP_MS);
}

static int start(struct manager *manager, struct error *err)
{
	const struct options *options = manager->options;
	const struct kube_cluster_options cluster = {
	        .kubeconfig = options->kubeconfig, .context = options->context, .clock = manager->clock};

	manager->cluster = kube_cluster_open(&cluster, err);
	if (!manager->cluster)
		return -1;
	snprintf(manager->operator, sizeof(manager->operator), "%s/%s", manager_namespace(manager),
	         manager->lease_name);
	if (access(SERVICE_ACCOUNT_NAMESPACE, R_OK) == 0)
		manager->settings.own_namespace = kube_cluster_namespace(manager->cluster);
	log_info("starting", "version=" STREAMJOB_VERSION " server=\"%s\" identity=\"%s\"",
	         kube_cluster_server(manager->cluster), manager->identity);
	if (options->leader_elect && start_lease(manager, err) < 0)
		return -1;
	wait_to_lead(manager);
	manager->was_standby = !manager_may_work(manager);
	watches_start(manager);
	atomic_store(&manager->poller_ms, clock_monotonic_ms(manager->clock));
	if (pthread_create(&manager->poller, NULL, poller_thread, manager) != 0)
		abort();
	manager->poller_started = true;
	if (!options->leader_elect)
		start_workers(manager);
	return start_probe(manager, err);
}

/*
 * Workers finish what they are at; then the lease goes, so that no write of ours comes after another has begun. Who has
 * never led has no workers: nobody would take what waits, and the lease would be sought, and held, until the kill.
 */
static void stop(struct manager *manager)
{
	atomic_store(&manager->stopping, true);
	queue_shut_down(manager->queue, manager->workers_started > 0);
	for (unsigned i = 0; i < manager->workers_started; i++)
		pthread_join(manager->workers[i], NULL);
	checked_keeper_stop(manager->keeper);
	if (manager->poller_started)
		pthread_join(manager->poller, NULL);
	if (manager->lease)
		lease_stop(manager->lease, true);
	probe_stop(manager->probe);
	watches_stop(manager);
}

static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void wait_for_end(struct manager *manager, const sigset_t *signals)
{
	for (;;) {
		int number = sigwaitinfo(signals, NULL);

		if (number == SIGUSR1) {
			if (manager->was_standby)
				watches_relist(manager);
			start_workers(manager);
		}
		if (number == SIGTERM || number == SIGINT || number == SIGUSR2) {
			log_info("stopping", "signal=%d", number);
			return;
		}
	}
}

static void release(struct manager *manager)
{
	queue_free(manager->queue);
	stores_free(manager);
	store_free(manager->selected);
	recorder_free(manager->recorder);
	memory_of_jobs_free(manager->memory);
	waves_free(manager->waves);
	group_index_free(manager->groups);
	figures_free(manager->figures);
	checked_free(manager->checked);
	kube_cluster_free(manager->cluster);
	pthread_mutex_destroy(&manager->cluster_id_mutex);
	free(manager);
}

int operator_run(int argc, char **argv)
{
	struct options options;
	struct queue_options queue = {.name = "streamjob", .clock = &system_clock, .backoff_ms_max = BACKOFF_MS_MAX};
	int code = options_parse(argc, argv, &options);
	struct manager *manager;
	struct error err;
	sigset_t signals;

	if (code)
		return code - 1;
	log_to_stderr(options.log_json, options.log_level);
	block_signals(&signals);
	manager = xcalloc(1, sizeof(*manager));
	manager->options = &options;
	manager->clock = &system_clock;
	manager->settings.image = options.image;
	manager->settings.operator= manager->operator;
	manager->settings.figures_ms = options.figures_ms;
	manager->settings.turn_ms = options.turn_ms;
	manager->started_ms = clock_monotonic_ms(&system_clock);
	manager->settings.cluster_id = options.cluster_id;
	manager->settings.accounts = options.accounts;
	manager->settings.accounts_count = options.accounts_count;
	manager->settings.projected_tokens = options.projected_tokens;
	pthread_mutex_init(&manager->cluster_id_mutex, NULL);
	manager->main_thread = pthread_self();
	make_identity(manager);
	snprintf(manager->lease_name, sizeof(manager->lease_name), LEASE_NAME "%s%s", options.class ? "-" : "",
	         options.class ? options.class : "");
	manager->queue = queue_new(&queue);
	manager->memory = memory_of_jobs_new();
	manager->waves = waves_new(options.max_updating);
	manager->groups = group_index_new();
	manager->figures = figures_new();
	manager->checked = checked_new();
	manager->recorder = recorder_new(&system_clock, manager->identity);
	stores_make(manager);
	code = EXIT_OK;
	if (start(manager, &err) < 0) {
		fprintf(stderr, "streamjob-operator run: %s\n", err.text);
		code = EXIT_FAILED;
	} else {
		wait_for_end(manager, &signals);
	}
	stop(manager);
	if (atomic_load(&manager->lost))
		code = EXIT_FAILED;
	release(manager);
	return code;
}
