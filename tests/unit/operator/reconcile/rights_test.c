/* What spec.podTemplate may not do to the rights of a job's pods. */
#include "tests/unit/operator/reconcile/world.h"

static json_t *template_of(const struct plan *plan)
{
	for (size_t i = 0; i < plan->steps_count; i++)
		if (plan->steps[i].kind == KIND_DEPLOYMENT)
			return json_object_get(json_object_get(plan->steps[i].object, "spec"), "template");
	return NULL;
}

static bool has_all(const json_t *container)
{
	const json_t *drop = object_at(container, "securityContext", "capabilities", "drop", NULL);
	size_t index;
	json_t *one;

	json_array_foreach(drop, index, one)
	{
		if (!strcmp(json_string_value(one), "ALL"))
			return true;
	}
	return false;
}

/* The API server would take a pod of that template into a namespace that enforces "restricted". */
static void expect_restricted(const char *spec, const json_t *template)
{
	static const char *const lists[] = {"containers", "initContainers"};
	const json_t *pod = object_at(template, "spec", NULL);
	const char *profile = object_text(pod, "securityContext", "seccompProfile", "type", NULL);
	size_t index;
	json_t *one;

	assert_true(json_is_true(object_at(pod, "securityContext", "runAsNonRoot", NULL)));
	if (strcmp(profile, "RuntimeDefault") != 0 && strcmp(profile, "Localhost") != 0)
		fail_msg("%s: seccomp \"%s\"", spec, profile);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		json_array_foreach(json_object_get(pod, lists[i]), index, one)
		{
			if (!has_all(one) ||
			    !json_is_false(object_at(one, "securityContext", "allowPrivilegeEscalation", NULL)))
				fail_msg("%s: %s of %s", spec, object_text(one, "name", NULL), lists[i]);
		}
}

#define SPEC(text)    "{\"podTemplate\": {\"spec\": {" text "}}}"
#define SIDECAR(text) SPEC("\"containers\": [{\"name\": \"a\", \"image\": \"b\"" text "}]")

static void what_is_left_out_is_filled_in_test(void **state)
{
	static const char *const specs[] = {
	        "{}",
	        SIDECAR(""),
	        SIDECAR(", \"securityContext\": null"),
	        SIDECAR(", \"securityContext\": {}"),
	        SIDECAR(", \"securityContext\": {\"capabilities\": {\"add\": [\"NET_BIND_SERVICE\"]}}"),
	        SIDECAR(", \"securityContext\": {\"capabilities\": null, \"allowPrivilegeEscalation\": null}"),
	        SIDECAR(", \"securityContext\": {\"runAsUser\": 7, \"capabilities\": {\"drop\": [\"KILL\", \"ALL\"]}}"),
	        SPEC("\"initContainers\": [{\"name\": \"a\", \"image\": \"b\", \"restartPolicy\": \"Always\"}]"),
	        SPEC("\"securityContext\": {}"),
	        SPEC("\"securityContext\": {\"runAsNonRoot\": null, \"seccompProfile\": null}"),
	        SPEC("\"securityContext\": {\"seccompProfile\": {\"type\": null}}"),
	        SPEC("\"securityContext\": {\"seccompProfile\": {\"type\": \"Localhost\", \"localhostProfile\": "
	             "\"x\"}}"),
	        SPEC("\"containers\": [{\"name\": \"streamjob\", \"env\": [{\"name\": \"A\", \"value\": \"b\"}]}]"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct observed observed;
		struct world world;
		struct plan plan;

		world_init(&world, specs[i]);
		world_look(&world, &observed, &plan);
		if (!template_of(&plan))
			fail_msg("%s: no Deployment", specs[i]);
		expect_restricted(specs[i], template_of(&plan));
		plan_release(&plan);
		world_release(&world);
	}
}

#define ACCOUNT(name) SPEC("\"serviceAccountName\": \"" name "\"")
#define TOKEN(source)                                                                                                  \
	SPEC("\"volumes\": [{\"name\": \"v\", \"projected\": {\"sources\": [{\"secret\": {\"name\": \"s\"}}, "         \
	     "{\"" source "\": {}}]}}]")
#define REFUSED(text) "home-feed: spec.podTemplate.spec." text
#define TOKEN_AT      "volumes[0].projected.sources[1]."

static void what_the_installation_allows_test(void **state)
{
	static const char *const one[] = {"reco/reader"}, *const wide[] = {"other/x", "*/reader"},
	                         *const all[] = {"reco/*"},
	                         *const elsewhere[] = {"other/*", "reco/readers", "rec/reader"};
	static const struct {
		const char *spec;
		const char *const *accounts;
		size_t accounts_count;
		bool tokens;
		const char *problem; /* NULL: allowed */
	} rows[] = {
	        {ACCOUNT("home-feed"), NULL, 0, false, NULL},
	        {ACCOUNT("reader"), NULL, 0, true, REFUSED("serviceAccountName: the ServiceAccount \"reader\" is not")},
	        {ACCOUNT("default"), NULL, 0, false, REFUSED("serviceAccountName: the ServiceAccount \"default\"")},
	        {ACCOUNT(""), NULL, 0, false, REFUSED("serviceAccountName")},
	        {ACCOUNT("reader"), one, 1, false, NULL},
	        {ACCOUNT("writer"), one, 1, false, REFUSED("serviceAccountName")},
	        {ACCOUNT("reader"), wide, 2, false, NULL},
	        {ACCOUNT("x"), wide, 2, false, REFUSED("serviceAccountName")},
	        {ACCOUNT("anything"), all, 1, false, NULL},
	        {ACCOUNT("reader"), elsewhere, 3, false, REFUSED("serviceAccountName")},
	        {SPEC("\"serviceAccountName\": 7"), all, 1, false, REFUSED("serviceAccountName")},
	        {TOKEN("serviceAccountToken"), all, 1, false, REFUSED(TOKEN_AT "serviceAccountToken")},
	        {TOKEN("clusterTrustBundle"), all, 1, false, REFUSED(TOKEN_AT "clusterTrustBundle")},
	        {TOKEN("podCertificate"), all, 1, false, REFUSED(TOKEN_AT "podCertificate")},
	        {TOKEN("serviceAccountToken"), NULL, 0, true, NULL},
	        {TOKEN("configMap"), NULL, 0, false, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct settings settings = test_settings;
		struct observed observed;
		struct world world;
		struct plan plan;
		json_t *status;
		const char *said;

		settings.accounts = rows[i].accounts;
		settings.accounts_count = rows[i].accounts_count;
		settings.projected_tokens = rows[i].tokens;
		world_init(&world, rows[i].spec);
		world_look(&world, &observed, &plan);
		plan_release(&plan);
		plan_make(&observed, &settings, &plan);
		status = plan_status(&plan, NULL, NULL);
		said = object_text(object_condition(object_at(status, "status", "conditions", NULL), "Stalled"),
		                   "message", NULL);
		if ((rows[i].problem != NULL) != (strstr(said, rows[i].problem ? rows[i].problem : "\n") != NULL) ||
		    (rows[i].problem != NULL) != (plan.steps_count == 0))
			fail_msg("%s: %s", rows[i].spec, said);
		json_decref(status);
		plan_release(&plan);
		world_release(&world);
	}
}

/* What is checked is what is applied: a text with YAML's other ends of lines hides nothing from the check. */
static void texts_hide_nothing_test(void **state)
{
	static const char *const breaks[] = {"\\u2028", "\\u2029", "\\u0085"};

	(void)state;
	for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		json_t *spec = json_sprintf(
		        SPEC("\"containers\": [{\"image\": \"b%s        imagePullPolicy:%s          \\\"x\", \"name\": "
		             "\"a\", \"securityContext\": {\"privileged\": true}, \"workingDir\": \"x\\\"%s        "
		             "name:%s          a\"}]"),
		        breaks[i], breaks[i], breaks[i], breaks[i]);
		struct observed observed;
		struct world world;
		struct plan plan;

		world_init(&world, json_string_value(spec));
		world_look(&world, &observed, &plan);
		if (template_of(&plan))
			fail_msg("%s: a pod that is privileged", breaks[i]);
		plan_release(&plan);
		world_release(&world);
		json_decref(spec);
	}
}

#define FILE_SINK    "\"sinks\": [{\"file\": {\"path\": \"/data/out\"}}]"
#define VOLUME(kind) "\"podTemplate\": {\"spec\": {\"volumes\": [{\"name\": \"v\", \"" kind "\": {}}]"

static void files_on_volumes_have_a_group_test(void **state)
{
	static const struct {
		const char *spec;
		json_int_t group; /* 0: none */
	} rows[] = {
	        {"{" FILE_SINK ", " VOLUME("persistentVolumeClaim") "}}}", 65532},
	        {"{" FILE_SINK ", " VOLUME("ephemeral") "}}}", 65532},
	        {"{" FILE_SINK ", " VOLUME("csi") "}}}", 65532},
	        {"{\"deadLetter\": {\"file\": {\"path\": \"/data/bad\"}}, " VOLUME("persistentVolumeClaim") "}}}",
	         65532},
	        {"{" FILE_SINK ", " VOLUME("persistentVolumeClaim") ", \"securityContext\": {\"fsGroup\": 5}}}}", 5},
	        {"{" FILE_SINK ", " VOLUME("emptyDir") "}}}", 0},
	        {"{" FILE_SINK "}", 0},
	        {"{" VOLUME("persistentVolumeClaim") "}}}", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct observed observed;
		struct world world;
		struct plan plan;

		world_init(&world, rows[i].spec);
		world_look(&world, &observed, &plan);
		if (!template_of(&plan))
			fail_msg("%s: no Deployment", rows[i].spec);
		if (object_integer(template_of(&plan), "spec", "securityContext", "fsGroup", NULL) != rows[i].group)
			fail_msg("%s: not %lld", rows[i].spec, (long long)rows[i].group);
		plan_release(&plan);
		world_release(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_left_out_is_filled_in_test),
	                                   cmocka_unit_test(what_the_installation_allows_test),
	                                   cmocka_unit_test(texts_hide_nothing_test),
	                                   cmocka_unit_test(files_on_volumes_have_a_group_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
