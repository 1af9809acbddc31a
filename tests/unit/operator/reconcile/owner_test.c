/* Which pod speaks for the job, the job's place, and the number of a roll-out. */
#include "operator/reconcile/merge.h"
#include "operator/reconcile/place.h"
#include "tests/unit/operator/reconcile/world.h"

#define OWNER(more) "{\"ready\": true, \"owner\": {\"role\": \"owner\", \"process\": \"p1\"}" more "}"
#define STANDBY                                                                                                        \
	"{\"ready\": false, \"owner\": {\"role\": \"standby\", \"process\": \"p9\", \"reason\": \"p9 has the job\"}, " \
	"\"life\": \"not ours to say\", \"sequence\": 99, \"lag\": 7, \"rows\": {\"in\": 99}}"
#define SILENT    NULL
#define MINUTE_MS 60000

static void settle(struct world *world)
{
	for (int turns = 0; world_turn(world, PLAN_STEPS_MAX) > 0; turns++)
		assert_true(turns < 10);
}

static void begin(struct world *world)
{
	world_init(world, "{}");
	settle(world);
}

static void set_spec(struct world *world, const char *key, const char *value)
{
	json_object_set_new(json_object_get(world->job, "spec"), key, json_loads(value, JSON_DECODE_ANY, NULL));
}

static void leave(json_t *pod)
{
	json_object_set_new(json_object_get(pod, "metadata"), "deletionTimestamp", json_string("2027-01-15T08:00:00Z"));
}

static const char *status_text(const struct world *world, const char *object, const char *key)
{
	return object_text(world->job, "status", object, key, NULL);
}

/* Of two pods the one that has the job speaks; a pod that stands by is not the job. */
static void speaker_test(void **state)
{
	static const struct {
		const char *name, *older, *newer;
		bool older_leaves;
		const char *ready, *process;
		int64_t standbys, ready_replicas, rows;
	} rows[] = {
	        {"the older one has it", OWNER(", \"rows\": {\"in\": 1}"), STANDBY, false,
	         "True Running data flows; pod newer stands by", "p1", 1, 1, 1},
	        {"the newer one has it", STANDBY, OWNER(", \"rows\": {\"in\": 1}"), false,
	         "True Running data flows; pod older stands by", "p1", 1, 1, 1},
	        {"the older one drains",
	         "{\"ready\": false, \"notReadyPart\": \"draining\", \"notReadyReason\": \"flushes\", \"owner\": "
	         "{\"role\": "
	         "\"owner\", \"process\": \"p1\"}, \"rows\": {\"in\": 1}}",
	         STANDBY, true, "False Draining flushes; pod newer stands by", "p1", 1, 0, 1},
	        {"the older one leaves without a word", SILENT, STANDBY, true,
	         "False StandingBy pod newer stands by: p9 has the job", "p9", 1, 0, 0},
	        {"both stand by: a process outside of the cluster has it", STANDBY, STANDBY, false,
	         "False StandingBy pod newer stands by: p9 has the job", "p9", 2, 0, 0},
	        {"the newer one has not answered yet", STANDBY, SILENT, false, "False Starting ", "", 1, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world world;
		json_t *older;
		char *ready;

		print_message("%s\n", rows[i].name);
		begin(&world);
		older = world_pod(&world, "older", POD_RUNS);
		world_pod(&world, "newer", POD_RUNS);
		if (rows[i].older_leaves)
			leave(older);
		if (rows[i].older)
			world_report(&world, "older", rows[i].older);
		if (rows[i].newer)
			world_report(&world, "newer", rows[i].newer);
		settle(&world);
		ready = world_condition(&world, "Ready");
		if (strncmp(ready, rows[i].ready, strlen(rows[i].ready)) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", rows[i].name, ready, rows[i].ready);
		free(ready);
		assert_string_equal(status_text(&world, "owner", "process"), rows[i].process);
		if (rows[i].process[0])
			assert_int_equal(object_integer(world.job, "status", "owner", "standby", NULL),
			                 rows[i].standbys);
		assert_int_equal(object_integer(world.job, "status", "readyReplicas", NULL), rows[i].ready_replicas);
		assert_int_equal(object_integer(world.job, "status", "rows", "in", NULL), rows[i].rows);
		assert_string_equal(status_text(&world, "place", "life"), "");
		world_release(&world);
	}
}

static json_t *place_map(struct world *world)
{
	return world_named(world, KIND_CONFIG_MAP, "home-feed-place");
}

static void expect_place(struct world *world, const char *text)
{
	assert_string_equal(object_text(place_map(world), "data", PLACE_FILE, NULL), text);
}

static void say(struct world *world, const char *life, int sequence)
{
	json_t *document = json_pack("{s:b, s:{s:s}, s:s, s:i}", "ready", 1, "owner", "role", "owner", "life", life,
	                             "sequence", sequence);
	char *text = json_dumps(document, 0);

	world_report(world, "one", text);
	settle(world);
	free(text);
	json_decref(document);
}

/* A life at once, a sequence now and then, and both before the pods go. */
static void place_written_test(void **state)
{
	static const struct {
		const char *name, *life;
		int sequence;
		int64_t later_ms;
		bool suspended;
		const char *file;
	} rows[] = {
	        {"a little later", "a", 6, MINUTE_MS, false, "{\"life\":\"a\",\"sequence\":5}"},
	        {"in time", "a", 6, PLACE_MS, false, "{\"life\":\"a\",\"sequence\":6}"},
	        {"the clock went back", "a", 6, -MINUTE_MS, false, "{\"life\":\"a\",\"sequence\":6}"},
	        {"another life", "b", 1, 1000, false, "{\"life\":\"b\",\"sequence\":1}"},
	        {"a process that does not know yet", "", 0, PLACE_MS, false, "{\"life\":\"a\",\"sequence\":5}"},
	        {"a sequence of a life does not go back", "a", 3, PLACE_MS, false, "{\"life\":\"a\",\"sequence\":5}"},
	        {"before the pods go", "a", 6, 1000, true, "{\"life\":\"a\",\"sequence\":6}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world world;
		json_t *template;

		print_message("%s\n", rows[i].name);
		begin(&world);
		assert_null(place_map(&world));
		world_pod(&world, "one", POD_RUNS);
		say(&world, "a", 5);
		expect_place(&world, "{\"life\":\"a\",\"sequence\":5}");
		template = json_deep_copy(
		        object_at(world_named(&world, KIND_DEPLOYMENT, "home-feed"), "spec", "template", NULL));
		world.now_ms += rows[i].later_ms;
		if (rows[i].suspended)
			set_spec(&world, "suspend", "true");
		say(&world, rows[i].life, rows[i].sequence);
		expect_place(&world, rows[i].file);
		/* no pod is replaced by it */
		assert_true(json_equal(template, object_at(world_named(&world, KIND_DEPLOYMENT, "home-feed"), "spec",
		                                           "template", NULL)));
		json_decref(template);
		world_release(&world);
	}
}

/* Suspended for long, with the pods, their reports and even the ConfigMap gone, the place is still known. */
static void place_kept_test(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	world_pod(&world, "one", POD_RUNS);
	say(&world, "a", 5);
	set_spec(&world, "suspend", "true");
	settle(&world);
	world_remove(&world, KIND_POD, "one");
	json_object_clear(world.reports);
	world.now_ms += (int64_t)31 * 24 * 60 * MINUTE_MS;
	settle(&world);
	expect_place(&world, "{\"life\":\"a\",\"sequence\":5}");
	assert_string_equal(status_text(&world, "place", "life"), "a");
	world_remove(&world, KIND_CONFIG_MAP, "home-feed-place");
	set_spec(&world, "suspend", "false");
	settle(&world);
	expect_place(&world, "{\"life\":\"a\",\"sequence\":5}");
	assert_int_equal(object_integer(world_named(&world, KIND_DEPLOYMENT, "home-feed"), "spec", "replicas", NULL),
	                 1);
	world_release(&world);
}

static const char *number(struct world *world)
{
	return object_text(world_named(world, KIND_DEPLOYMENT, "home-feed"), "spec", "template", "metadata",
	                   "annotations", NOTE_ROLLOUT, NULL);
}

static void expect_number(struct world *world, const char *expected)
{
	settle(world);
	assert_string_equal(number(world), expected);
	assert_int_equal(object_integer(world->job, "status", "rollout", "number", NULL), strtoll(expected, NULL, 10));
}

/* Forward and back, each roll-out has a number above those before, and the same one however often it is looked at. */
static void rollout_test(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	expect_number(&world, "1");
	set_spec(&world, "filter", "\"bucket = 'a'\"");
	expect_number(&world, "2");
	set_spec(&world, "filter", "\"bucket = 'a\""); /* a bad spec rolls nothing out */
	expect_number(&world, "2");
	json_object_del(json_object_get(world.job, "spec"), "filter"); /* back */
	expect_number(&world, "3");
	set_spec(&world, "image", "\"streamjob:next\"");
	expect_number(&world, "4");
	set_spec(&world, "suspend", "true");
	expect_number(&world, "4");
	set_spec(&world, "suspend", "false");
	expect_number(&world, "4");
	world_remove(&world, KIND_DEPLOYMENT, "home-feed"); /* the same pods again */
	expect_number(&world, "4");
	world_remove(&world, KIND_DEPLOYMENT, "home-feed");
	set_spec(&world, "filter", "\"bucket = 'b'\"");
	expect_number(&world, "5");
	world_release(&world);
}

static const json_t *template_of(struct world *world)
{
	return object_at(world_named(world, KIND_DEPLOYMENT, "home-feed"), "spec", "template", NULL);
}

/* Whether "ARGUMENT VALUE" is among what the runtime is run with; VALUE NULL: whether ARGUMENT is not. */
static bool runs_with(struct world *world, const char *argument, const char *value)
{
	const json_t *container = json_array_get(object_at(template_of(world), "spec", "containers", NULL), 0);
	json_t *arguments = json_object_get(container, "args"), *one;
	size_t index;

	json_array_foreach(arguments, index, one)
	{
		if (!strcmp(json_string_value(one), argument))
			return value && !strcmp(json_string_value(json_array_get(arguments, index + 1)), value);
	}
	return !value;
}

/* What pods are told of their owner; the place is a file, there or not. */
static void arguments_test(void **state)
{
	json_t *volume, *wanted = json_pack("{s:s}", "name", "streamjob-place");
	struct world world;

	(void)state;
	begin(&world);
	assert_true(runs_with(&world, "--owner-cluster", "test-cluster"));
	assert_true(runs_with(&world, "--rollout", "1"));
	assert_true(runs_with(&world, "--known", "/etc/streamjob/place/known.json"));
	assert_true(runs_with(&world, "--take-over", NULL));
	volume = list_find(object_at(template_of(&world), "spec", "volumes", NULL), list_key("volumes"), wanted);
	assert_string_equal(object_text(volume, "configMap", "name", NULL), "home-feed-place");
	assert_true(json_is_true(object_at(volume, "configMap", "optional", NULL)));
	set_spec(&world, "filter", "\"bucket = 'a'\"");
	settle(&world);
	assert_true(runs_with(&world, "--rollout", "2"));
	json_decref(wanted);
	world_release(&world);
}

static size_t take_over_events(struct world *world)
{
	struct observed observed;
	struct plan plan;
	size_t count = 0;

	world_look(world, &observed, &plan);
	for (size_t i = 0; i < plan.events_count; i++)
		count += !strcmp(plan.events[i].reason, "TakeOver");
	plan_release(&plan);
	return count;
}

/* The annotation is handed down, and said once; without it the pods are as before. */
static void take_over_test(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	json_object_set_new(json_object_get(world.job, "metadata"), "annotations",
	                    json_pack("{s:s}", NOTE_TAKE_OVER, "old/reco/home-feed"));
	assert_int_equal(take_over_events(&world), 1);
	expect_number(&world, "2");
	assert_true(runs_with(&world, "--take-over", "old/reco/home-feed"));
	assert_int_equal(take_over_events(&world), 0);
	json_object_del(json_object_get(world.job, "metadata"), "annotations");
	assert_int_equal(take_over_events(&world), 0);
	expect_number(&world, "3");
	assert_true(runs_with(&world, "--take-over", NULL));
	world_release(&world);
}

/* The store may still show the Deployment of before the last roll-out: the next one has a number of its own. */
static void stale_deployment_test(void **state)
{
	struct world world;
	json_t *stale;

	(void)state;
	begin(&world);
	stale = json_deep_copy(world_named(&world, KIND_DEPLOYMENT, "home-feed"));
	set_spec(&world, "filter", "\"bucket = 'a'\"");
	expect_number(&world, "2");
	world_remove(&world, KIND_DEPLOYMENT, "home-feed");
	json_array_append_new(world.children[KIND_DEPLOYMENT], stale);
	set_spec(&world, "filter", "\"bucket = 'b'\"");
	expect_number(&world, "3");
	world_release(&world);
}

/* What the API server refused was not rolled out: going back from it replaces no pod. */
static void refused_rollout_test(void **state)
{
	struct world world;
	struct observed observed;
	struct plan plan;
	struct error words;
	json_t *status;

	(void)state;
	begin(&world);
	set_spec(&world, "filter", "\"bucket = 'a'\"");
	world_look(&world, &observed, &plan);
	error_write(&words, "denied");
	status = plan_status(&plan, &plan.steps[0], &words);
	json_object_set(world.job, "status", json_object_get(status, "status"));
	json_decref(status);
	plan_release(&plan);
	json_object_del(json_object_get(world.job, "spec"), "filter");
	expect_number(&world, "1");
	world_release(&world);
}

/* A StreamJob that is made anew, here or in another cluster, goes on above the one before, which had many roll-outs. */
static void rollout_anew_test(void **state)
{
	static const char *const created[] = {"2027-01-15T08:00:00Z", "2027-01-15T08:00:01Z"};
	static const char *const filters[] = {"\"bucket = 'a'\"", "\"bucket = 'b'\""};
	int64_t before = 0;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct world world;

		world_init(&world, "{}");
		json_object_set_new(json_object_get(world.job, "metadata"), "creationTimestamp",
		                    json_string(created[i]));
		settle(&world);
		assert_true(strtoll(number(&world), NULL, 10) > before);
		for (size_t k = 0; k < 100; k++) {
			set_spec(&world, "filter", filters[k % 2]);
			settle(&world);
		}
		before = strtoll(number(&world), NULL, 10);
		assert_int_equal(before, object_time(created[i]) + 100);
		world_release(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(speaker_test),          cmocka_unit_test(place_written_test),
	        cmocka_unit_test(place_kept_test),       cmocka_unit_test(rollout_test),
	        cmocka_unit_test(arguments_test),        cmocka_unit_test(take_over_test),
	        cmocka_unit_test(stale_deployment_test), cmocka_unit_test(refused_rollout_test),
	        cmocka_unit_test(rollout_anew_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
