/* The keys are those of core/v1's own patchMergeKey and listMapKey tags, for the lists that a pod template may set. */
#include "operator/reconcile/merge.h"

#include <string.h>

#include "operator/reconcile/object.h"

static const struct list_key list_keys[] = {
        {"containers", "name", NULL},
        {"initContainers", "name", NULL},
        {"env", "name", NULL},
        {"volumes", "name", NULL},
        {"imagePullSecrets", "name", NULL},
        {"volumeMounts", "mountPath", NULL},
        {"volumeDevices", "devicePath", NULL},
        {"hostAliases", "ip", NULL},
        {"topologySpreadConstraints", "topologyKey", "whenUnsatisfiable"},
        {"ownerReferences", "uid", NULL},
};

const struct list_key *list_key(const char *field)
{
	for (size_t i = 0; i < sizeof(list_keys) / sizeof(list_keys[0]); i++)
		if (!strcmp(field, list_keys[i].field))
			return &list_keys[i];
	return NULL;
}

static bool has_same(const char *key, const json_t *one, const json_t *other)
{
	const json_t *value = json_object_get(one, key);

	return value && json_equal(json_object_get(other, key), value);
}

json_t *list_find(const json_t *list, const struct list_key *key, const json_t *element)
{
	size_t index;
	json_t *other;

	json_array_foreach(list, index, other)
	{
		if (has_same(key->first, element, other) && (!key->second || has_same(key->second, element, other)))
			return other;
	}
	return NULL;
}

static void merge_list(json_t *base, const struct list_key *key, const json_t *patch)
{
	size_t index;
	json_t *element;

	json_array_foreach(patch, index, element)
	{
		json_t *same = list_find(base, key, element);

		if (same)
			merge_strategic(same, element);
		else
			json_array_append_new(base, json_deep_copy(element));
	}
}

void merge_strategic(json_t *base, const json_t *patch)
{
	const char *field;
	json_t *value;

	json_object_foreach(object_borrow(patch), field, value)
	{
		json_t *old = json_object_get(base, field);
		const struct list_key *key = list_key(field);

		if (json_is_null(value))
			json_object_del(base, field);
		else if (json_is_object(old) && json_is_object(value))
			merge_strategic(old, value);
		else if (key && json_is_array(old) && json_is_array(value))
			merge_list(old, key, value);
		else
			json_object_set_new(base, field, json_deep_copy(value));
	}
}
