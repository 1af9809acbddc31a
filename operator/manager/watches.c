/* Which kinds are watched where, what is kept of them, and which StreamJob a change is about. */
#include <string.h>

#include "lib/base/log.h"
#include "operator/manager/manager.h"
#include "operator/manager/namespaces.h"
#include "operator/manager/watches.h"
#include "operator/reconcile/code.h"
#include "operator/reconcile/names.h"
#include "operator/reconcile/object.h"
#include "operator/reconcile/trim.h"

/* Changes come in bursts, and a look is at all of them: so long is waited for the rest of one. */
static const int64_t delays_ms[] = {[CHANGE_ADDED] = 400, [CHANGE_UPDATED] = 50, [CHANGE_DELETED] = 1};
/* ConfigMaps a page: they may have 1 MiB each, and the API server reads a whole page before it says so. */
#define CONFIG_MAP_LIST_LIMIT 50

struct kube_resource resource_of(enum kind kind)
{
	return (struct kube_resource){kind_names[kind].root, kind_names[kind].plural};
}

static void enqueue(struct manager *manager, const char *namespace, const char *name, int64_t delay_ms)
{
	json_t *key = job_key(namespace, name);

	if (key && delay_ms)
		queue_add_after(manager->queue, json_string_value(key), delay_ms);
	else if (key)
		queue_add(manager->queue, json_string_value(key));
	json_decref(key);
}

static void trim(void *context, json_t *object)
{
	const struct watch *watch = context;

	trim_object(watch->kind, object);
}

static void trim_code(void *context, json_t *config_map)
{
	(void)context;
	code_reduce(config_map);
}

static bool is_child(void *context, const json_t *object)
{
	const struct watch *watch = context;

	return trim_keeps(watch->kind, object);
}

/* As Ingress has it: an operator without a class has the jobs without one. */
static bool is_of_class(void *context, const json_t *job)
{
	const struct watch *watch = context;
	const char *class = watch->manager->options->class;

	return !strcmp(object_text(job, "spec", "class", NULL), class ? class : "");
}

/* What was remembered until this version would come. */
static void job_seen(struct manager *manager, const json_t *job, bool gone)
{
	json_t *key = object_key(job);

	if (key)
		memory_job_seen(manager->memory, json_string_value(key), object_uid(job),
		                object_text(job, "metadata", "resourceVersion", NULL));
	if (key) {
		waves_seen(manager->waves, json_string_value(key), gone ? NULL : job);
		figures_seen(manager->figures, json_string_value(key), gone ? NULL : job);
	}
	json_decref(key);
}

/* Our own status writes change nothing that a look would act on. */
static bool is_own_echo(const json_t *before, const json_t *after)
{
	static const char *const keys[] = {"uid", "generation", "deletionTimestamp", "finalizers", "annotations"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const json_t *old = object_at(before, "metadata", keys[i], NULL);
		const json_t *new = object_at(after, "metadata", keys[i], NULL);

		if ((old || new) && !(old && new &&json_equal(old, new)))
			return false;
	}
	return true;
}

/* What the others say of the groups that it names changes with it. */
static void groups_changed(struct manager *manager, const json_t *before, const json_t *after)
{
	json_t *others = after ? group_index_put(manager->groups, after) : group_index_remove(manager->groups, before),
	       *other;
	size_t index;

	json_array_foreach(others, index, other)
	{
		queue_add_after(manager->queue, json_string_value(other), delays_ms[CHANGE_ADDED]);
	}
	json_decref(others);
}

static void job_changed(void *context, enum change change, const json_t *before, const json_t *after)
{
	struct watch *watch = context;
	const json_t *job = after ? after : before;

	job_seen(watch->manager, job, !after);
	groups_changed(watch->manager, before, after);
	if (change == CHANGE_UPDATED && is_own_echo(before, after))
		return;
	atomic_store(&watch->manager->moved, true);
	enqueue(watch->manager, object_text(job, "metadata", "namespace", NULL), object_name(job), 0);
}

/* By which the poller knows the pods that it asks. */
static bool moves_pods(enum kind kind)
{
	return kind == KIND_POD || kind == KIND_JOB || kind == KIND_REPLICA_SET || kind == KIND_DEPLOYMENT;
}

static void child_changed(void *context, enum change change, const json_t *before, const json_t *after)
{
	struct watch *watch = context;
	const json_t *child = after ? after : before;
	const char *job = object_job(child);

	if (moves_pods(watch->kind))
		atomic_store(&watch->manager->moved, true);
	if (!job[0])
		job = object_job(before); /* it was taken off */
	/* Jobs are looked at after the first lists anyway. What appears later is mostly what we have just made. */
	/* A ReplicaSet says only whose the pods are, which come after it. */
	if (!job[0] || watch->kind == KIND_REPLICA_SET || (change == CHANGE_ADDED && !atomic_load(&watch->listed)))
		return;
	enqueue(watch->manager, object_text(child, "metadata", "namespace", NULL), job, delays_ms[change]);
}

/* The jobs whose functions are in that ConfigMap, as far as they have been looked at: the rest will be. */
static void code_changed(void *context, enum change change, const json_t *before, const json_t *after)
{
	struct watch *watch = context;
	const json_t *config_map = after ? after : before;
	const char *namespace = object_text(config_map, "metadata", "namespace", NULL);
	json_t *names, *name;
	size_t index;

	if (change == CHANGE_UPDATED && !strcmp(code_hash_of(before), code_hash_of(after)))
		return;
	names = memory_users_of_code(watch->manager->memory, namespace, object_name(config_map));
	json_array_foreach(names, index, name)
	{
		enqueue(watch->manager, namespace, json_string_value(name), delays_ms[CHANGE_UPDATED]);
	}
	json_decref(names);
}

static void trouble(void *context, const struct kube_error *why)
{
	struct watch *watch = context;

	atomic_store(&watch->forbidden, why && why->reason == KUBE_FORBIDDEN);
	if (!why)
		atomic_store(&watch->listed, true);
	if (why)
		log_warn("cannot watch", "kind=%s namespace=\"%s\" error=\"%s\"", kind_names[watch->kind].plural,
		         watch->namespace ? watch->namespace : "", why->error.text);
	else
		log_info("watching", "kind=%s namespace=\"%s\" objects=%zu", kind_names[watch->kind].plural,
		         watch->namespace ? watch->namespace : "", store_count(watch->store));
}

static void left_out(void *context, const char *namespace)
{
	struct watch *watch = context;

	log_warn("the cache has no room for all objects of a namespace: its jobs are not worked on until there is",
	         "kind=%s namespace=\"%s\" bytes=%zu limit=%zu",
	         watch->store == watch->manager->code ? "code" : kind_names[watch->kind].plural, namespace,
	         store_bytes(watch->store), store_bytes_max(watch->store));
}

static void watch_start(struct manager *manager, enum kind kind, struct store *store, struct informer_options *options)
{
	struct watch *watch = &manager->watches[manager->watches_count++];

	*watch = (struct watch){.manager = manager, .kind = kind, .store = store, .namespace = options->namespace};
	options->cluster = manager->cluster;
	options->resource = resource_of(kind);
	options->store = store;
	options->trouble = trouble;
	options->left_out = left_out;
	options->context = watch;
	options->clock = manager->clock;
	watch->informer = informer_start(options);
}

/* NULL: all. */
static void watch_namespace(struct manager *manager, const char *namespace)
{
	struct informer_options code = {.namespace = namespace,
	                                .label_selector = STRANGERS_SELECTOR,
	                                .trim = trim_code,
	                                .changed = code_changed,
	                                .limits.list_limit = CONFIG_MAP_LIST_LIMIT};

	for (int kind = 0; kind < KIND_COUNT; kind++) {
		bool is_job = kind == KIND_STREAM_JOB;
		struct informer_options options = {.namespace = namespace,
		                                   .label_selector = is_job ? NULL : CHILDREN_SELECTOR,
		                                   .metadata_only = kind == KIND_REPLICA_SET,
		                                   .limits.list_limit =
		                                           kind == KIND_CONFIG_MAP ? CONFIG_MAP_LIST_LIMIT : 0,
		                                   .trim = trim,
		                                   .wanted = is_job ? is_of_class : is_child,
		                                   .changed = is_job ? job_changed : child_changed};

		watch_start(manager, (enum kind)kind, manager->stores[kind], &options);
	}
	watch_start(manager, KIND_CONFIG_MAP, manager->code, &code);
}

void watches_start(struct manager *manager)
{
	for (size_t n = 0; n < manager->options->namespaces_count; n++)
		watch_namespace(manager, manager->options->namespaces[n]);
	if (!manager->options->namespaces_count)
		watch_namespace(manager, NULL);
	namespaces_start(manager);
}

void watches_stop(struct manager *manager)
{
	for (size_t i = 0; i < manager->watches_count; i++)
		informer_stop(manager->watches[i].informer);
	manager->watches_count = 0;
	namespaces_stop(manager);
}

void watches_relist(struct manager *manager)
{
	for (size_t i = 0; i < manager->watches_count; i++)
		if (manager->watches[i].store != manager->code)
			informer_relist(manager->watches[i].informer);
}

static bool covers(const struct watch *watch, const char *namespace)
{
	return !watch->namespace || !namespace || !strcmp(watch->namespace, namespace);
}

bool watch_is_missed(const struct watch *watch)
{
	return watch->kind == KIND_BUDGET && atomic_load(&watch->forbidden);
}

bool watches_synced(const struct manager *manager, const char *namespace)
{
	for (size_t i = 0; i < manager->watches_count; i++)
		if (covers(&manager->watches[i], namespace) && !informer_synced(manager->watches[i].informer) &&
		    !watch_is_missed(&manager->watches[i]))
			return false;
	return namespaces_synced(manager);
}

bool watches_lack_budgets(const struct manager *manager, const char *namespace)
{
	for (size_t i = 0; i < manager->watches_count; i++)
		if (covers(&manager->watches[i], namespace) && watch_is_missed(&manager->watches[i]))
			return true;
	return false;
}

bool watches_know_jobs(const struct manager *manager)
{
	for (size_t i = 0; i < manager->watches_count; i++)
		if (manager->watches[i].kind == KIND_STREAM_JOB && !informer_synced(manager->watches[i].informer) &&
		    !atomic_load(&manager->watches[i].forbidden))
			return false;
	return true;
}

enum kind watches_forbidden(const struct manager *manager, const char *namespace)
{
	for (size_t i = 0; i < manager->watches_count; i++)
		if (covers(&manager->watches[i], namespace) && atomic_load(&manager->watches[i].forbidden) &&
		    !watch_is_missed(&manager->watches[i]))
			return manager->watches[i].kind;
	return KIND_COUNT;
}
