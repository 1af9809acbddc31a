#include "operator/reconcile/belongs.h"

#include <string.h>

#include "operator/reconcile/names.h"

static const char *revision_of(const json_t *object)
{
	return object_text(object, "metadata", "annotations", NOTE_REVISION, NULL);
}

/* The ReplicaSet that controls the pod. */
static const json_t *replica_set_of(const json_t *pod, const json_t *replica_sets)
{
	size_t index;
	json_t *one;

	json_array_foreach(replica_sets, index, one)
	{
		if (object_uid(one)[0] && object_is_controlled(pod, object_uid(one)))
			return one;
	}
	return NULL;
}

/* Another one of the Deployment's says that it is of the same revision, and is as old. */
static bool has_rival(const json_t *replica_set, const json_t *replica_sets, const json_t *deployment)
{
	const char *made = object_text(replica_set, "metadata", "creationTimestamp", NULL);
	size_t index;
	json_t *one;

	json_array_foreach(replica_sets, index, one)
	{
		if (strcmp(object_uid(one), object_uid(replica_set)) != 0 &&
		    object_is_controlled(one, object_uid(deployment)) &&
		    !strcmp(revision_of(one), revision_of(replica_set)) &&
		    strcmp(object_text(one, "metadata", "creationTimestamp", NULL), made) <= 0)
			return true;
	}
	return false;
}

bool pod_belongs(const json_t *pod, const json_t *replica_sets, const json_t *deployment)
{
	const json_t *replica_set;

	if (!replica_sets)
		return true;
	replica_set = deployment ? replica_set_of(pod, replica_sets) : NULL;
	if (!replica_set || !object_is_controlled(replica_set, object_uid(deployment)))
		return false;
	if (object_is_deleted(pod))
		return true;
	return revision_of(replica_set)[0] && !strcmp(revision_of(replica_set), revision_of(deployment)) &&
	       !has_rival(replica_set, replica_sets, deployment);
}

static bool begins_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

const char *pod_address_trouble(const json_t *pod, bool is_inside)
{
	static const char *const local[] = {"169.254.", "0.", "224.", "255.", "fe80:", "ff0", "::ffff:"};
	const char *ip = object_text(pod, "status", "podIP", NULL);

	if (json_is_true(object_at(pod, "spec", "hostNetwork", NULL)))
		return "the pod is in the network of its node (hostNetwork), where its address is the node's; it is "
		       "not asked";
	if (is_inside && (begins_with(ip, "127.") || !strcmp(ip, "::1")))
		return "its address is the operator's own; it is not asked";
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		if (begins_with(ip, local[i]))
			return "its address is no pod's; it is not asked";
	return NULL;
}
