#include "operator/manager/checked_keep.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/process/latch.h"
#include "lib/process/program_identity.h"
#include "operator/manager/watches.h"
#include "operator/reconcile/names.h"
#include "operator/reconcile/object.h"

#define NAME_SIZE (LEASE_NAME_SIZE + 16)
#define PROGRAM   "program" /* keys of the ConfigMap's data */
#define SPECS     "specs.json"

static const struct kube_resource config_maps = {"/api/v1", "configmaps"};

struct checked_keeper {
	struct manager *manager;
	struct latch end;
	pthread_t thread;
	bool pruned,
	        troubled; /* jobs that went while no operator worked are forgotten; it was said that writing fails */
};

static void name_of(const struct manager *manager, size_t shard, char ret_name[NAME_SIZE])
{
	snprintf(ret_name, NAME_SIZE, "%s-checked-%zu", manager->lease_name, shard);
}

/* KUBE_NOT_FOUND is no failure: nothing has been kept. */
static int read_shard(struct manager *manager, struct kube_client *client, size_t shard, const char *program,
                      struct kube_error *err)
{
	json_t *object = NULL;
	char name[NAME_SIZE];

	name_of(manager, shard, name);
	if (kube_get(client, &config_maps, manager_namespace(manager), name, &object, err) < 0)
		return err->reason == KUBE_NOT_FOUND ? 0 : -1;
	if (!strcmp(object_text(object, "data", PROGRAM, NULL), program))
		checked_add(manager->checked, object_text(object, "data", SPECS, NULL));
	json_decref(object);
	return 0;
}

void checked_read(struct manager *manager, struct kube_client *client)
{
	char program[PROGRAM_IDENTITY_SIZE];
	struct kube_error err;

	if (!program_identity(program))
		return;
	for (size_t shard = 0; shard < CHECKED_SHARDS; shard++) {
		if (read_shard(manager, client, shard, program, &err) == 0)
			continue;
		log_warn("what is known of checked specs cannot be read: they are compiled anew",
		         "namespace=\"%s\" error=\"%s\"", manager_namespace(manager), err.error.text);
		return;
	}
}

static int write_shard(struct manager *manager, struct kube_client *client, size_t shard, const char *program,
                       const char *specs, struct kube_error *err)
{
	const struct kube_apply apply = {.field_manager = FIELD_MANAGER, .force = true};
	char name[NAME_SIZE];
	json_t *object;
	int result;

	name_of(manager, shard, name);
	object = json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s}}, s:{s:s, s:s}}", "apiVersion", "v1", "kind", "ConfigMap",
	                   "metadata", "name", name, "namespace", manager_namespace(manager), "labels", LABEL_NAME,
	                   FIELD_MANAGER, "data", PROGRAM, program, SPECS, specs);
	result = kube_apply(client, &config_maps, manager_namespace(manager), name, object, &apply, NULL, err);
	json_decref(object);
	return result;
}

static void say_trouble(struct checked_keeper *keeper, const struct kube_error *err)
{
	if (!keeper->troubled && err->reason != KUBE_NOT_LEADER)
		log_warn("what is known of checked specs cannot be kept: the next start compiles them anew",
		         "namespace=\"%s\" error=\"%s\"", manager_namespace(keeper->manager), err->error.text);
	keeper->troubled = true;
}

static void write_changed(struct checked_keeper *keeper, const char *program)
{
	struct manager *manager = keeper->manager;
	struct kube_client *client = NULL; /* one that rests would hold its connection */

	for (size_t shard = 0; shard < CHECKED_SHARDS && manager_may_work(manager); shard++) {
		char *specs = checked_take(manager->checked, shard);
		struct kube_error err;

		if (!specs)
			continue;
		client = client ? client : manager_client(manager);
		if (write_shard(manager, client, shard, program, specs, &err) < 0) {
			checked_put_back(manager->checked, shard);
			say_trouble(keeper, &err);
		} else {
			keeper->troubled = false;
		}
		free(specs);
	}
	kube_client_free(client);
}

static void prune(struct checked_keeper *keeper)
{
	json_t *keys;

	if (keeper->pruned || !watches_synced(keeper->manager, NULL))
		return;
	keys = store_keys(keeper->manager->stores[KIND_STREAM_JOB], NULL);
	checked_forget_others(keeper->manager->checked, keys);
	json_decref(keys);
	keeper->pruned = true;
}

static void *keep(void *context)
{
	struct checked_keeper *keeper = context;
	char program[PROGRAM_IDENTITY_SIZE];
	bool ends;

	if (!program_identity(program))
		return NULL;
	do {
		ends = latch_wait(&keeper->end, CHECKED_KEEP_MS);
		prune(keeper);
		write_changed(keeper, program);
	} while (!ends);
	return NULL;
}

struct checked_keeper *checked_keeper_start(struct manager *manager)
{
	struct checked_keeper *keeper = xcalloc(1, sizeof(*keeper));

	keeper->manager = manager;
	latch_init(&keeper->end);
	if (pthread_create(&keeper->thread, NULL, keep, keeper) != 0)
		abort();
	return keeper;
}

void checked_keeper_stop(struct checked_keeper *keeper)
{
	if (!keeper)
		return;
	latch_open(&keeper->end);
	pthread_join(keeper->thread, NULL);
	latch_release(&keeper->end);
	free(keeper);
}
