/* The job files before the one that runs: which of them the pods get, and how long they are kept. */
#include "lib/base/buffer.h"
#include "operator/reconcile/previous.h"
#include "tests/unit/operator/reconcile/world.h"

#define TURNS_MAX 10

static void settle(struct world *world)
{
	for (int i = 0; i < TURNS_MAX; i++)
		if (!world_turn(world, PLAN_STEPS_MAX))
			return;
	fail_msg("there is always something to do");
}

static void set_spec(struct world *world, const char *key, const char *value)
{
	json_object_set_new(json_object_get(world->job, "spec"), key, json_loads(value, JSON_DECODE_ANY, NULL));
}

static const json_t *template_of(struct world *world)
{
	return object_at(world_named(world, KIND_DEPLOYMENT, "home-feed"), "spec", "template", NULL);
}

static const char *note(struct world *world, const char *name)
{
	return object_text(template_of(world), "metadata", "annotations", name, NULL);
}

static const json_t *container(struct world *world)
{
	return json_array_get(object_at(template_of(world), "spec", "containers", NULL), 0);
}

/* The arguments, joined by blanks; the caller's. */
static char *arguments(struct world *world)
{
	struct buffer text;
	size_t index;
	json_t *one;

	buffer_init(&text);
	json_array_foreach(json_object_get(container(world), "args"), index, one)
	{
		buffer_printf(&text, "%s%s", index ? " " : "", json_string_value(one));
	}
	return buffer_take(&text);
}

/* The volume that is mounted there. */
static const json_t *volume_at(struct world *world, const char *path)
{
	const char *name = "";
	size_t index;
	json_t *one;

	json_array_foreach(json_object_get(container(world), "volumeMounts"), index, one)
	{
		if (!strcmp(object_text(one, "mountPath", NULL), path))
			name = object_text(one, "name", NULL);
	}
	json_array_foreach(object_at(template_of(world), "spec", "volumes", NULL), index, one)
	{
		if (!strcmp(object_text(one, "name", NULL), name))
			return one;
	}
	return NULL;
}

static void filter_by(struct world *world, const char *bucket)
{
	json_t *filter = json_sprintf("\"bucket = '%s'\"", bucket);

	set_spec(world, "filter", json_string_value(filter));
	json_decref(filter);
	settle(world);
}

/* A pod of what is deployed that has the job and is ready, in place of the one before. */
static void owner_comes(struct world *world)
{
	json_t *document = json_pack("{s:b, s:{s:s}, s:s, s:i, s:s}", "ready", 1, "owner", "role", "owner", "life", "a",
	                             "sequence", 1, "specHash", note(world, NOTE_SPEC_HASH));
	char *text = json_dumps(document, 0);

	if (json_array_size(world->children[KIND_POD]))
		world_remove(world, KIND_POD, "pod");
	world_pod(world, "pod", POD_IS_READY);
	world_report(world, "pod", text);
	settle(world);
	free(text);
	json_decref(document);
}

static size_t job_files(struct world *world)
{
	size_t index, count = 0;
	json_t *one;

	json_array_foreach(world->children[KIND_CONFIG_MAP], index, one)
	{
		count += !strcmp(object_label(one, LABEL_COMPONENT), COMPONENT_JOB_FILE);
	}
	return count;
}

struct step_of {
	char does;         /* a filter's letter, or '+': a pod of it has the job */
	const char *noted; /* the letters of the files that the pods then get, the oldest first */
	size_t files;      /* job files that are kept then */
};

/* Histories of one job: which files the pods get after each step. */
static void history_test(void **state)
{
	static const struct {
		const char *name;
		struct step_of steps[8];
	} rows[] = {
	        {"one after the other",
	         {{'a', "", 1}, {'+', "", 1}, {'b', "a", 2}, {'+', "a", 2}, {'c', "b", 3}, {'+', "b", 2}}},
	        {"one that never had the job",
	         {{'a', "", 1},
	          {'+', "", 1},
	          {'b', "a", 2},
	          {'c', "ab", 3},
	          {'+', "ab", 3},
	          {'d', "c", 4},
	          {'+', "c", 2}}},
	        {"and back", {{'a', "", 1}, {'+', "", 1}, {'b', "a", 2}, {'a', "b", 2}, {'+', "b", 2}}},
	        {"back after it had the job",
	         {{'a', "", 1}, {'+', "", 1}, {'b', "a", 2}, {'+', "a", 2}, {'a', "b", 2}, {'b', "ba", 2}}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char hashes[128][64] = {{0}};
		struct world world;

		world_init(&world, "{}");
		for (const struct step_of *step = rows[i].steps; step->does; step++) {
			char bucket[2] = {step->does, '\0'}, expected[512] = "";

			if (step->does == '+')
				owner_comes(&world);
			else
				filter_by(&world, bucket);
			if (step->does != '+')
				snprintf(hashes[(int)step->does], 64, "%s", note(&world, NOTE_SPEC_HASH));
			for (const char *letter = step->noted; *letter; letter++)
				if (strcmp(hashes[(int)*letter], note(&world, NOTE_SPEC_HASH)) != 0)
					snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected),
					         "%s%s", expected[0] ? "," : "", hashes[(int)*letter]);
			if (strcmp(note(&world, NOTE_PREVIOUS), expected) != 0)
				fail_msg("%s, step %zu: the pods get \"%s\" and not \"%s\"", rows[i].name,
				         (size_t)(step - rows[i].steps), note(&world, NOTE_PREVIOUS), expected);
			if (job_files(&world) != step->files)
				fail_msg("%s, step %zu: %zu job files", rows[i].name, (size_t)(step - rows[i].steps),
				         job_files(&world));
		}
		world_release(&world);
	}
}

/* The template of a job file stays as it is, whatever becomes of the files before it: no pod is replaced for it. */
static void stays_test(void **state)
{
	struct world world;
	json_t *before;

	(void)state;
	world_init(&world, "{}");
	settle(&world);
	owner_comes(&world);
	filter_by(&world, "b");
	before = json_deep_copy(template_of(&world));
	owner_comes(&world);
	assert_string_equal(object_text(world.job, "status", "place", "specHash", NULL), note(&world, NOTE_SPEC_HASH));
	json_array_clear(world.children[KIND_POD]);
	set_spec(&world, "suspend", "true");
	settle(&world);
	set_spec(&world, "suspend", "false");
	settle(&world);
	assert_true(json_equal(before, template_of(&world)));
	json_decref(before);
	world_release(&world);
}

static void same_query_test(void **state)
{
	struct world world;
	char *text;

	(void)state;
	world_init(&world, "{}");
	settle(&world);
	owner_comes(&world);
	set_spec(&world, "terminationGracePeriod", "\"20s\"");
	settle(&world);
	text = arguments(&world);
	assert_null(strstr(text, "--previous"));
	assert_string_equal(note(&world, NOTE_PREVIOUS), "");
	free(text);
	world_release(&world);
}

/* The same query, but a group that only the earlier file names. */
static void groups_test(void **state)
{
	static const struct {
		const char *change;
		bool wanted;
	} rows[] = {
	        {"\"url\": \"http://other:9091\", \"job\": \"home\"", true},
	        {"\"url\": \"http://pushgateway:9091\", \"job\": \"house\"", true},
	        {"\"url\": \"http://pushgateway:9091\", \"job\": \"home\", \"groupingKey\": {\"a\": \"b\"}", true},
	        {"\"url\": \"http://pushgateway:9091/\", \"job\": \"home\", \"timeout\": \"3s\"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char sink[512], *text;
		struct world world;

		snprintf(sink, sizeof(sink),
		         "[{\"pushgateway\": {%s, \"metrics\": [{\"name\": \"n\", \"type\": \"gauge\", "
		         "\"value\": \"n\", \"labels\": [\"bucket\"]}]}}]",
		         rows[i].change);
		world_init(&world, "{}");
		settle(&world);
		owner_comes(&world);
		set_spec(&world, "sinks", sink);
		settle(&world);
		text = arguments(&world);
		if ((strstr(text, "--previous ") != NULL) != rows[i].wanted)
			fail_msg("%s: %s", rows[i].change, text);
		free(text);
		world_release(&world);
	}
}

#define FUNCTION(config_map)                                                                                           \
	"[{\"name\": \"f\", \"kind\": \"scalar\", \"entrypoint\": \"m:f\", \"code\": {\"configMapRef\": {\"name\": "   \
	"\"" config_map "\", \"key\": \"m.py\"}}}]"

/* What the earlier file needs is mounted beside what this one needs, and keeps no pod from starting where it is gone.
 */
static void files_test(void **state)
{
	static const char first[] = "{\"functions\": " FUNCTION(
	        "code-1") ", \"deadLetter\": {\"kafka\": {\"bootstrapServers\": \"k:1\", "
	                  "\"topic\": \"bad\", \"security\": {\"protocol\": \"SASL_SSL\", \"mechanism\": \"PLAIN\", "
	                  "\"credentialsSecretRef\": {\"name\": \"old\"}}}}}";
	char hash[64], path[256], expected[512], *text;
	struct world world;

	(void)state;
	world_init(&world, first);
	settle(&world);
	assert_non_null(world_named(&world, KIND_DEPLOYMENT, "home-feed"));
	owner_comes(&world);
	snprintf(hash, sizeof(hash), "%s", note(&world, NOTE_SPEC_HASH));
	set_spec(&world, "functions", FUNCTION("code-2"));
	json_object_del(json_object_get(world.job, "spec"), "deadLetter");
	settle(&world);
	text = arguments(&world);
	snprintf(expected, sizeof(expected),
	         " --previous /etc/streamjob/previous/%s/job.json --previous-functions-dir "
	         "/etc/streamjob/previous-functions/%s ",
	         hash, hash);
	if (!strstr(text, expected))
		fail_msg("%s\nhas no %s", text, expected);
	free(text);
	assert_string_equal(object_text(volume_at(&world, "/etc/streamjob/functions/f"), "configMap", "name", NULL),
	                    "code-2");
	snprintf(path, sizeof(path), "/etc/streamjob/previous-functions/%s/f", hash);
	assert_string_equal(object_text(volume_at(&world, path), "configMap", "name", NULL), "code-1");
	assert_true(json_is_true(object_at(volume_at(&world, path), "configMap", "optional", NULL)));
	snprintf(path, sizeof(path), "/etc/streamjob/previous/%s", hash);
	snprintf(expected, sizeof(expected), "home-feed-%s", hash);
	assert_string_equal(object_text(volume_at(&world, path), "configMap", "name", NULL), expected);
	assert_true(json_is_true(object_at(volume_at(&world, path), "configMap", "optional", NULL)));
	assert_true(
	        json_is_true(object_at(volume_at(&world, "/etc/streamjob/secrets/old"), "secret", "optional", NULL)));
	world_release(&world);
}

/* Many files that never had the job: the first one, under which the window is pending, is among those that are kept. */
static void many_test(void **state)
{
	struct world world;
	char hash[64], bucket[2] = "b";

	(void)state;
	world_init(&world, "{}");
	settle(&world);
	owner_comes(&world);
	snprintf(hash, sizeof(hash), "%s", note(&world, NOTE_SPEC_HASH));
	json_array_clear(world.children[KIND_POD]);
	for (; bucket[0] <= 'z'; bucket[0]++) {
		filter_by(&world, bucket);
		assert_memory_equal(note(&world, NOTE_PREVIOUS), hash, strlen(hash));
		assert_true(job_files(&world) <= 17 + PREVIOUS_FILES_MAX);
	}
	world_release(&world);
}

static void drop_test(void **state)
{
	struct world world;
	char *text;

	(void)state;
	world_init(&world, "{}");
	json_object_set_new(json_object_get(world.job, "metadata"), "annotations",
	                    json_pack("{s:s}", NOTE_DROP_PENDING, "0123456789abcdef"));
	settle(&world);
	text = arguments(&world);
	assert_non_null(strstr(text, " --drop-pending=0123456789abcdef "));
	free(text);
	world_release(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(history_test), cmocka_unit_test(stays_test), cmocka_unit_test(same_query_test),
	        cmocka_unit_test(groups_test),  cmocka_unit_test(files_test), cmocka_unit_test(many_test),
	        cmocka_unit_test(drop_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
