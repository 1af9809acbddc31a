/*
 * Elements of a pod template's lists that are the same to the API server: it would refuse the whole Deployment, and say
 * so in words about its own merge.
 */
#include <jansson.h>
#include <string.h>

#include "lib/spec/check/check.h"

/* core/v1's listMapKey tags: the members that tell elements apart; `other` is what stands for a second that is absent.
 */
static const struct keyed_list {
	const char *field, *first, *second, *other;
} keyed_lists[] = {
        {"containers", "name", NULL, NULL},
        {"initContainers", "name", NULL, NULL},
        {"env", "name", NULL, NULL},
        {"volumes", "name", NULL, NULL},
        {"imagePullSecrets", "name", NULL, NULL},
        {"volumeMounts", "mountPath", NULL, NULL},
        {"volumeDevices", "devicePath", NULL, NULL},
        {"hostAliases", "ip", NULL, NULL},
        {"topologySpreadConstraints", "topologyKey", "whenUnsatisfiable", ""},
        {"ports", "containerPort", "protocol", "TCP"},
};

static const struct keyed_list *find(const char *field)
{
	for (size_t i = 0; i < sizeof(keyed_lists) / sizeof(keyed_lists[0]); i++)
		if (!strcmp(field, keyed_lists[i].field))
			return &keyed_lists[i];
	return NULL;
}

static const char *second_of(const struct keyed_list *list, const json_t *element)
{
	const char *value = json_string_value(json_object_get(element, list->second));

	return value ? value : list->other;
}

static bool are_the_same(const struct keyed_list *list, const json_t *one, const json_t *other)
{
	const json_t *key = json_object_get(one, list->first);

	return key && json_equal(key, json_object_get(other, list->first)) &&
	       (!list->second || !strcmp(second_of(list, one), second_of(list, other)));
}

static void check_list(const struct keyed_list *list, const json_t *elements, const char *path,
                       struct problems *problems)
{
	for (size_t i = 1; i < json_array_size(elements); i++)
		for (size_t before = 0; before < i; before++)
			if (are_the_same(list, json_array_get(elements, i), json_array_get(elements, before))) {
				check_problem(problems, path_item(&problems->arena, path, i),
				              arena_printf(&problems->arena, "each %s once", list->first),
				              "has the %s of %s[%zu]", list->first, list->field, before);
				break;
			}
}

void check_twice(json_t *json, const char *path, struct problems *problems)
{
	const char *key;
	size_t index;
	json_t *value;

	json_array_foreach(json, index, value)
	{
		check_twice(value, path_item(&problems->arena, path, index), problems);
	}
	json_object_foreach(json, key, value)
	{
		const char *place = path_member(&problems->arena, path, slice_of(key));

		if (find(key))
			check_list(find(key), value, place, problems);
		check_twice(value, place, problems);
	}
}
