#include "operator/reconcile/kept_code.h"

#include "operator/reconcile/code.h"

json_t *kept_code_now(const struct view *view)
{
	json_t *names = code_config_maps(view->job), *code = json_object(), *name;
	size_t index, wanted = json_array_size(names);

	json_array_foreach(names, index, name)
	{
		json_object_set(code, json_string_value(name),
		                json_object_get(view->observed->code, json_string_value(name)));
	}
	json_decref(names);
	if (json_object_size(code) == wanted)
		return code;
	json_decref(code);
	return NULL;
}

static void copy_name(const struct view *view, const char *hash, char ret_name[NAME_MAX_BYTES + 1])
{
	char suffix[sizeof("-code-") + OBJECT_HASH_SIZE];

	snprintf(suffix, sizeof(suffix), "-code-%.*s", OBJECT_HASH_SIZE - 1, hash);
	name_child(view->name, suffix, NAME_MAX_BYTES, ret_name);
}

bool kept_code_copy(const struct view *view, const char *hash, char ret_name[NAME_MAX_BYTES + 1])
{
	const json_t *copy;

	copy_name(view, hash, ret_name);
	copy = view_child(view, KIND_CONFIG_MAP, ret_name);
	return copy && !object_is_deleted(copy);
}

void kept_code_mount(const struct view *view, json_t *volumes)
{
	char name[NAME_MAX_BYTES + 1];
	const char *hash;
	json_t *volume;
	size_t index;

	json_array_foreach(volumes, index, volume)
	{
		hash = object_text(view->rollback.code, object_text(volume, "configMap", "name", NULL), NULL);
		if (hash[0] && kept_code_copy(view, hash, name))
			json_object_set_new(json_object_get(volume, "configMap"), "name", json_string(name));
	}
}
