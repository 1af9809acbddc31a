/*
 * Whose fault it is that no data flows: one row a sign of it, and what no row names is the world's. A roll-back for a
 * broker that is away would take a good spec away, so only what a change of the job alone can mend is the job's.
 * docs/upgrade.md has the table.
 */
#include "lib/base/exit_code.h"
#include "operator/reconcile/container.h"
#include "operator/reconcile/health.h"
#include "operator/reconcile/rollback.h"

#define SIGNALLED 128 /* exit codes above it: that signal */

/* Signals of a program that fell over; not those with which others end it. */
static const int crashes[] = {4 /* ILL */, 6 /* ABRT */, 7 /* BUS */, 8 /* FPE */, 11 /* SEGV */, 31 /* SYS */};

/* Why a container waits, and a part of the message that makes it the job's; NULL: whatever it says. */
static const struct wait {
	const char *reason, *words;
	bool image; /* only where the spec names the image: the operator's default is not the job's */
} waits[] = {
        {"InvalidImageName", NULL, true},
        {"ErrImagePull", "not found", true},
        {"ErrImagePull", "manifest unknown", true},
        {"ErrImagePull", "no match for platform", true},
        {"ErrImagePull", "repository does not exist", true},
        {"ImagePullBackOff", "not found", true},
        {"ImagePullBackOff", "manifest unknown", true},
        {"ImagePullBackOff", "no match for platform", true},
        {"ImagePullBackOff", "repository does not exist", true},
        {"ErrImageNeverPull", NULL, true},
        {"RunContainerError", "executable file not found", true},
        {"RunContainerError", "no such file or directory", true},
        {"RunContainerError", "exec format error", true},
        {"CreateContainerError", "executable file not found", true},
        {"CreateContainerError", "no such file or directory", true},
};

static bool names_its_image(const struct view *view, const char *container)
{
	size_t index;
	json_t *one;

	if (strcmp(container, RUNTIME_CONTAINER) != 0) /* podTemplate's */
		return true;
	json_array_foreach(object_at(view->job, "spec", "podTemplate", "spec", "containers", NULL), index, one)
	{
		if (!strcmp(object_text(one, "name", NULL), container) && object_text(one, "image", NULL)[0])
			return true;
	}
	return object_text(view->job, "spec", "image", NULL)[0] != '\0';
}

static bool waits_for_the_job(const struct view *view, const json_t *container)
{
	const char *reason = object_text(container, "state", "waiting", "reason", NULL);
	const char *message = object_text(container, "state", "waiting", "message", NULL);

	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
		if (!strcmp(reason, waits[i].reason) && (!waits[i].words || strstr(message, waits[i].words)) &&
		    (!waits[i].image || names_its_image(view, object_text(container, "name", NULL))))
			return true;
	return false;
}

/* The runtime's end: what it was given cannot be run, it fell over, or its memory is too small. */
static bool ended_by_the_job(const json_t *ended)
{
	int64_t code = object_integer(ended, "exitCode", NULL);

	if (code == EXIT_USAGE || !strcmp(object_text(ended, "reason", NULL), "OOMKilled"))
		return true;
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		if (code == SIGNALLED + crashes[i])
			return true;
	return code == EXIT_FAILED && strstr(object_text(ended, "message", NULL), ", import:");
}

static bool container_is_to_blame(const struct view *view, const json_t *container)
{
	const json_t *ended = object_at(container, "state", "terminated", NULL);

	if (waits_for_the_job(view, container))
		return true;
	if (strcmp(object_text(container, "name", NULL), RUNTIME_CONTAINER) != 0)
		return false;
	if (!ended)
		ended = object_at(container, "lastState", "terminated", NULL);
	return ended && !object_at(container, "state", "running", NULL) && ended_by_the_job(ended);
}

/* A function whose code cannot be loaded. One that raises may be told why by the world. */
static bool function_is_to_blame(const json_t *document)
{
	size_t index;
	json_t *one;

	json_array_foreach(json_object_get(document, "functions"), index, one)
	{
		if (json_is_false(json_object_get(one, "healthy")) &&
		    !strcmp(object_text(one, "lastError", "method", NULL), "import"))
			return true;
	}
	return false;
}

static bool any_is_to_blame(const struct view *view, const json_t *containers)
{
	size_t index;
	json_t *one;

	json_array_foreach(containers, index, one)
	{
		if (container_is_to_blame(view, one))
			return true;
	}
	return false;
}

bool cause_is_jobs(const struct view *view, const struct health *health)
{
	const json_t *status = object_at(health->pod, "status", NULL);

	return any_is_to_blame(view, json_object_get(status, "containerStatuses")) ||
	       any_is_to_blame(view, json_object_get(status, "initContainerStatuses")) ||
	       function_is_to_blame(health->document);
}
