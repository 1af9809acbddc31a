#include "operator/manager/perform.h"

#include <string.h>

#include "operator/reconcile/code.h"
#include "operator/reconcile/names.h"
#include "operator/reconcile/object.h"

#define VERSION_OF_NONE "1"

static const struct kube_apply apply = {.field_manager = FIELD_MANAGER, .force = true};

static struct kube_resource resource(const struct step *step)
{
	return (struct kube_resource){kind_names[step->kind].root, kind_names[step->kind].plural};
}

static const char *namespace_of(const json_t *object)
{
	return object_text(object, "metadata", "namespace", NULL);
}

/* Somebody took its owners away, but it still says that it is of this job: as every controller does with an orphan. */
static bool is_orphan(const struct step *step, const json_t *live)
{
	return !object_controller(live) && !strcmp(object_label(live, LABEL_MANAGER), FIELD_MANAGER) &&
	       !strcmp(object_label(live, LABEL_INSTANCE), object_label(step->object, LABEL_INSTANCE));
}

/* Whether `live` is what the step would make, so that applying takes nothing from anybody. */
static int is_ours(const struct step *step, const json_t *live, struct kube_error *err)
{
	const json_t *owner = json_array_get(object_at(step->object, "metadata", "ownerReferences", NULL), 0);
	const json_t *other = object_controller(live);

	if (object_is_controlled(live, object_text(owner, "uid", NULL)) || is_orphan(step, live))
		return 0;
	if (object_is_of_earlier(live, object_text(owner, "name", NULL), object_text(owner, "uid", NULL)))
		return kube_fail(err, KUBE_CONFLICT, "%s %s of an earlier StreamJob is not gone yet",
		                 kind_names[step->kind].kind, object_name(live));
	if (other)
		return kube_fail(err, KUBE_INVALID,
		                 "it exists and does not belong to this StreamJob, but to %s %s; delete or rename it, "
		                 "or give the StreamJob another name",
		                 object_text(other, "kind", NULL), object_text(other, "name", NULL));
	return kube_fail(err, KUBE_INVALID,
	                 "it exists and does not belong to this StreamJob; delete or rename it, or give the "
	                 "StreamJob another name");
}

static int apply_object(struct kube_client *client, const struct step *step, const json_t *object,
                        struct kube_error *err)
{
	struct kube_resource kind = resource(step);

	return kube_apply(client, &kind, namespace_of(object), object_name(object), object, &apply, NULL, err);
}

/* What the API server would not make is looked up: it may be ours, a stranger's, or wrong in itself. */
static int apply_where_ours(struct kube_client *client, const struct step *step, struct kube_error *err)
{
	struct kube_resource kind = resource(step);
	struct kube_error why;
	json_t *live = NULL;
	int result;

	if (kube_get(client, &kind, namespace_of(step->object), object_name(step->object), &live, &why) < 0) {
		if (why.reason == KUBE_NOT_FOUND)
			return apply_object(client, step, step->object, err);
		*err = why;
		return -1;
	}
	result = is_ours(step, live, err);
	json_decref(live);
	if (result < 0 || step->kind == KIND_JOB) /* a batch Job is made once: its pod cannot be changed */
		return result;
	return apply_object(client, step, step->object, err);
}

/*
 * The stores do not have it: not yet, or since it lacks our labels. Applying would make a stranger's object ours. But
 * an apply that names a version is for that version only, or for no object at all; and version 1 is no object's.
 */
static int create(struct kube_client *client, const struct step *step, struct kube_error *err)
{
	json_t *object = json_deep_copy(step->object);
	int result;

	json_object_set_new(json_object_get(object, "metadata"), "resourceVersion", json_string(VERSION_OF_NONE));
	result = apply_object(client, step, object, err);
	json_decref(object);
	if (result < 0 && (err->reason == KUBE_CONFLICT || err->reason == KUBE_INVALID))
		result = apply_where_ours(client, step, err);
	return result;
}

static int delete (struct kube_client *client, const struct step *step, struct kube_error *err)
{
	const struct kube_delete options = {.uid = object_uid(step->object), .propagation = "Background"};
	struct kube_resource kind = resource(step);
	struct kube_error why;

	if (kube_delete(client, &kind, namespace_of(step->object), object_name(step->object), &options, &why) < 0 &&
	    why.reason != KUBE_NOT_FOUND) {
		*err = why;
		return -1;
	}
	return 0;
}

/* A ConfigMap that holds something else by now, or is gone, is no fault: the next look sees it. */
static int copy_code(struct kube_client *client, const struct step *step, struct kube_error *err)
{
	const char *source = object_text(step->object, "metadata", "annotations", NOTE_COPY_OF, NULL);
	struct step copy = {.verb = VERB_CREATE, .kind = step->kind, .object = json_deep_copy(step->object)};
	struct kube_resource kind = resource(step);
	json_t *live = NULL;
	struct kube_error why;
	int result = 0;

	if (kube_get(client, &kind, namespace_of(step->object), source, &live, &why) < 0) {
		if (why.reason != KUBE_NOT_FOUND)
			result = -1;
		*err = why;
	} else {
		for (size_t i = 0; i < 2; i++)
			json_object_set(copy.object, i ? "data" : "binaryData",
			                json_object_get(live, i ? "data" : "binaryData"));
		code_reduce(live);
		if (!strcmp(code_hash_of(live),
		            object_text(copy.object, "metadata", "annotations", NOTE_CODE_HASH, NULL)))
			result = create(client, &copy, err);
	}
	json_decref(live);
	json_decref(copy.object);
	return result;
}

int perform(struct kube_client *client, const struct step *step, struct kube_error *err)
{
	const char *namespace = namespace_of(step->object), *name = object_name(step->object);
	struct kube_resource kind = resource(step);

	switch (step->verb) {
	case VERB_CREATE:
		return create(client, step, err);
	case VERB_APPLY:
		return apply_object(client, step, step->object, err);
	case VERB_MERGE:
		return kube_merge(client, &kind, namespace, name, NULL, FIELD_MANAGER, step->object, NULL, err);
	case VERB_DELETE:
		return delete (client, step, err);
	case VERB_COPY_CODE:
		return copy_code(client, step, err);
	}
	return kube_fail(err, KUBE_INVALID, "a step without a verb");
}

int perform_status(struct kube_client *client, const json_t *object, struct kube_error *err)
{
	const struct kube_apply status = {.field_manager = FIELD_MANAGER, .force = true, .subresource = "status"};
	const struct kube_resource jobs = {kind_names[KIND_STREAM_JOB].root, kind_names[KIND_STREAM_JOB].plural};

	return kube_apply(client, &jobs, namespace_of(object), object_name(object), object, &status, NULL, err);
}
