/* The clean-up of a StreamJob that is deleted, whatever the garbage collector or a quota does meanwhile. */
#include "tests/unit/operator/reconcile/world.h"

#define JOB_NAME "home-feed-cleanup-11111111"
#define BY_HAND  "curl -X DELETE 'http://pushgateway:9091/metrics/job/home'"

static void settle(struct world *world)
{
	for (int turns = 0; world_turn(world, PLAN_STEPS_MAX) > 0; turns++)
		assert_true(turns < 10);
}

/* Deleted with a Deployment behind it; its pods have drained. */
static void begin(struct world *world, const char *spec)
{
	world_init(world, spec);
	json_object_set_new(json_object_get(world->job, "spec"), "deletionPolicy",
	                    json_pack("{s:s, s:s}", "pushgateway", "Delete", "timeout", "1m"));
	settle(world);
	json_object_set_new(json_object_get(world->job, "metadata"), "deletionTimestamp",
	                    json_string("2027-01-15T08:00:00Z"));
}

static void collect_all(struct world *world)
{
	for (int kind = 0; kind < KIND_COUNT; kind++)
		json_array_clear(world->children[kind]);
}

/* The next plan's first Event as "REASON NOTE", or "". The caller frees it. */
static char *next_event(struct world *world)
{
	struct observed observed;
	struct plan plan;
	char *text = NULL;

	world_look(world, &observed, &plan);
	assert_true(asprintf(&text, "%s %s", plan.events_count ? plan.events[0].reason : "",
	                     plan.events_count ? json_string_value(plan.events[0].note) : "") > 0);
	plan_release(&plan);
	return text;
}

static void expect_event(struct world *world, const char *wanted)
{
	char *event = next_event(world);

	assert_string_equal(event, wanted);
	free(event);
	settle(world);
	assert_int_equal(json_array_size(object_at(world->job, "metadata", "finalizers", NULL)), 0);
}

static json_t *cleanup_job(struct world *world)
{
	settle(world);
	return world_named(world, KIND_JOB, JOB_NAME);
}

/* Everything that the StreamJob owns is gone before the first look. */
static void collected_test(void **state)
{
	struct world world;
	json_t *job, *before;

	(void)state;
	begin(&world, "{}");
	before = json_copy(object_borrow(json_array_get(world.children[KIND_CONFIG_MAP], 0)));
	collect_all(&world);
	job = cleanup_job(&world);
	assert_non_null(job);
	assert_null(object_at(job, "metadata", "ownerReferences", NULL));
	assert_null(object_at(job, "spec", "template", "spec", "serviceAccountName", NULL));
	assert_string_equal(object_text(job, "spec", "template", "metadata", "annotations", NOTE_JOB_FILE, NULL),
	                    object_text(before, "data", "job.json", NULL));
	json_decref(before);
	world_release(&world);
}

/* So that its file is larger than an annotation may be. */
static void make_large(json_t *spec)
{
	json_t *aggregates = json_array();

	json_array_extend(aggregates, json_object_get(spec, "aggregates"));
	for (int i = 0; i < 90; i++)
		json_array_append_new(aggregates,
		                      json_pack("{s:o, s:o}", "name", json_sprintf("more_%d", i), "expr",
		                                json_sprintf("COUNT(*) FILTER (WHERE bucket = '%03500d')", i)));
	json_object_set_new(spec, "aggregates", aggregates);
}

/* `members` are set in the spec. */
static void expect_same_groups(const char *members)
{
	json_t *more = json_loads(members, 0, NULL), *spec;
	struct jobspecs small = {0}, large = {0};
	struct problems problems;
	struct world world;
	const char *text;
	char *given;

	assert_non_null(more);
	begin(&world, "{}");
	spec = json_object_get(world.job, "spec");
	json_object_update(spec, more);
	make_large(spec);
	collect_all(&world);
	text = object_text(cleanup_job(&world), "spec", "template", "metadata", "annotations", NOTE_JOB_FILE, NULL);
	assert_in_range(strlen(text), 100, 65536);
	problems_init(&problems);
	given = json_dumps(world.job, JSON_COMPACT);
	assert_true(strlen(given) > 262144);
	jobspecs_load_live("large", slice_of(given), NULL, &problems, &large);
	jobspecs_load("small", slice_of(text), &problems, &small);
	if (problems.count)
		fail_msg("%s %s: %s: %s", members, problems.items[0].path, problems.items[0].wrong, text);
	free(given);
	assert_int_equal(large.count, 1);
	assert_int_equal(small.items[0]->sinks_count, 1);
	assert_true(
	        pushgateway_same_group(&small.items[0]->sinks[0].pushgateway, &large.items[0]->sinks[0].pushgateway));
	jobspecs_release(&small);
	jobspecs_release(&large);
	problems_release(&problems);
	json_decref(more);
	world_release(&world);
}

/* A job file that no annotation holds: the Job has one that names the same groups, and can be read. */
static void large_file_test(void **state)
{
	(void)state;
	expect_same_groups("{}");
	expect_same_groups("{\"deadLetter\":{\"file\":{\"path\":\"/tmp/bad\"}},\"format\":{\"json\":{"
	                   "\"onBadRow\":\"deadLetter\",\"onBadField\":\"deadLetter\","
	                   "\"onMissingField\":\"deadLetter\"}}}");
	expect_same_groups("{\"source\":{\"datagen\":{\"rowsPerSecond\":1,\"columns\":{\"bucket\":"
	                   "{\"choice\":{\"values\":[\"a\"]}}}}}}");
}

/* What ran last counts while it is known, not what the spec has become. */
static void last_file_test(void **state)
{
	struct world world;
	char *note;

	(void)state;
	begin(&world, "{}");
	json_object_set_new(json_object_get(world.job, "spec"), "filter", json_string("bucket = "));
	assert_non_null(cleanup_job(&world));
	world_release(&world);

	begin(&world, "{}");
	json_object_set_new(json_object_get(world.job, "spec"), "filter", json_string("bucket = "));
	collect_all(&world);
	note = next_event(&world);
	assert_non_null(strstr(note, "CleanupFailed "));
	assert_non_null(strstr(note, "its spec has problems"));
	free(note);
	settle(&world);
	assert_int_equal(json_array_size(world.children[KIND_JOB]), 0);
	assert_int_equal(json_array_size(object_at(world.job, "metadata", "finalizers", NULL)), 0);
	world_release(&world);
}

/* A template that is refused, since it would raise the pod's rights, does not raise those of the clean-up's either. */
static void refused_template_test(void **state)
{
	static const char *const templates[] = {
	        "{\"spec\": {\"containers\": [{\"name\": \"streamjob\", \"securityContext\": {\"privileged\": true, "
	        "\"allowPrivilegeEscalation\": true, \"capabilities\": {\"add\": [\"SYS_ADMIN\"]}}}]}}",
	        "{\"spec\": {\"securityContext\": {\"runAsUser\": 0, \"runAsNonRoot\": false}}}",
	        "{\"spec\": {\"volumes\": [{\"name\": \"t\", \"projected\": {\"sources\": "
	        "[{\"serviceAccountToken\": {\"path\": \"t\"}}]}}], \"containers\": [{\"name\": \"streamjob\", "
	        "\"volumeMounts\": [{\"name\": \"t\", \"mountPath\": \"/t\"}]}]}}",
	        "{\"metadata\": {\"labels\": {\"app.kubernetes.io/name\": \"streamjob-operator\"}}}",
	        "{\"spec\": {\"serviceAccountName\": \"admin\", \"automountServiceAccountToken\": true, "
	        "\"hostNetwork\": true}}",
	};
	json_t *plain;
	struct world world;

	(void)state;
	begin(&world, "{}");
	json_object_set_new(json_object_get(world.job, "spec"), "filter", json_string("bucket = "));
	plain = json_deep_copy(object_at(cleanup_job(&world), "spec", "template", NULL));
	world_release(&world);
	for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
		json_t *template = json_loads(templates[i], 0, NULL);
		const json_t *made;

		assert_non_null(template);
		begin(&world, "{}");
		json_object_set_new(json_object_get(world.job, "spec"), "podTemplate", template);
		made = object_at(cleanup_job(&world), "spec", "template", NULL);
		if (!json_equal(object_borrow(made), plain))
			fail_msg("%s: %s", templates[i], json_dumps(made, JSON_COMPACT));
		world_release(&world);
	}
	json_decref(plain);
}

static json_t *cleanup_pod(struct world *world, const char *status)
{
	json_t *pod = json_deep_copy(object_at(cleanup_job(world), "spec", "template", NULL));
	json_t *metadata = json_object_get(pod, "metadata");

	json_object_set_new(metadata, "name", json_string("clean"));
	json_object_set_new(metadata, "uid", json_string("uid-clean"));
	json_object_set_new(pod, "status", json_loads(status, 0, NULL));
	json_array_append_new(world->children[KIND_POD], pod);
	return pod;
}

#define ENDED(phase, code)                                                                                             \
	"{\"phase\": \"" phase "\", \"containerStatuses\": [{\"name\": \"side\", \"state\": {\"running\": {}}}, "      \
	"{\"name\": \"streamjob\", \"state\": {\"terminated\": {\"exitCode\": " code ", \"reason\": \"Error\", "       \
	"\"message\": \"no route to host\"}}}]}"

/* A pod that goes on, for a sidecar was put into it, does not hold the deletion up. */
static void sidecar_test(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "{}");
	cleanup_pod(&world, ENDED("Running", "0"));
	expect_event(&world, "PushgatewayCleaned deleted the groups of the Pushgateway sinks");
	assert_int_equal(json_array_size(world.children[KIND_JOB]), 0);
	world_release(&world);

	begin(&world, "{}");
	cleanup_pod(&world, ENDED("Running", "1"));
	expect_event(&world,
	             "CleanupFailed the groups of the Pushgateway sinks could not be deleted; do it by hand: " BY_HAND
	             ": container streamjob of pod clean ended (Error, exit code 1, 0 restarts): no route to "
	             "host");
	world_release(&world);
}

/* Of a podTemplate the clean-up takes what its container reads, and nothing that may keep it from starting or ending.
 */
static void template_test(void **state)
{
	static const char given[] =
	        "{\"podTemplate\": {\"metadata\": {\"labels\": {\"team\": \"reco\"}}, \"spec\": {\"nodeSelector\": "
	        "{\"disk\": "
	        "\"ssd\"}, \"containers\": [{\"name\": \"side\", \"image\": \"x\"}, {\"name\": \"streamjob\", \"env\": "
	        "[{\"name\": \"SSL_CERT_FILE\", \"value\": \"/ca/ca.pem\"}], \"volumeMounts\": [{\"name\": \"ca\", "
	        "\"mountPath\": \"/ca\"}, {\"name\": \"data\", \"mountPath\": \"/data\"}]}], \"volumes\": [{\"name\": "
	        "\"ca\", \"configMap\": {\"name\": \"ca\"}}, {\"name\": \"data\", \"persistentVolumeClaim\": "
	        "{\"claimName\": \"data\"}}]}}}";
	struct world world;
	const json_t *pod, *container;
	char *text;

	(void)state;
	begin(&world, given);
	pod = object_at(cleanup_job(&world), "spec", "template", NULL);
	assert_string_equal(object_text(pod, "metadata", "labels", "team", NULL), "reco");
	assert_string_equal(object_text(pod, "spec", "nodeSelector", "disk", NULL), "ssd");
	assert_int_equal(json_array_size(object_at(pod, "spec", "containers", NULL)), 1);
	container = json_array_get(object_at(pod, "spec", "containers", NULL), 0);
	assert_int_equal(json_array_size(json_object_get(container, "env")), 1);
	text = json_dumps(pod, 0);
	assert_non_null(strstr(text, "\"/ca\""));
	assert_null(strstr(text, "\"data\""));
	free(text);
	world_release(&world);
}

static const struct {
	const char *sinks, *by_hand;
} hands[] = {
        {"{\"url\": \"http://gw:9091/pre/\", \"job\": \"a b\", \"groupingKey\": {\"env\": \"prod\"}}",
         "curl -X DELETE 'http://gw:9091/pre/metrics/job/a%20b/env/prod'"},
        {"{\"url\": \"http://gw:9091\", \"job\": \"j\", \"groupingKey\": {\"path\": \"a/b\"}}",
         "curl -X DELETE 'http://gw:9091/metrics/job/j/path@base64/YS9i'"},
        {"{\"url\": \"http://gw:9091\", \"job\": \"j\", \"groupingKey\": {\"path\": \"/\", \"x\": \"/ab\"}}",
         "curl -X DELETE 'http://gw:9091/metrics/job/j/path@base64/Lw==/x@base64/L2Fi'"},
};

/* Until the time-out nothing could be done: the Event says how to do it by hand. */
static void by_hand_test(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hands) / sizeof(hands[0]); i++) {
		json_t *sink = json_loads(hands[i].sinks, 0, NULL), *spec;
		struct world world;
		char *text, *event;

		json_object_set_new(sink, "metrics",
		                    json_loads("[{\"name\": \"n\", \"type\": \"gauge\", \"value\": \"n\", \"labels\": "
		                               "[\"bucket\"]}]",
		                               0, NULL));
		spec = json_pack("{s:[{s:o}]}", "sinks", "pushgateway", sink);
		text = json_dumps(spec, 0);
		begin(&world, text);
		world.deleting_ms = 60000;
		event = next_event(&world);
		if (strncmp(event, "CleanupTimedOut ", 16) != 0 || !strstr(event, hands[i].by_hand))
			fail_msg("%s is not in %s", hands[i].by_hand, event);
		free(event);
		free(text);
		json_decref(spec);
		world_release(&world);
	}
}

/* What holds the clean-up up is said at once. */
static void words_test(void **state)
{
	struct world world;
	char *ready;

	(void)state;
	begin(&world, "{}");
	json_object_set_new(world.reports, object_uid(cleanup_job(&world)),
	                    json_pack("{s:s}", "words", "exceeded quota: pods"));
	settle(&world);
	ready = world_condition(&world, "Ready");
	assert_string_equal(ready,
	                    "False CleanupFailing the groups of the Pushgateway sinks are not deleted yet: exceeded "
	                    "quota: pods");
	free(ready);
	world_release(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(collected_test), cmocka_unit_test(large_file_test),
	                                   cmocka_unit_test(last_file_test), cmocka_unit_test(refused_template_test),
	                                   cmocka_unit_test(sidecar_test),   cmocka_unit_test(template_test),
	                                   cmocka_unit_test(by_hand_test),   cmocka_unit_test(words_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
