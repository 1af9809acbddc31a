#include "operator/reconcile/allowed.h"

#include <stdarg.h>
#include <stdio.h>

#define PATH_BYTES_MAX 256
#define TEXT_BYTES_MAX 1024

static void say(const struct view *view, struct problems *problems, const char *path, const char *right,
                const char *wrong, ...) __attribute__((format(printf, 5, 6)));

static void say(const struct view *view, struct problems *problems, const char *path, const char *right,
                const char *wrong, ...)
{
	char text[TEXT_BYTES_MAX];
	va_list arguments;

	va_start(arguments, wrong);
	vsnprintf(text, sizeof(text), wrong, arguments);
	va_end(arguments);
	problems_add(problems, view->name, 0, 0, path, text, right);
}

static bool matches(const char *pattern, size_t size, const char *text)
{
	return (size == 1 && pattern[0] == '*') || (size == strlen(text) && !strncmp(pattern, text, size));
}

static bool is_allowed(const struct view *view, const char *account)
{
	const struct settings *settings = view->settings;

	for (size_t i = 0; i < settings->accounts_count; i++) {
		const char *slash = strchr(settings->accounts[i], '/');

		if (matches(settings->accounts[i], (size_t)(slash - settings->accounts[i]), view->namespace) &&
		    matches(slash + 1, strlen(slash + 1), account))
			return true;
	}
	return false;
}

static void check_account(const struct view *view, const json_t *spec, struct problems *problems)
{
	const json_t *given = json_object_get(spec, "serviceAccountName");
	char own[NAME_MAX_BYTES + 1];

	view_child_name(view, KIND_SERVICE_ACCOUNT, NULL, own);
	if (!given || (json_is_string(given) && !strcmp(json_string_value(given), own)))
		return;
	if (!json_is_string(given) || !is_allowed(view, json_string_value(given)))
		say(view, problems, "spec.podTemplate.spec.serviceAccountName",
		    "leave it out: the job's own ServiceAccount has no rights; another one must be allowed by the "
		    "operator's --allow-service-account=NAMESPACE/NAME",
		    "the ServiceAccount \"%.253s\" is not allowed in namespace %s",
		    json_is_string(given) ? json_string_value(given) : "", view->namespace);
}

/* The sources of a projected volume that are more than files of the namespace. */
static void check_sources(const struct view *view, const json_t *volume, size_t number, struct problems *problems)
{
	static const char *const tokens[] = {"serviceAccountToken", "clusterTrustBundle", "podCertificate"};
	size_t index;
	json_t *source;
	char path[PATH_BYTES_MAX];

	json_array_foreach(object_at(volume, "projected", "sources", NULL), index, source)
	{
		for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
			if (!json_object_get(source, tokens[i]))
				continue;
			snprintf(path, sizeof(path), "spec.podTemplate.spec.volumes[%zu].projected.sources[%zu].%s",
			         number, index, tokens[i]);
			say(view, problems, path, "leave it out, or run the operator with --allow-projected-tokens",
			    "identities of a pod are not projected in this installation");
		}
	}
}

void allowed_check(const struct view *view, const json_t *job, struct problems *problems)
{
	const json_t *spec = object_at(job, "spec", "podTemplate", "spec", NULL);
	size_t index;
	json_t *volume;

	check_account(view, spec, problems);
	if (view->settings->projected_tokens)
		return;
	json_array_foreach(json_object_get(spec, "volumes"), index, volume)
	{
		check_sources(view, volume, index, problems);
	}
}
