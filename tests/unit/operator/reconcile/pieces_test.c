/* Merge, drift, names and the form of YAML. */
#include "operator/reconcile/differs.h"
#include "operator/reconcile/manifest.h"
#include "operator/reconcile/merge.h"
#include "tests/unit/operator/reconcile/world.h"

static json_t *parse(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	if (!json)
		fail_msg("not JSON: %s", text);
	return json;
}

static void merge_test(void **state)
{
	static const struct {
		const char *name, *base, *patch, *merged;
	} rows[] = {
	        {"objects by field", "{\"a\": {\"x\": 1}}", "{\"a\": {\"y\": 2}}", "{\"a\": {\"x\": 1, \"y\": 2}}"},
	        {"null takes out", "{\"a\": 1, \"b\": 2}", "{\"a\": null}", "{\"b\": 2}"},
	        {"containers by name", "{\"containers\": [{\"name\": \"s\", \"image\": \"i\"}]}",
	         "{\"containers\": [{\"name\": \"s\", \"env\": []}, {\"name\": \"t\"}]}",
	         "{\"containers\": [{\"name\": \"s\", \"image\": \"i\", \"env\": []}, {\"name\": \"t\"}]}"},
	        {"env by name", "{\"env\": [{\"name\": \"A\", \"value\": \"1\"}]}",
	         "{\"env\": [{\"name\": \"A\", \"value\": \"2\"}, {\"name\": \"B\"}]}",
	         "{\"env\": [{\"name\": \"A\", \"value\": \"2\"}, {\"name\": \"B\"}]}"},
	        {"mounts by path", "{\"volumeMounts\": [{\"name\": \"ours\", \"mountPath\": \"/tmp\"}]}",
	         "{\"volumeMounts\": [{\"name\": \"theirs\", \"mountPath\": \"/tmp\"}]}",
	         "{\"volumeMounts\": [{\"name\": \"theirs\", \"mountPath\": \"/tmp\"}]}"},
	        {"tolerations as one", "{\"tolerations\": [{\"key\": \"a\"}]}", "{\"tolerations\": [{\"key\": \"b\"}]}",
	         "{\"tolerations\": [{\"key\": \"b\"}]}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *base = parse(rows[i].base), *patch = parse(rows[i].patch), *merged = parse(rows[i].merged);

		print_message("%s\n", rows[i].name);
		merge_strategic(base, patch);
		assert_true(json_equal(base, merged));
		json_decref(base);
		json_decref(patch);
		json_decref(merged);
	}
}

static void differs_test(void **state)
{
	static const struct {
		const char *name, *desired, *live;
		bool differs;
	} rows[] = {
	        {"the same", "{\"a\": 1}", "{\"a\": 1}", false},
	        {"a field of others", "{\"a\": 1}", "{\"a\": 1, \"b\": 2}", false},
	        {"a field is lost", "{\"a\": 1}", "{}", true},
	        {"an empty object is not kept", "{\"nodeSelector\": {}}", "{}", false},
	        {"false is not kept", "{\"readOnly\": false}", "{}", false},
	        {"false that says something", "{\"automountServiceAccountToken\": false}", "{}", true},
	        {"millis", "{\"cpu\": \"1500m\"}", "{\"cpu\": \"1.5\"}", false},
	        {"a number", "{\"cpu\": 2}", "{\"cpu\": \"2\"}", false},
	        {"binary and decimal", "{\"memory\": \"1Gi\"}", "{\"memory\": \"1G\"}", true},
	        {"more containers", "{\"containers\": [{\"name\": \"a\"}]}",
	         "{\"containers\": [{\"name\": \"b\"}, {\"name\": \"a\", \"x\": 1}]}", false},
	        {"two constraints of one topology",
	         "{\"topologySpreadConstraints\": [{\"topologyKey\": \"zone\", \"whenUnsatisfiable\": "
	         "\"ScheduleAnyway\"}, "
	         "{\"topologyKey\": \"zone\", \"whenUnsatisfiable\": \"DoNotSchedule\"}]}",
	         "{\"topologySpreadConstraints\": [{\"topologyKey\": \"zone\", \"whenUnsatisfiable\": "
	         "\"ScheduleAnyway\"}, "
	         "{\"topologyKey\": \"zone\", \"whenUnsatisfiable\": \"DoNotSchedule\"}]}",
	         false},
	        {"another list", "{\"args\": [\"a\", \"b\"]}", "{\"args\": [\"a\"]}", true},
	        {"text that is no quantity", "{\"a\": \"1x\"}", "{\"a\": \"1y\"}", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *desired = parse(rows[i].desired), *live = parse(rows[i].live);

		print_message("%s\n", rows[i].name);
		assert_int_equal(object_differs(desired, live), rows[i].differs);
		json_decref(desired);
		json_decref(live);
	}
}

static void names_test(void **state)
{
	static const struct {
		const char *name, *job, *suffix;
		size_t max;
		const char *result; /* what it begins with */
		size_t size;
	} rows[] = {
	        {"short", "home", "-cleanup", 63, "home-cleanup", 12},
	        {"just fits", "a12345678901234567890123", "-x", 27, "a12345678901234567890123-x", 26},
	        {"one more", "a123456789012345678901234", "-x", 27, "a1234567-", 27},
	        {"cut at a dash", "abc-------------------z", "-x", 25, "abc----", 25},
	};
	char first[NAME_MAX_BYTES + 1], second[NAME_MAX_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].name);
		name_child(rows[i].job, rows[i].suffix, rows[i].max, first);
		assert_int_equal(strncmp(first, rows[i].result, strlen(rows[i].result)), 0);
		assert_true(strlen(first) <= rows[i].max && strlen(first) <= rows[i].size);
	}
	name_child("a-very-long-name-of-a-job-one", "-c", 28, first);
	name_child("a-very-long-name-of-a-job-two", "-c", 28, second);
	assert_string_not_equal(first, second);
	name_service("1st", first);
	assert_string_equal(first, "sj-1st");
}

#define FIFTY_SIX "23456789-123456789-123456789-123456789-123456789-123456"

/* Services and clean-ups of any two jobs of a namespace: legal, and different. */
static void names_differ_test(void **state)
{
	static const char *const rows[][2] = {
	        {"1st", "sj-1st"},
	        {"sj-1st", "sj-sj-1st"},
	        {"feed", "sj-feed"},
	        {"1" FIFTY_SIX "-12345", "1" FIFTY_SIX "-12346"},
	        {"a" FIFTY_SIX "-12345", "a" FIFTY_SIX "-12346"},
	};
	char first[NAME_MAX_BYTES + 1], second[NAME_MAX_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		name_service(rows[i][0], first);
		name_service(rows[i][1], second);
		assert_string_not_equal(first, second);
		assert_true(first[0] >= 'a' && strlen(first) <= NAME_LABEL_MAX && strlen(second) <= NAME_LABEL_MAX);
		name_child(rows[i][0], "-cleanup", NAME_LABEL_MAX, first);
		name_child(rows[i][1], "-cleanup", NAME_LABEL_MAX, second);
		assert_string_not_equal(first, second);
		assert_true(strlen(first) <= NAME_LABEL_MAX && strlen(second) <= NAME_LABEL_MAX);
	}
	/* A job that is named as another one's Service or clean-up was cut. */
	name_service("1" FIFTY_SIX "-12345", first);
	name_service(first + strlen("sj-"), second);
	assert_string_not_equal(first, second);
	name_child("a" FIFTY_SIX "-12345", "-cleanup", NAME_LABEL_MAX, first);
	first[strlen(first) - strlen("-cleanup")] = '\0';
	name_child(first, "-cleanup", NAME_LABEL_MAX, second);
	assert_string_not_equal(first, second);
	assert_int_equal(strncmp(first, second, strlen(first)) == 0, false);
}

static void manifest_test(void **state)
{
	static const struct {
		const char *name, *json, *yaml;
	} rows[] = {
	        {"keys in order", "{\"b\": 1, \"a\": true}", "a: true\nb: 1\n"},
	        {"lists at their key's place", "{\"a\": [{\"x\": 1, \"z\": [1, 2]}, \"s\"]}",
	         "a:\n- x: 1\n  z:\n  - 1\n  - 2\n- s\n"},
	        {"empty", "{\"a\": {}, \"b\": []}", "a: {}\nb: []\n"},
	        {"text that looks like something else", "{\"a\": \"true\", \"b\": \"1\", \"c\": \"\", \"d\": \"null\"}",
	         "a: \"true\"\nb: \"1\"\nc: \"\"\nd: \"null\"\n"},
	        {"text with a colon", "{\"a\": \"x: y\", \"b\": \"http://x\"}", "a: 'x: y'\nb: http://x\n"},
	        {"quotes", "{\"a\": \"'x' it's\"}", "a: '''x'' it''s'\n"},
	        {"lines", "{\"a\": \"x\\n  y\\n\", \"b\": \"x\\ny\"}", "a: |\n  x\n    y\nb: |-\n  x\n  y\n"},
	        {"a control character", "{\"a\": \"x\\u0007\"}", "a: \"x\\u0007\"\n"},
	        {"what YAML takes for ends of lines",
	         "{\"a\": \"x\\u2028y:\\u0085  z\", \"b\": \"u\\u2029 v\\nw\", \"c\\u0085d\": 1, \"e\\nf\": 2}",
	         "a: \"x\\u2028y:\\u0085  z\"\nb: \"u\\u2029 v\\nw\"\n\"c\\u0085d\": 1\n\"e\\nf\": 2\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *json = parse(rows[i].json);
		struct buffer out;

		print_message("%s\n", rows[i].name);
		buffer_init(&out);
		manifest_write(json, &out);
		assert_string_equal(out.data, rows[i].yaml);
		buffer_release(&out);
		json_decref(json);
	}
}

static void template_test(void **state)
{
	static const char spec[] =
	        "{\"deadLetter\": {\"file\": {\"path\": \"/var/dead/rows.jsonl\"}}, \"terminationGracePeriod\": "
	        "\"90s\", "
	        "\"resources\": {\"limits\": {\"memory\": \"1Gi\"}}, \"podTemplate\": {\"metadata\": {\"labels\": "
	        "{\"team\": \"reco\"}}, \"spec\": {\"nodeSelector\": {\"disk\": \"ssd\"}}}, \"source\": {\"kafka\": "
	        "{\"bootstrapServers\": \"k:1\", \"topic\": \"t\", \"security\": {\"protocol\": \"SASL_SSL\", "
	        "\"mechanism\": "
	        "\"PLAIN\", \"credentialsSecretRef\": {\"name\": \"login\"}}}}}";
	static const char *const mounts[] = {"/etc/streamjob/job", "/tmp", "/var/lib/streamjob", "/var/dead",
	                                     "/etc/streamjob/secrets/login"};
	struct world world;
	const json_t *template, *container, *security;

	(void)state;
	world_init(&world, spec);
	while (world_turn(&world, PLAN_STEPS_MAX))
		;
	template = object_at(world_named(&world, KIND_DEPLOYMENT, "home-feed"), "spec", "template", NULL);
	container = json_array_get(object_at(template, "spec", "containers", NULL), 0);
	security = object_at(container, "securityContext", NULL);
	assert_string_equal(object_label(template, "team"), "reco");
	assert_string_equal(object_label(template, LABEL_JOB_UID), JOB_UID);
	assert_string_equal(object_text(template, "spec", "nodeSelector", "disk", NULL), "ssd");
	assert_int_equal(object_integer(template, "spec", "terminationGracePeriodSeconds", NULL), 105);
	assert_string_equal(object_text(container, "resources", "limits", "memory", NULL), "1Gi");
	assert_true(json_is_true(object_at(security, "readOnlyRootFilesystem", NULL)));
	assert_true(json_is_false(object_at(security, "allowPrivilegeEscalation", NULL)));
	assert_true(json_is_false(object_at(template, "spec", "automountServiceAccountToken", NULL)));
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		json_t *wanted = json_pack("{s:s}", "mountPath", mounts[i]);

		print_message("%s\n", mounts[i]);
		assert_non_null(
		        list_find(object_at(container, "volumeMounts", NULL), list_key("volumeMounts"), wanted));
		json_decref(wanted);
	}
	world_release(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(merge_test),    cmocka_unit_test(differs_test),
	                                   cmocka_unit_test(names_test),    cmocka_unit_test(names_differ_test),
	                                   cmocka_unit_test(manifest_test), cmocka_unit_test(template_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
