#include "operator/reconcile/cleanup.h"

#include <ctype.h>

#include "operator/reconcile/container.h"
#include "operator/reconcile/health.h"
#include "operator/reconcile/mounts.h"

#define UID_DIGITS 8 /* of the StreamJob's, in the Job's name */

void cleanup_name(const struct view *view, char ret_name[NAME_MAX_BYTES + 1])
{
	char suffix[sizeof("-cleanup-") + UID_DIGITS];

	snprintf(suffix, sizeof(suffix), "-cleanup-%.*s", UID_DIGITS, view->uid);
	name_child(view->name, suffix, NAME_LABEL_MAX, ret_name);
}

/* Of a batch Job, in the words of its controller; "" while it runs. */
static const char *ended(const json_t *job, const char *type)
{
	const json_t *condition = object_condition(object_at(job, "status", "conditions", NULL), type);

	if (strcmp(object_text(condition, "status", NULL), "True") != 0)
		return "";
	return object_text(condition, "message", NULL)[0] ? object_text(condition, "message", NULL) : type;
}

static bool is_of_cleanup(const struct view *view, const json_t *pod)
{
	return !strcmp(object_label(pod, LABEL_COMPONENT), COMPONENT_CLEANUP) &&
	       !strcmp(object_label(pod, LABEL_JOB_UID), view->uid);
}

/* The container says how it went before the pod does, which may never: a sidecar can have been added to it. */
static void look_at_pod(const struct view *view, const json_t *pod, struct cleanup *cleanup)
{
	const json_t *container = container_status(pod), *end = object_at(container, "state", "terminated", NULL);
	struct health why = {.running_hash = ""};

	if (end && !object_integer(end, "exitCode", NULL)) {
		cleanup->stage = CLEANUP_DONE;
		cleanup->pod_stays = !pod_is_gone(pod);
		return;
	}
	if (end && !pod_is_gone(pod)) {
		cleanup->stage = CLEANUP_FAILED;
		cleanup->pod_stays = true;
	}
	buffer_clear(&cleanup->words);
	if (end)
		container_print_end(pod, container, end, &cleanup->words);
	else if (pod_is_failing(view, pod, &why))
		buffer_append_text(&cleanup->words, why.ready.message.data);
	health_release(&why);
}

static void look_at_pods(const struct view *view, struct cleanup *cleanup)
{
	size_t index;
	json_t *pod;

	json_array_foreach(view->observed->children[KIND_POD], index, pod)
	{
		if (is_of_cleanup(view, pod) && cleanup->stage != CLEANUP_DONE)
			look_at_pod(view, pod, cleanup);
	}
}

void cleanup_look(const struct view *view, struct cleanup *ret_cleanup)
{
	char name[NAME_MAX_BYTES + 1];
	const json_t *job;

	*ret_cleanup = (struct cleanup){.stage = CLEANUP_NONE};
	buffer_init(&ret_cleanup->words);
	cleanup_name(view, name);
	job = object_named(view->observed->children[KIND_JOB], name);
	if (!job || strcmp(object_label(job, LABEL_JOB_UID), view->uid) != 0)
		return;
	ret_cleanup->job = job;
	ret_cleanup->stage = CLEANUP_RUNS;
	look_at_pods(view, ret_cleanup);
	if (ended(job, "Complete")[0])
		ret_cleanup->stage = CLEANUP_DONE;
	if (ret_cleanup->stage == CLEANUP_RUNS && ended(job, "Failed")[0]) {
		ret_cleanup->stage = CLEANUP_FAILED;
		if (ret_cleanup->words.size)
			buffer_append_text(&ret_cleanup->words, "; ");
		buffer_printf(&ret_cleanup->words, "Job %s: %s", name, ended(job, "Failed"));
	}
	/* No pod could be made: what the Job's controller says of that. */
	if (!ret_cleanup->words.size && ret_cleanup->stage == CLEANUP_RUNS)
		buffer_append_text(&ret_cleanup->words,
		                   object_text(view->observed->reports, object_uid(job), "words", NULL));
}

void cleanup_release(struct cleanup *cleanup)
{
	buffer_release(&cleanup->words);
}

/* The job file that ran last: the Deployment's, else the newest. One that is going is as good. */
static const json_t *last_job_file(const struct view *view)
{
	char deployed[NAME_MAX_BYTES + 1];
	const json_t *newest = NULL;
	size_t index;
	json_t *one;

	view_child_name(view, KIND_CONFIG_MAP, view_deployed_hash(view), deployed);
	json_array_foreach(view->observed->children[KIND_CONFIG_MAP], index, one)
	{
		if (!object_is_controlled(one, view->uid) || !is_job_file(one))
			continue;
		if (!strcmp(object_name(one), deployed))
			return one;
		if (!newest || strcmp(object_text(one, "metadata", "creationTimestamp", NULL),
		                      object_text(newest, "metadata", "creationTimestamp", NULL)) > 0)
			newest = one;
	}
	return newest;
}

bool cleanup_file(const struct view *view, struct buffer *text)
{
	const json_t *config_map = last_job_file(view);

	if (config_map)
		buffer_append_text(text, object_text(config_map, "data", JOB_FILE, NULL));
	else if (view->spec)
		jobspec_canonical(view->spec, text);
	return text->size > 0;
}

static void append_base64(const char *value, struct buffer *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t size = strlen(value);

	if (!size)
		buffer_append_char(text, '=');
	for (size_t i = 0; i < size; i += 3) {
		uint32_t bits = 0;

		for (size_t b = 0; b < 3; b++)
			bits = bits << 8 | (i + b < size ? (unsigned char)value[i + b] : 0);
		for (size_t d = 0; d < 4; d++)
			buffer_append_char(text, i + d <= size ? digits[bits >> (18 - 6 * d) & 63] : '=');
	}
}

/* As the Pushgateway reads it: a value that is empty or has a slash, in base64. */
static void append_label(const char *label, const char *value, struct buffer *text)
{
	if (!value[0] || strchr(value, '/')) {
		buffer_printf(text, "/%s@base64/", label);
		append_base64(value, text);
		return;
	}
	buffer_printf(text, "/%s/", label);
	for (const char *c = value; *c; c++) {
		if (isalnum((unsigned char)*c) || strchr("-._~", *c))
			buffer_append_char(text, *c);
		else
			buffer_printf(text, "%%%02X", (unsigned)(unsigned char)*c);
	}
}

void cleanup_by_hand(const struct jobspec *spec, struct buffer *text)
{
	for (size_t i = 0; i < spec->sinks_count; i++) {
		const struct pushgateway_sink *sink = &spec->sinks[i].pushgateway;
		struct slice url;

		if (spec->sinks[i].kind != SINK_PUSHGATEWAY)
			continue;
		for (url = slice_of(sink->url); url.size && url.data[url.size - 1] == '/'; url.size--)
			;
		buffer_printf(text, "%scurl -X DELETE '", text->size ? "; " : "");
		buffer_append_slice(text, url);
		buffer_append_text(text, "/metrics");
		append_label("job", sink->job, text);
		for (size_t k = 0; k < sink->grouping_key.count; k++)
			append_label(sink->grouping_key.items[k].key, sink->grouping_key.items[k].value, text);
		buffer_append_char(text, '\'');
	}
}
