#include "operator/reconcile/pod.h"

#include <stdlib.h>

#include "operator/reconcile/code.h"
#include "operator/reconcile/fill.h"
#include "operator/reconcile/kept_code.h"
#include "operator/reconcile/life.h"
#include "operator/reconcile/merge.h"
#include "operator/reconcile/mounts.h"
#include "operator/reconcile/place.h"

json_t *pod_labels(const struct view *view, const char *component)
{
	return json_pack("{s:s, s:s, s:s, s:s}", LABEL_NAME, "streamjob", LABEL_INSTANCE, view->label, LABEL_COMPONENT,
	                 component, LABEL_MANAGER, FIELD_MANAGER);
}

json_t *pod_selector(const struct view *view)
{
	return json_pack("{s:s, s:s, s:s}", LABEL_NAME, "streamjob", LABEL_INSTANCE, view->label, LABEL_COMPONENT,
	                 COMPONENT_RUNTIME);
}

void pod_note_job(const struct view *view, json_t *metadata)
{
	json_t *notes = json_object_get(metadata, "annotations");

	if (!strcmp(view->label, view->name))
		return;
	if (!notes) {
		notes = json_object();
		json_object_set_new(metadata, "annotations", notes);
	}
	json_object_set_new(notes, NOTE_JOB, json_string(view->name));
}

static const char *image(const struct view *view)
{
	const char *given = object_text(view->job, "spec", "image", NULL);

	return given[0] ? given : view->settings->image;
}

static json_t *probe(const char *path, int period_s, int failures)
{
	return json_pack("{s:{s:s, s:s}, s:i, s:i, s:i}", "httpGet", "path", path, "port", "status", "periodSeconds",
	                 period_s, "timeoutSeconds", 5, "failureThreshold", failures);
}

json_t *pod_container(const struct view *view, json_t *arguments)
{
	json_t *json = json_pack("{s:s, s:s, s:[s], s:o, s:s, s:s}", "name", RUNTIME_CONTAINER, "image", image(view),
	                         "command", "streamjob", "args", arguments, "workingDir", WORK_DIR,
	                         "terminationMessagePolicy", "FallbackToLogsOnError");
	json_t *security = json_pack("{s:b, s:{s:[s]}, s:b}", "allowPrivilegeEscalation", 0, "capabilities", "drop",
	                             "ALL", "readOnlyRootFilesystem", 1);
	const json_t *resources = object_at(view->job, "spec", "resources", NULL);

	json_object_set_new(json, "securityContext", security);
	if (resources)
		json_object_set_new(json, "resources", json_deep_copy(resources));
	return json;
}

json_t *pod_of_one(const struct view *view, json_t *one, struct mounts *mounts, int64_t grace_s)
{
	char account[NAME_MAX_BYTES + 1];
	json_t *security = json_pack("{s:b, s:{s:s}}", "runAsNonRoot", 1, "seccompProfile", "type", "RuntimeDefault");

	view_child_name(view, KIND_SERVICE_ACCOUNT, NULL, account);
	json_object_set_new(one, "volumeMounts", mounts->mounts);
	return json_pack("{s:s, s:b, s:b, s:I, s:o, s:[o], s:o}", "serviceAccountName", account,
	                 "automountServiceAccountToken", 0, "enableServiceLinks", 0, "terminationGracePeriodSeconds",
	                 (json_int_t)grace_s, "securityContext", security, "containers", one, "volumes",
	                 mounts->volumes);
}

static void merge_template(const struct view *view, json_t *template)
{
	const json_t *given = object_at(view->job, "spec", "podTemplate", NULL);

	if (given)
		merge_strategic(template, given);
	fill_restricted(template);
}

static bool has_code(const struct jobspec *spec)
{
	for (size_t i = 0; i < spec->functions_count; i++)
		if (spec->functions[i].code.source == CODE_CONFIG_MAP)
			return true;
	return false;
}

/* The newest first: of two with one query it is the one that ran last. */
static void add_previous(const struct previous *previous, json_t *arguments)
{
	for (size_t i = previous->count; i > 0; i--) {
		const struct previous_file *file = &previous->items[i - 1];

		json_array_append_new(arguments, json_string("--previous"));
		json_array_append_new(arguments, json_sprintf(PREVIOUS_DIR "/%s/" JOB_FILE, file->hash));
		if (has_code(file->jobs.items[0])) {
			json_array_append_new(arguments, json_string("--previous-functions-dir"));
			json_array_append_new(arguments, json_sprintf(PREVIOUS_FUNCTIONS_DIR "/%s", file->hash));
		}
	}
}

static json_t *run_arguments(const struct view *view, const struct rollout *rollout)
{
	json_t *arguments = json_pack("[s, s, s, s, s, s, s, s, s, s, s, s]", "run", JOB_DIR "/" JOB_FILE, "--listen",
	                              ":8080", "--log-format", "json", "--hide-values", "--stay", "--owner-cluster",
	                              view->settings->cluster_id, "--known", PLACE_DIR "/" PLACE_FILE);
	const char *take_over = view_take_over(view), *drop = view_drop_pending(view);

	add_previous(&view->previous, arguments);
	if (drop[0])
		json_array_append_new(arguments, json_sprintf("--drop-pending=%s", drop));
	if (rollout) {
		json_array_append_new(arguments, json_string("--rollout"));
		json_array_append_new(arguments, json_sprintf("%lld", (long long)rollout->number));
	}
	if (take_over[0]) {
		json_array_append_new(arguments, json_string("--take-over"));
		json_array_append_new(arguments, json_string(take_over));
	}
	return arguments;
}

static json_t *notes_of(const struct view *view, const struct rollout *rollout)
{
	json_t *notes = json_pack("{s:s}", NOTE_SPEC_HASH, view->spec->spec_hash);
	const char *take_over = view_take_over(view), *drop = view_drop_pending(view);
	char code[OBJECT_HASH_SIZE];

	code_note(view, code);
	if (code[0])
		json_object_set_new(notes, NOTE_CODE_HASH, json_string(code));
	if (take_over[0])
		json_object_set_new(notes, NOTE_TAKE_OVER, json_string(take_over));
	if (drop[0])
		json_object_set_new(notes, NOTE_DROP_PENDING, json_string(drop));
	if (life_restart(view)[0])
		json_object_set_new(notes, NOTE_RESTART, json_string(life_restart(view)));
	if (view->previous.count) {
		char *previous = previous_note(&view->previous);

		json_object_set_new(notes, NOTE_PREVIOUS, json_string(previous));
		free(previous);
	}
	if (rollout) {
		json_object_set_new(notes, NOTE_ROLLOUT, json_sprintf("%lld", (long long)rollout->number));
		json_object_set_new(notes, NOTE_TEMPLATE_HASH, json_string(rollout->template_hash));
	}
	return notes;
}

json_t *pod_template(const struct view *view, const struct rollout *rollout)
{
	const struct jobspec *spec = view->spec;
	json_t *labels = pod_labels(view, COMPONENT_RUNTIME), *one, *template;
	char config_map[NAME_MAX_BYTES + 1], place[NAME_MAX_BYTES + 1];
	struct mounts mounts;

	view_child_name(view, KIND_CONFIG_MAP, spec->spec_hash, config_map);
	view_place_name(view, place);
	mounts_make(spec, config_map, place, &mounts);
	kept_code_mount(view, mounts.volumes);
	for (size_t i = 0; i < view->previous.count; i++)
		mounts_add_previous(&view->previous.items[i], &mounts);
	one = pod_container(view, run_arguments(view, rollout));
	json_object_set_new(
	        one, "ports",
	        json_pack("[{s:s, s:i, s:s}]", "name", "status", "containerPort", STATUS_PORT, "protocol", "TCP"));
	json_object_set_new(one, "readinessProbe", probe("/readyz", 5, 2));
	json_object_set_new(one, "livenessProbe", probe("/healthz", 10, 6));
	json_object_set_new(labels, LABEL_JOB_UID, json_string(view->uid));
	template = json_pack(
	        "{s:{s:o, s:o}, s:o}", "metadata", "labels", labels, "annotations", notes_of(view, rollout), "spec",
	        pod_of_one(view, one, &mounts, (spec->termination_grace_ms + 999) / 1000 + GRACE_MARGIN_S));
	pod_note_job(view, json_object_get(template, "metadata"));
	fill_group(view, template);
	merge_template(view, template);
	return template;
}
