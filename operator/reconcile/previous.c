#include "operator/reconcile/previous.h"

#include <stdio.h>

#include "operator/reconcile/mounts.h"
#include "operator/reconcile/view.h"

struct hashes {
	char items[PREVIOUS_FILES_MAX][SPEC_HASH_SIZE];
	size_t count;
};

static void remove_at(struct hashes *hashes, size_t index)
{
	memmove(hashes->items[index], hashes->items[index + 1], (hashes->count - index - 1) * SPEC_HASH_SIZE);
	hashes->count--;
}

/* As the newest; the oldest one is that of the pod that last had the job, so it stays longest. */
static void add(struct hashes *hashes, struct slice hash)
{
	if (hash.size != SPEC_HASH_SIZE - 1)
		return;
	for (size_t i = hashes->count; i > 0; i--)
		if (!memcmp(hashes->items[i - 1], hash.data, hash.size))
			remove_at(hashes, i - 1);
	if (hashes->count == PREVIOUS_FILES_MAX)
		remove_at(hashes, 1);
	memcpy(hashes->items[hashes->count], hash.data, hash.size);
	hashes->items[hashes->count++][hash.size] = '\0';
}

static void add_noted(struct hashes *hashes, const char *note)
{
	while (*note) {
		size_t size = strcspn(note, ",");

		add(hashes, (struct slice){note, size});
		note += size + (note[size] == ',');
	}
}

static void collect(const struct view *view, struct hashes *hashes)
{
	const char *deployed = view_deployed_hash(view), *noted = view_deployed_note(view, NOTE_PREVIOUS);
	const char *owner = object_text(view->job, "status", "place", "specHash", NULL);
	bool stays;

	if (!deployed[0]) { /* somebody has deleted the Deployment, or there never was one */
		deployed = object_text(view->job, "status", "specHash", NULL);
		noted = object_text(view->job, "status", "rollout", "previous", NULL);
	}
	stays = !strcmp(deployed, view->spec->spec_hash);
	if (stays || strcmp(owner, deployed) != 0)
		add_noted(hashes, noted);
	if (!stays)
		add(hashes, slice_of(deployed));
}

/* Its Pushgateway sinks name groups that the spec does not: the runtime deletes them. */
static bool has_other_groups(const struct jobspec *spec, const struct jobspec *before)
{
	for (size_t i = 0; i < before->sinks_count; i++) {
		bool named = before->sinks[i].kind != SINK_PUSHGATEWAY;

		for (size_t k = 0; k < spec->sinks_count && !named; k++)
			named = spec->sinks[k].kind == SINK_PUSHGATEWAY &&
			        pushgateway_same_group(&spec->sinks[k].pushgateway, &before->sinks[i].pushgateway);
		if (!named)
			return true;
	}
	return false;
}

/* False where the file is gone, cannot be read by this version, or is not needed beside the spec. */
static bool load(const struct view *view, const char *query, struct previous_file *file)
{
	const json_t *config_map;
	char hash[JOBSPEC_QUERY_HASH_BYTES];
	struct problems problems;
	bool wanted = false;

	view_child_name(view, KIND_CONFIG_MAP, file->hash, file->config_map);
	config_map = view_child(view, KIND_CONFIG_MAP, file->config_map);
	if (!config_map || object_is_deleted(config_map))
		return false;
	problems_init(&problems);
	jobspecs_load_live(JOB_FILE, slice_of(object_text(config_map, "data", JOB_FILE, NULL)), view->observed->checked,
	                   &problems, &file->jobs);
	problems_release(&problems);
	if (file->jobs.count == 1) {
		jobspec_query_hash(file->jobs.items[0], hash);
		wanted = strcmp(hash, query) != 0 || has_other_groups(view->spec, file->jobs.items[0]);
	}
	if (!wanted)
		jobspecs_release(&file->jobs);
	return wanted;
}

void previous_find(const struct view *view, struct previous *ret_previous)
{
	char query[JOBSPEC_QUERY_HASH_BYTES];
	struct hashes hashes = {.count = 0};

	*ret_previous = (struct previous){.count = 0};
	collect(view, &hashes);
	if (hashes.count)
		jobspec_query_hash(view->spec, query);
	for (size_t i = 0; i < hashes.count; i++) {
		struct previous_file *file = &ret_previous->items[ret_previous->count];

		memcpy(file->hash, hashes.items[i], sizeof(file->hash));
		if (strcmp(file->hash, view->spec->spec_hash) != 0 && load(view, query, file))
			ret_previous->count++;
	}
}

void previous_release(struct previous *previous)
{
	for (size_t i = 0; i < previous->count; i++)
		jobspecs_release(&previous->items[i].jobs);
	previous->count = 0;
}

char *previous_note(const struct previous *previous)
{
	struct buffer note;

	buffer_init(&note);
	for (size_t i = 0; i < previous->count; i++)
		buffer_printf(&note, "%s%s", i ? "," : "", previous->items[i].hash);
	return buffer_take(&note);
}

bool previous_has(const struct previous *previous, const char *config_map)
{
	for (size_t i = 0; i < previous->count; i++)
		if (!strcmp(previous->items[i].config_map, config_map))
			return true;
	return false;
}
