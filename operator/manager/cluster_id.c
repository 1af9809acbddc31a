#include "operator/manager/cluster_id.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "operator/reconcile/names.h"
#include "operator/reconcile/object.h"

static const struct kube_resource config_maps = {"/api/v1", "configmaps"};

bool cluster_id_is_good(const char *id)
{
	size_t size = strlen(id);

	for (size_t i = 0; i < size; i++)
		if (!isalnum((unsigned char)id[i]) && !strchr("._-", id[i]))
			return false;
	return size > 0 && size <= CLUSTER_ID_MAX;
}

int cluster_id_read(struct kube_client *client, const char *namespace, char ret_id[CLUSTER_ID_MAX + 1],
                    struct kube_error *err)
{
	json_t *object = NULL;
	const char *id;
	bool good;

	if (kube_get(client, &config_maps, namespace, CLUSTER_ID_CONFIG_MAP, &object, err) < 0)
		return -1;
	id = object_text(object, "data", CLUSTER_ID_KEY, NULL);
	good = cluster_id_is_good(id);
	if (good)
		snprintf(ret_id, CLUSTER_ID_MAX + 1, "%s", id);
	json_decref(object);
	return good ? 0
	            : kube_fail(err, KUBE_INVALID,
	                        "ConfigMap %s/" CLUSTER_ID_CONFIG_MAP ", data." CLUSTER_ID_KEY ": " CLUSTER_ID_EXPECTED
	                        "; put back what it was, or give --cluster-id",
	                        namespace);
}

/* Immutable: another id would make every job a stranger to its own offsets. */
static int create(struct kube_client *client, const char *namespace, struct kube_error *err)
{
	uint64_t number;
	json_t *object;
	int result;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		abort();
	object = json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s}}, s:b, s:{s:o}}", "apiVersion", "v1", "kind", "ConfigMap",
	                   "metadata", "name", CLUSTER_ID_CONFIG_MAP, "namespace", namespace, "labels", LABEL_NAME,
	                   FIELD_MANAGER, "immutable", 1, "data", CLUSTER_ID_KEY, json_sprintf("%016" PRIx64, number));
	result = kube_create(client, &config_maps, namespace, object, NULL, err);
	json_decref(object);
	return result;
}

int cluster_id_make(struct kube_client *client, const char *namespace, char ret_id[CLUSTER_ID_MAX + 1],
                    struct kube_error *err)
{
	if (cluster_id_read(client, namespace, ret_id, err) == 0)
		return 0;
	if (err->reason != KUBE_NOT_FOUND)
		return -1;
	if (create(client, namespace, err) < 0 && err->reason != KUBE_ALREADY_EXISTS)
		return -1;
	return cluster_id_read(client, namespace, ret_id, err);
}
