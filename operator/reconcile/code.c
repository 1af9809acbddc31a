#include "operator/reconcile/code.h"

#include "operator/reconcile/names.h"
#include "operator/reconcile/view.h"

#define CODE_HASH "codeHash"

json_t *code_config_maps(const json_t *job)
{
	json_t *names = json_object(), *list = json_array(), *function, *unused;
	const char *name;
	size_t index;

	json_array_foreach(object_at(job, "spec", "functions", NULL), index, function)
	{
		name = object_text(function, "code", "configMapRef", "name", NULL);
		if (name[0])
			json_object_set_new(names, name, json_true());
	}
	json_object_foreach(names, name, unused)
	{
		json_array_append_new(list, json_string(name));
	}
	json_decref(names);
	return list;
}

void code_reduce(json_t *config_map)
{
	static const char *const kept[] = {"name", "namespace", "uid", "resourceVersion"};
	const json_t *old = json_object_get(config_map, "metadata");
	json_t *held = json_object(), *metadata = json_object();
	char hash[OBJECT_HASH_SIZE];

	json_object_set(held, "data", json_object_get(config_map, "data"));
	json_object_set(held, "binaryData", json_object_get(config_map, "binaryData"));
	object_hash(held, hash);
	json_decref(held);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		json_object_set(metadata, kept[i], json_object_get(old, kept[i]));
	json_object_clear(config_map);
	json_object_set_new(config_map, "metadata", metadata);
	json_object_set_new(config_map, CODE_HASH, json_string(hash));
}

const char *code_hash_of(const json_t *config_map)
{
	return object_text(config_map, CODE_HASH, NULL);
}

void code_note(const struct view *view, char ret_note[OBJECT_HASH_SIZE])
{
	const char *deployed = view_deployed_note(view, NOTE_CODE_HASH);
	json_t *names = code_config_maps(view->job), *hashes = json_object(), *name;
	size_t index;

	json_array_foreach(names, index, name)
	{
		const json_t *kept = json_object_get(view->rollback.code, json_string_value(name));

		if (!kept)
			kept = json_object_get(view->observed->code, json_string_value(name));
		json_object_set(hashes, json_string_value(name), object_borrow(kept));
	}
	ret_note[0] = '\0';
	if (json_object_size(hashes) < json_array_size(names))
		snprintf(ret_note, OBJECT_HASH_SIZE, "%s", deployed);
	else if (json_array_size(names))
		object_hash(hashes, ret_note);
	json_decref(hashes);
	json_decref(names);
}
