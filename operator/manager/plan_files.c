#include "operator/manager/plan_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/spec/document/document.h"
#include "lib/spec/read/load.h"
#include "lib/process/system_clock.h"
#include "operator/manager/commands.h"
#include "operator/manager/diff.h"
#include "operator/manager/group_index.h"
#include "operator/manager/manager.h"
#include "operator/reconcile/code.h"
#include "operator/reconcile/groups.h"
#include "operator/reconcile/manifest.h"
#include "operator/reconcile/names.h"
#include "operator/reconcile/object.h"

static bool is_stream_job(const struct node *root)
{
	const struct node *kind = root ? node_get(root, "kind") : NULL;

	return kind && kind->kind == NODE_SCALAR && slice_equal(kind->text, SLICE_LITERAL(JOB_KIND));
}

static void append_objects(struct slice text, json_t *jobs)
{
	struct syntax_problem syntax;
	struct documents documents;
	struct buffer json;
	struct arena arena;

	arena_init(&arena);
	buffer_init(&json);
	(void)documents_parse(text, JOB_DOCUMENTS_MAX, &arena, &documents, &syntax); /* it was loaded: it parses */
	for (size_t i = 0; i < documents.count; i++) {
		if (!is_stream_job(documents.roots[i]))
			continue;
		buffer_clear(&json);
		node_json(documents.roots[i], &json);
		json_array_append_new(jobs, json_loadb(json.data, json.size, 0, NULL));
	}
	buffer_release(&json);
	arena_release(&arena);
}

int plan_files_load(const char *file, struct slice text, json_t *jobs, struct problems *problems)
{
	struct jobspecs specs;
	int result = jobspecs_load(file, text, problems, &specs);

	if (result == 0)
		append_objects(text, jobs);
	jobspecs_release(&specs);
	return result;
}

/* What every write changes, or the API server makes up. */
static json_t *shown(const json_t *object)
{
	static const char *const made_up[] = {"managedFields", "resourceVersion",   "uid",
	                                      "generation",    "creationTimestamp", "ownerReferences"};
	json_t *copy = json_deep_copy(object), *metadata = json_object_get(copy, "metadata"), *notes;

	for (size_t i = 0; i < sizeof(made_up) / sizeof(made_up[0]); i++)
		json_object_del(metadata, made_up[i]);
	json_object_del(copy, "status");
	notes = json_object_get(metadata, "annotations");
	json_object_del(notes, NOTE_APPLIED);
	json_object_del(notes, "deployment.kubernetes.io/revision");
	json_object_del(object_borrow(object_at(copy, "spec", "template", "metadata", "labels", NULL)), LABEL_JOB_UID);
	if (notes && !json_object_size(notes))
		json_object_del(metadata, "annotations");
	return copy;
}

/* `before` or `after` may be NULL: made, or deleted. */
static void diff(enum kind kind, const json_t *before, const json_t *after, struct buffer *out)
{
	const json_t *named = after ? after : before;
	json_t *old = before ? shown(before) : NULL, *new = after ? shown(after) : NULL;
	json_t *name = json_sprintf("%s/%s/%s", kind_names[kind].kind,
	                            object_text(named, "metadata", "namespace", NULL), object_name(named));
	json_t *old_name = before ? json_sprintf("live/%s", json_string_value(name)) : json_string("/dev/null");
	json_t *new_name = after ? json_sprintf("plan/%s", json_string_value(name)) : json_string("/dev/null");
	struct buffer old_text, new_text;

	buffer_init(&old_text);
	buffer_init(&new_text);
	if (old)
		manifest_write(old, &old_text);
	if (new)
		manifest_write(new, &new_text);
	diff_unified(json_string_value(old_name), buffer_slice(&old_text), json_string_value(new_name),
	             buffer_slice(&new_text), out);
	buffer_release(&old_text);
	buffer_release(&new_text);
	json_decref(old);
	json_decref(new);
	json_decref(name);
	json_decref(old_name);
	json_decref(new_name);
}

static int fail(const struct kube_error *why, struct error *err)
{
	*err = why->error;
	return -1;
}

/* What is there under that name, or NULL; -1: it cannot be read. */
static int get_live(struct kube_client *client, enum kind kind, const json_t *object, json_t **ret_live,
                    struct error *err)
{
	struct kube_resource resource = resource_of(kind);
	struct kube_error why;

	*ret_live = NULL;
	if (kube_get(client, &resource, object_text(object, "metadata", "namespace", NULL), object_name(object),
	             ret_live, &why) == 0 ||
	    why.reason == KUBE_NOT_FOUND)
		return 0;
	return fail(&why, err);
}

static int apply_dry(struct kube_client *client, enum kind kind, const json_t *object, const char *manager,
                     json_t **ret_object, struct error *err)
{
	const struct kube_apply apply = {.field_manager = manager, .force = true, .dry_run = true};
	struct kube_resource resource = resource_of(kind);
	struct kube_error why;

	if (kube_apply(client, &resource, object_text(object, "metadata", "namespace", NULL), object_name(object),
	               object, &apply, ret_object, &why) < 0)
		return fail(&why, err);
	return 0;
}

static int diff_step(struct kube_client *client, const struct step *step, json_t *job, struct buffer *out,
                     struct error *err)
{
	json_t *live = NULL, *after = NULL;
	int result;

	if (step->verb == VERB_MERGE && step->kind == KIND_STREAM_JOB) { /* the finalizer: shown with the job itself */
		json_object_set(json_object_get(job, "metadata"), "finalizers",
		                object_borrow(object_at(step->object, "metadata", "finalizers", NULL)));
		return 0;
	}
	result = get_live(client, step->kind, step->object, &live, err);
	if (result == 0 && step->verb != VERB_DELETE)
		result = apply_dry(client, step->kind, step->object, FIELD_MANAGER, &after, err);
	if (result == 0 && (live || after))
		diff(step->kind, live, after, out);
	json_decref(live);
	json_decref(after);
	return result;
}

static int keep(void *context, json_t *object, struct kube_error *err)
{
	(void)err;
	json_array_append_new(context, object);
	return 0;
}

/* The children that there are, as the operator's stores would have them. */
static int list_children(struct kube_client *client, const json_t *job, struct observed *observed, struct error *err)
{
	char label[NAME_LABEL_MAX + 1];
	json_t *selector;
	struct kube_selection selection;
	struct kube_error why;
	int result = 0;

	name_label(object_name(job), label);
	selector = json_sprintf(CHILDREN_SELECTOR "," LABEL_INSTANCE "=%s", label);
	selection = (struct kube_selection){.label_selector = json_string_value(selector)};
	for (int kind = KIND_SERVICE_ACCOUNT; result == 0 && kind < KIND_COUNT; kind++) {
		struct kube_resource resource = resource_of((enum kind)kind);
		char *version = NULL;
		json_t *list = json_array();

		observed->children[kind] = list;
		if (kube_list(client, &resource, object_text(job, "metadata", "namespace", NULL), &selection, keep,
		              list, &version, &why) < 0)
			result = fail(&why, err);
		free(version);
	}
	json_decref(selector);
	return result;
}

/* As the operator would see them: reconcile/code.h. */
static int get_code(struct kube_client *client, const json_t *job, json_t *code, struct error *err)
{
	json_t *names = code_config_maps(job), *name, *live;
	size_t index;
	int result = 0;

	json_array_foreach(names, index, name)
	{
		json_t *object = json_pack("{s:{s:s, s:O}}", "metadata", "namespace",
		                           object_text(job, "metadata", "namespace", NULL), "name", name);

		if (result == 0)
			result = get_live(client, KIND_CONFIG_MAP, object, &live, err);
		json_decref(object);
		if (result < 0 || !live)
			continue;
		code_reduce(live);
		json_object_set_new(code, json_string_value(name), json_string(code_hash_of(live)));
		json_decref(live);
	}
	json_decref(names);
	return result;
}

static int keep_groups(void *context, json_t *object, struct kube_error *err)
{
	(void)err;
	json_decref(group_index_put(context, object));
	json_decref(object);
	return 0;
}

static int list_groups(struct kube_client *client, const char *namespace, struct group_index *groups,
                       struct kube_error *why)
{
	struct kube_resource jobs = resource_of(KIND_STREAM_JOB);
	struct kube_selection all = {0};
	char *version = NULL;
	int result = kube_list(client, &jobs, namespace, &all, keep_groups, groups, &version, why);

	free(version);
	return result;
}

void plan_files_groups(struct kube_client *client, const struct plan_options *options, const char *namespace)
{
	struct kube_error why;

	if (list_groups(client, NULL, options->groups, &why) == 0)
		return;
	fprintf(stderr,
	        "streamjob-operator plan: only jobs of namespace %s are looked at for groups that two name: %s\n",
	        namespace, why.error.text);
	if (list_groups(client, namespace, options->groups, &why) < 0)
		fprintf(stderr, "streamjob-operator plan: no other job is looked at for groups that two name: %s\n",
		        why.error.text);
}

static void say_groups(const struct view *view, const json_t *job)
{
	char *words = groups_words(view);

	if (words[0])
		fprintf(stderr, "streamjob-operator plan: StreamJob %s/%s: %s\n",
		        object_text(job, "metadata", "namespace", NULL), object_name(job), words);
	free(words);
}

static int diff_children(struct kube_client *client, const struct plan_options *options, json_t *job,
                         struct buffer *out, struct error *err)
{
	json_t *code = json_object();
	struct observed observed = {.job = job, .code = code, .now_ms = clock_wall_ms(&system_clock)};
	json_t *sharers;
	struct plan plan = {0};
	int result = list_children(client, job, &observed, err);

	if (result == 0)
		result = get_code(client, job, code, err);
	json_decref(group_index_put(options->groups, job));
	observed.sharers = sharers = group_index_sharers(options->groups, job);
	if (result == 0)
		plan_make(&observed, &options->settings, &plan);
	if (plan.view)
		say_groups(plan.view, job);
	for (size_t i = 0; result == 0 && i < plan.steps_count; i++)
		result = diff_step(client, &plan.steps[i], job, out, err);
	if (plan.view)
		plan_release(&plan);
	for (int kind = 0; kind < KIND_COUNT; kind++)
		json_decref(object_borrow(observed.children[kind]));
	json_decref(sharers);
	json_decref(code);
	return result;
}

int plan_files_diff(struct kube_client *client, const struct plan_options *options, const char *namespace,
                    const json_t *job, struct buffer *out, struct error *err)
{
	json_t *asked = json_deep_copy(job), *live = NULL, *after = NULL;
	struct buffer children;
	int result;

	if (!object_text(asked, "metadata", "namespace", NULL)[0])
		json_object_set_new(json_object_get(asked, "metadata"), "namespace", json_string(namespace));
	json_object_del(asked, "status");
	buffer_init(&children);
	result = get_live(client, KIND_STREAM_JOB, asked, &live, err);
	if (result == 0)
		result = apply_dry(client, KIND_STREAM_JOB, asked, options->field_manager, &after, err);
	if (result == 0) {
		json_object_del(json_object_get(after, "status"),
		                "place");             /* written now and then, whatever the files say */
		if (json_object_get(after, "status")) /* what it comes to, whenever the job's turn is */
			json_object_set_new(json_object_get(after, "status"), "update", json_object());
		result = diff_children(client, options, after, &children, err);
	}
	if (result == 0) {
		diff(KIND_STREAM_JOB, live, after, out);
		buffer_append_slice(out, buffer_slice(&children));
	}
	buffer_release(&children);
	json_decref(asked);
	json_decref(live);
	json_decref(after);
	return result;
}
