/* The merge keys are those of core/v1's own patchMergeKey tags, for the lists that a pod template may set. */
#include "operator/reconcile/merge.h"

#include <string.h>

#include "operator/reconcile/object.h"

static const struct merge_key {
	const char *field, *key;
} merge_keys[] = {
        {"containers", "name"},
        {"initContainers", "name"},
        {"env", "name"},
        {"volumes", "name"},
        {"imagePullSecrets", "name"},
        {"volumeMounts", "mountPath"},
        {"volumeDevices", "devicePath"},
        {"hostAliases", "ip"},
        {"topologySpreadConstraints", "topologyKey"},
        {"ownerReferences", "uid"},
};

const char *list_key(const char *field)
{
	for (size_t i = 0; i < sizeof(merge_keys) / sizeof(merge_keys[0]); i++)
		if (!strcmp(field, merge_keys[i].field))
			return merge_keys[i].key;
	return NULL;
}

json_t *list_find(const json_t *list, const char *key, const json_t *element)
{
	const json_t *value = json_object_get(element, key);
	size_t index;
	json_t *other;

	json_array_foreach(list, index, other)
	{
		if (value && json_equal(json_object_get(other, key), value))
			return other;
	}
	return NULL;
}

static void merge_list(json_t *base, const char *key, const json_t *patch)
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
		const char *key = list_key(field);

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
