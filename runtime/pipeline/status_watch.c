#include "runtime/pipeline/status_watch.h"

#include <string.h>

#include "lib/process/watch.h"

json_t *status_watch_json(int64_t now_ms)
{
	struct watch_stuck stuck[WATCH_THREADS_MAX];
	size_t count = watch_look(now_ms, stuck, WATCH_THREADS_MAX);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		json_t *json = json_object();
		struct error words;

		watch_describe(&stuck[i], &words);
		json_object_set_new(json, "thread", json_string(stuck[i].thread));
		json_object_set_new(json, "call", json_sprintf("%s %s", stuck[i].doing, stuck[i].whom));
		json_object_set_new(json, "seconds", json_integer(stuck[i].for_ms / 1000));
		json_object_set_new(json, "message", json_string(words.text));
		json_array_append_new(list, json);
	}
	return list;
}

json_t *status_watch_function_json(int64_t now_ms, const char *name)
{
	struct watch_stuck stuck[WATCH_THREADS_MAX];
	size_t count = watch_look(now_ms, stuck, WATCH_THREADS_MAX), i = 0;
	const char *whom = watch_name("of function %s", name);
	json_t *json;

	while (i < count && (stuck[i].part != WATCH_FUNCTION || strcmp(stuck[i].whom, whom) != 0))
		i++;
	if (i == count)
		return json_null();
	json = json_object();
	json_object_set_new(json, "thread", json_string(stuck[i].thread));
	json_object_set_new(json, "method", json_string(stuck[i].doing));
	json_object_set_new(json, "seconds", json_integer(stuck[i].for_ms / 1000));
	return json;
}
