#include "operator/reconcile/mounts.h"

#include "operator/reconcile/names.h"
#include "operator/reconcile/pod.h"

static void add(struct mounts *mounts, const char *volume, const char *path, bool read_only, json_t *source)
{
	json_t *mount = json_pack("{s:s, s:s}", "name", volume, "mountPath", path);
	size_t index;
	json_t *known;

	json_object_set_new(source, "name", json_string(volume));
	if (read_only)
		json_object_set_new(mount, "readOnly", json_true());
	json_array_foreach(mounts->mounts, index, known)
	{
		if (json_equal(json_object_get(known, "mountPath"), json_object_get(mount, "mountPath"))) {
			json_decref(mount);
			json_decref(source);
			return;
		}
	}
	json_array_append_new(mounts->volumes, source);
	json_array_append_new(mounts->mounts, mount);
}

static void add_scratch(struct mounts *mounts, const char *path)
{
	char volume[NAME_MAX_BYTES + 1];

	name_hashed("streamjob-scratch-", path, volume);
	add(mounts, volume, path, false, json_pack("{s:{s:s}}", "emptyDir", "sizeLimit", SCRATCH_BYTES));
}

static void add_secret(struct mounts *mounts, const struct secret_ref *secret, bool optional)
{
	char volume[NAME_MAX_BYTES + 1];
	json_t *path, *source;

	if (!secret->name)
		return;
	name_hashed("streamjob-secret-", secret->name, volume);
	path = json_sprintf(SECRETS_DIR "/%s", secret->name);
	source = json_pack("{s:{s:s}}", "secret", "secretName", secret->name);
	if (optional)
		json_object_set_new(json_object_get(source, "secret"), "optional", json_true());
	add(mounts, volume, json_string_value(path), true, source);
	json_decref(path);
}

static void add_security(struct mounts *mounts, const struct kafka_security *security, bool optional)
{
	add_secret(mounts, &security->credentials_secret, optional);
	add_secret(mounts, &security->ca_secret, optional);
	add_secret(mounts, &security->client_certificate_secret, optional);
}

static void add_code(struct mounts *mounts, const struct function_spec *function)
{
	char volume[NAME_MAX_BYTES + 1];
	json_t *path;

	if (function->code.source != CODE_CONFIG_MAP)
		return;
	name_hashed("streamjob-code-", function->name, volume);
	path = json_sprintf(FUNCTIONS_DIR "/%s", function->name);
	add(mounts, volume, json_string_value(path), true,
	    json_pack("{s:{s:s}}", "configMap", "name", function->code.config_map.name));
	json_decref(path);
}

/* The folder of a file that the job writes. A relative one is in WORK_DIR already; the root cannot be a mount. */
static void add_folder(struct mounts *mounts, const char *file)
{
	const char *slash = file[0] == '/' ? strrchr(file, '/') : NULL;
	json_t *folder;

	if (!slash || slash == file)
		return;
	folder = json_sprintf("%.*s", (int)(slash - file), file);
	if (folder)
		add_scratch(mounts, json_string_value(folder));
	json_decref(folder);
}

void mounts_add_sink(struct mounts *mounts, const struct sink_spec *sink, bool optional)
{
	switch (sink->kind) {
	case SINK_PUSHGATEWAY:
		add_secret(mounts, &sink->pushgateway.credentials_secret, optional);
		add_secret(mounts, &sink->pushgateway.ca_secret, optional);
		break;
	case SINK_KAFKA:
		add_security(mounts, &sink->kafka.client.security, optional);
		break;
	case SINK_FILE:
		add_folder(mounts, sink->file.path);
		break;
	case SINK_STDOUT:
	case SINK_NONE:
		break;
	}
}

/* Where the results and the dead letters go. */
static void add_outputs(struct mounts *mounts, const struct jobspec *spec, bool optional)
{
	for (size_t i = 0; i < spec->sinks_count; i++)
		mounts_add_sink(mounts, &spec->sinks[i], optional);
	switch (spec->dead_letter.kind) {
	case SINK_FILE:
		add_folder(mounts, spec->dead_letter.file.path);
		break;
	case SINK_KAFKA:
		add_security(mounts, &spec->dead_letter.kafka.security, optional);
		break;
	case SINK_PUSHGATEWAY:
	case SINK_STDOUT:
	case SINK_NONE:
		break;
	}
}

static void add_source(struct mounts *mounts, const struct source_spec *source)
{
	switch (source->kind) {
	case SOURCE_KAFKA:
		add_security(mounts, &source->kafka.client.security, false);
		break;
	case SOURCE_FILE:
	case SOURCE_STDIN:
	case SOURCE_DATAGEN:
	case SOURCE_NONE:
		break;
	}
}

void mounts_begin(json_t *job_file, struct mounts *ret_mounts)
{
	ret_mounts->volumes = json_array();
	ret_mounts->mounts = json_array();
	add(ret_mounts, "streamjob-job", JOB_DIR, true, job_file);
	add_scratch(ret_mounts, "/tmp");
	add_scratch(ret_mounts, WORK_DIR);
}

void mounts_make(const struct jobspec *spec, const char *config_map, const char *place, struct mounts *ret_mounts)
{
	mounts_begin(json_pack("{s:{s:s}}", "configMap", "name", config_map), ret_mounts);
	if (place)
		add(ret_mounts, "streamjob-place", PLACE_DIR, true,
		    json_pack("{s:{s:s, s:b}}", "configMap", "name", place, "optional", 1));
	add_source(ret_mounts, &spec->source);
	for (size_t i = 0; i < spec->functions_count; i++)
		add_code(ret_mounts, &spec->functions[i]);
	add_outputs(ret_mounts, spec, false);
}

static void add_previous_code(struct mounts *mounts, const char *hash, const struct function_spec *function)
{
	char volume[NAME_MAX_BYTES + 1];
	json_t *path;

	if (function->code.source != CODE_CONFIG_MAP)
		return;
	path = json_sprintf(PREVIOUS_FUNCTIONS_DIR "/%s/%s", hash, function->name);
	name_hashed("streamjob-code-", json_string_value(path), volume);
	add(mounts, volume, json_string_value(path), true,
	    json_pack("{s:{s:s, s:b}}", "configMap", "name", function->code.config_map.name, "optional", 1));
	json_decref(path);
}

void mounts_add_previous(const struct previous_file *file, struct mounts *mounts)
{
	const struct jobspec *spec = file->jobs.items[0];
	json_t *path = json_sprintf(PREVIOUS_DIR "/%s", file->hash);
	char volume[NAME_MAX_BYTES + 1];

	name_hashed("streamjob-previous-", file->hash, volume);
	add(mounts, volume, json_string_value(path), true,
	    json_pack("{s:{s:s, s:b}}", "configMap", "name", file->config_map, "optional", 1));
	json_decref(path);
	for (size_t i = 0; i < spec->functions_count; i++)
		add_previous_code(mounts, file->hash, &spec->functions[i]);
	add_outputs(mounts, spec, true);
}
