#include "operator/manager/stores.h"

#include "lib/base/log.h"
#include "lib/metrics/metrics.h"
#include "lib/process/container.h"

/* Of CACHE_PARTS: as the objects of a job are to each other in size, doubled where a job may make them larger. */
static const unsigned parts[KIND_COUNT] = {
        [KIND_STREAM_JOB] = 6,
        [KIND_SERVICE_ACCOUNT] = 1,
        [KIND_NETWORK_POLICY] = 1,
        [KIND_SERVICE] = 1,
        [KIND_CONFIG_MAP] = 5,
        [KIND_DEPLOYMENT] = 5,
        [KIND_JOB] = 1,
        [KIND_REVISION] = 3,
        [KIND_BUDGET] = 1,
        [KIND_REPLICA_SET] = 2,
        [KIND_POD] = 4,
};
#define CODE_PARTS  2 /* of the ConfigMaps that are not ours */
#define CACHE_PARTS 32

void stores_make(struct manager *manager)
{
	int64_t memory = manager->options->memory_bytes ? manager->options->memory_bytes : container_memory_limit(NULL);
	size_t cache = (size_t)(memory ? CACHE_SHARE(memory) : CACHE_BYTES_DEFAULT);

	for (int kind = 0; kind < KIND_COUNT; kind++)
		manager->stores[kind] = store_new(cache / CACHE_PARTS * parts[kind]);
	manager->code = store_new(cache / CACHE_PARTS * CODE_PARTS);
	log_info("the cache's limit", "bytes=%zu memory=%lld", cache, (long long)memory);
}

void stores_free(struct manager *manager)
{
	for (int kind = 0; kind < KIND_COUNT; kind++)
		store_free(manager->stores[kind]);
	store_free(manager->code);
}

/* A StreamJob that had no room is not there; the others of its namespace are as before. */
enum kind stores_lack(const struct manager *manager, const char *namespace, size_t *ret_left_out)
{
	for (int kind = KIND_SERVICE_ACCOUNT; kind < KIND_COUNT; kind++) {
		*ret_left_out = store_left_out(manager->stores[kind], namespace);
		if (*ret_left_out)
			return (enum kind)kind;
	}
	return KIND_COUNT;
}

static const struct {
	const char *name, *help;
} families[] = {
        {"streamjob_cache_bytes", "Bytes that the objects of a kind take in the operator's cache."},
        {"streamjob_cache_limit_bytes", "Bytes that they may take at most."},
        {"streamjob_cache_left_out", "Objects that there was no room for: jobs of their namespaces are not worked on."},
};

static double figure(struct store *store, size_t family)
{
	if (family == 0)
		return (double)store_bytes(store);
	return family == 1 ? (double)store_bytes_max(store) : (double)store_left_out(store, NULL);
}

void stores_metrics(const struct manager *manager, struct buffer *out)
{
	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
		metrics_family(out, families[f].name, "gauge", families[f].help);
		for (int kind = 0; kind < KIND_COUNT; kind++) {
			buffer_printf(out, "%s{kind=\"%s\"}", families[f].name, kind_names[kind].kind);
			metrics_number(out, figure(manager->stores[kind], f));
		}
		buffer_printf(out, "%s{kind=\"code\"}", families[f].name);
		metrics_number(out, figure(manager->code, f));
	}
}
