#include "operator/manager/observe.h"

#include <string.h>

#include "lib/base/hash.h"
#include "operator/manager/watches.h"
#include "operator/reconcile/code.h"

static void add_reports(struct manager *manager, const json_t *objects, json_t *reports)
{
	size_t index;
	json_t *one;

	json_array_foreach(objects, index, one)
	{
		json_t *report = memory_report_of(manager->memory, object_uid(one));

		if (report)
			json_object_set_new(reports, object_uid(one), report);
	}
}

/* Of the ConfigMaps that the job's functions are in: {name: hash}; those that are not there are left out. */
static json_t *code_of(struct manager *manager, const char *key, const json_t *job, size_t *ret_left_out)
{
	const char *namespace = object_text(job, "metadata", "namespace", NULL);
	json_t *names = code_config_maps(job), *code = json_object(), *name;
	size_t index;

	*ret_left_out = 0;
	memory_uses_code(manager->memory, key, object_uid(job), names);
	json_array_foreach(names, index, name)
	{
		json_t *config_map = store_get(manager->code, namespace, json_string_value(name));

		if (config_map)
			json_object_set_new(code, json_string_value(name), json_string(code_hash_of(config_map)));
		else
			*ret_left_out = store_left_out(manager->code, namespace);
		json_decref(config_map);
	}
	json_decref(names);
	return code;
}

static json_t *job_of(struct manager *manager, const char *key)
{
	const char *name = strchr(key, '/') + 1;
	json_t *namespace = json_stringn(key, (size_t)(name - key) - 1), *job, *status;

	job = store_get(manager->stores[KIND_STREAM_JOB], json_string_value(namespace), name);
	json_decref(namespace);
	if (!job)
		return NULL;
	status = memory_newer_status(manager->memory, key, object_uid(job),
	                             object_text(job, "metadata", "resourceVersion", NULL));
	if (status)
		json_object_set_new(job, "status", status);
	return job;
}

/* Of a job whose status this process has not written, any: figures of all of them would be due at its start. */
static int64_t figures_age_ms(struct manager *manager, const char *key, const char *uid, int64_t now_ms)
{
	int64_t age_ms = memory_status_age(manager->memory, key, uid, now_ms);
	uint64_t share = hash_stable(uid, strlen(uid)) % (uint64_t)manager->settings.figures_ms;

	return age_ms != INT64_MAX ? age_ms : now_ms - manager->started_ms + (int64_t)share;
}

bool observe(struct manager *manager, const char *key, struct look *ret_look)
{
	struct observed *ret_observed = &ret_look->observed;
	int64_t now_ms = clock_monotonic_ms(manager->clock);
	json_t *job = job_of(manager, key);

	if (!job)
		return false;
	ret_look->checked = checked_look_begin(manager->checked, key);
	*ret_observed = (struct observed){.job = job, .checked = checked_look_specs(ret_look->checked)};
	for (int kind = KIND_SERVICE_ACCOUNT; kind < KIND_COUNT; kind++)
		ret_observed->children[kind] = store_owned(manager->stores[kind], key);
	ret_observed->reports = json_object();
	add_reports(manager, ret_observed->children[KIND_POD], object_borrow(ret_observed->reports));
	add_reports(manager, ret_observed->children[KIND_JOB], object_borrow(ret_observed->reports));
	ret_observed->code = code_of(manager, key, job, &ret_look->code_left_out);
	ret_observed->sharers = group_index_sharers(manager->groups, job);
	ret_observed->now_ms = clock_wall_ms(manager->clock);
	ret_observed->figures_age_ms = figures_age_ms(manager, key, object_uid(job), now_ms);
	ret_observed->no_budgets = watches_lack_budgets(manager, object_text(job, "metadata", "namespace", NULL));
	if (object_is_deleted(job))
		ret_observed->deleting_ms = memory_deleting(manager->memory, key, object_uid(job), now_ms);
	ret_observed->may_update = waves_may_update(manager->waves, key);
	ret_observed->update_halted = waves_halted(manager->waves);
	ret_observed->namespace_ends = memory_does_namespace_end(manager->memory, key, object_uid(job), now_ms);
	return true;
}

void look_release(struct look *look)
{
	struct observed *observed = &look->observed;

	checked_look_end(look->checked);
	json_decref(object_borrow(observed->job));
	for (int kind = 0; kind < KIND_COUNT; kind++)
		json_decref(object_borrow(observed->children[kind]));
	json_decref(object_borrow(observed->reports));
	json_decref(object_borrow(observed->code));
	json_decref(object_borrow(observed->update_halted));
	json_decref(object_borrow(observed->sharers));
}
