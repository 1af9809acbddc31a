/* Which jobs mean one consumer group or one Pushgateway group, and what becomes of those that share one. */
#include "tests/unit/operator/reconcile/world.h"

#include "operator/reconcile/groups.h"

static json_t *job_of(const char *namespace, const char *name, const char *spec)
{
	json_t *parsed = json_loads(spec, 0, NULL);

	if (!parsed)
		fail_msg("not JSON: %s", spec);
	return json_pack("{s:{s:s, s:s, s:s}, s:o}", "metadata", "namespace", namespace, "name", name,
	                 "creationTimestamp", "2027-01-15T08:00:00Z", "spec", parsed);
}

static bool share(const char *a_namespace, const char *a, const char *b_namespace, const char *b)
{
	json_t *one = job_of(a_namespace, "one", a), *two = job_of(b_namespace, "one", b), *unused;
	json_t *first = groups_of(one), *second = groups_of(two);
	const char *key;
	bool any = false;

	json_object_foreach(first, key, unused)
	{
		any = any || json_object_get(second, key);
	}
	json_decref(first);
	json_decref(second);
	json_decref(one);
	json_decref(two);
	return any;
}

#define KAFKA(servers, group)                                                                                          \
	"{\"source\": {\"kafka\": {\"bootstrapServers\": \"" servers "\", \"topic\": \"t\", \"groupId\": \"" group     \
	"\"}}}"
#define OWN(servers) "{\"source\": {\"kafka\": {\"bootstrapServers\": \"" servers "\", \"topic\": \"t\"}}}"
#define GATEWAY(url, job, more)                                                                                        \
	"{\"sinks\": [{\"stdout\": {}}, {\"pushgateway\": {\"url\": \"" url "\", \"job\": \"" job "\"" more "}}]}"
#define KEY(text) ", \"groupingKey\": {" text "}"

static void what_one_group_is_test(void **state)
{
	static const struct {
		const char *name, *a_namespace, *a, *b_namespace, *b;
		bool shared;
	} rows[] = {
	        {"the same", "x", KAFKA("k:9092", "g"), "x", KAFKA("k:9092", "g"), true},
	        {"other groups", "x", KAFKA("k:9092", "g"), "x", KAFKA("k:9092", "h"), false},
	        {"other servers", "x", KAFKA("k:9092", "g"), "x", KAFKA("l:9092", "g"), false},
	        {"other ports", "x", KAFKA("k:9092", "g"), "x", KAFKA("k:9093", "g"), false},
	        {"the default port", "x", KAFKA("k", "g"), "x", KAFKA("k:9092", "g"), true},
	        {"one server of several", "x", KAFKA("a:9092, k:9092", "g"), "x", KAFKA("k:9092,,b", "g"), true},
	        {"a scheme, and letters", "x", KAFKA("PLAINTEXT://K:9092", "g"), "x", KAFKA("k", "g"), true},
	        {"groups' letters differ", "x", KAFKA("k", "G"), "x", KAFKA("k", "g"), false},
	        {"Services of two namespaces", "x", KAFKA("k", "g"), "y", KAFKA("k", "g"), false},
	        {"a Service from elsewhere", "x", KAFKA("k", "g"), "y", KAFKA("k.x", "g"), true},
	        {"its long name", "x", KAFKA("k.z.svc", "g"), "y", KAFKA("k.z.svc.cluster.local.:9092", "g"), true},
	        {"an outer name", "x", KAFKA("k.example.com", "g"), "y", KAFKA("k.example.com.", "g"), true},
	        {"an address", "x", KAFKA("10.0.0.1", "g"), "y", KAFKA("10.0.0.1:9092", "g"), true},
	        {"an address of six", "x", KAFKA("[fd00::1]", "g"), "y", KAFKA("[fd00::1]:9092", "g"), true},
	        {"defaults", "x", OWN("k.x"), "y", OWN("k.x"), false},
	        {"another one's default", "x", OWN("k.x"), "y", KAFKA("k.x", "streamjob.x.one"), true},
	        {"no source that has one", "x", "{\"source\": {\"stdin\": {}}}", "x", "{\"source\": {\"stdin\": {}}}",
	         false},
	        {"a gateway", "x", GATEWAY("http://p:9091", "j", ""), "x", GATEWAY("http://p:9091/", "j", ""), true},
	        {"another job", "x", GATEWAY("http://p:9091", "j", ""), "x", GATEWAY("http://p:9091", "k", ""), false},
	        {"another path", "x", GATEWAY("http://p/a", "j", ""), "x", GATEWAY("http://p/b", "j", ""), false},
	        {"its port", "x", GATEWAY("https://p.x/a//", "j", ""), "y", GATEWAY("https://P.x:443/a", "j", ""),
	         true},
	        {"two of a name", "x", GATEWAY("http://p:9091", "j", ""), "y", GATEWAY("http://p:9091", "j", ""),
	         false},
	        {"labels", "x", GATEWAY("http://p", "j", KEY("\"a\": \"1\", \"b\": \"2\"")), "x",
	         GATEWAY("http://p", "j", KEY("\"b\": \"2\", \"a\": \"1\"")), true},
	        {"other labels", "x", GATEWAY("http://p", "j", KEY("\"a\": \"1\"")), "x", GATEWAY("http://p", "j", ""),
	         false},
	        {"an empty label is none", "x", GATEWAY("http://p", "j", KEY("\"a\": \"\"")), "x",
	         GATEWAY("http://p", "j", ""), true},
	        {"labels that read alike", "x", GATEWAY("http://p", "j", KEY("\"a\": \"1\\\",\\\"b\\\":\\\"2\"")), "x",
	         GATEWAY("http://p", "j", KEY("\"a\": \"1\", \"b\": \"2\"")), false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (share(rows[i].a_namespace, rows[i].a, rows[i].b_namespace, rows[i].b) != rows[i].shared ||
		    share(rows[i].b_namespace, rows[i].b, rows[i].a_namespace, rows[i].a) != rows[i].shared)
			fail_msg("%s", rows[i].name);
}

static json_t *sharer(const char *key, bool earlier)
{
	return json_pack("[{s:s, s:s, s:s, s:b}]", "job", "team/other", "key", key, "words", "the group", "earlier",
	                 earlier);
}

struct outcome {
	size_t steps;
	bool has_it; /* by its status, which the rank goes by */
	char *ready, *stalled, *shared;
};

static struct outcome look(struct world *world, const json_t *sharers)
{
	struct observed observed;
	struct outcome outcome;
	struct plan plan;
	json_t *status;

	world_look(world, &observed, &plan);
	plan_release(&plan);
	observed.sharers = sharers;
	plan_make(&observed, &test_settings, &plan);
	outcome.steps = plan.steps_count;
	status = plan_status(&plan, NULL, NULL);
	json_object_set(world->job, "status", json_object_get(status, "status"));
	json_decref(status);
	plan_release(&plan);
	outcome.ready = world_condition(world, "Ready");
	outcome.stalled = world_condition(world, "Stalled");
	outcome.shared = world_condition(world, "GroupShared");
	outcome.has_it = object_text(world->job, "status", "consumerGroup", NULL)[0] != '\0';
	return outcome;
}

static void outcome_release(struct outcome *outcome)
{
	free(outcome->ready);
	free(outcome->stalled);
	free(outcome->shared);
}

static void expect(const char *name, const char *text, const char *start)
{
	if (start ? strncmp(text, start, strlen(start)) != 0 : strspn(text, " ") != strlen(text))
		fail_msg("%s: %s, not %s", name, text, start ? start : "nothing");
}

static void who_shares_test(void **state)
{
	static const struct {
		const char *name, *spec, *key;
		bool earlier, steps, has_it;
		const char *ready, *stalled, *shared;
	} rows[] = {
	        {"the older has it", "{}", GROUP_KEY_CONSUMER "k g", true, false, false,
	         "False GroupShared the group is that of the StreamJob team/other; this one is not started",
	         "True GroupShared the group is that of the StreamJob team/other, and two on one lose rows",
	         "True GroupShared the group is named by the StreamJob team/other too, and that one has it"},
	        {"this one has it", "{}", GROUP_KEY_CONSUMER "k g", false, true, true, "False Progressing",
	         "False NotStalled",
	         "True GroupShared the group is named by the StreamJob team/other too, and this one has it"},
	        {"a gateway's group", "{}", "p job=j", true, true, true, "False Progressing", "False NotStalled",
	         "True GroupShared the group is named by the StreamJob team/other too, and each replaces"},
	        {"suspended", "{\"suspend\": true}", GROUP_KEY_CONSUMER "k g", true, true, false, "True Suspended",
	         "False NotStalled", "True GroupShared"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *sharers = sharer(rows[i].key, rows[i].earlier);
		struct outcome outcome;
		struct world world;

		world_init(&world, rows[i].spec);
		outcome = look(&world, sharers);
		if ((outcome.steps > 0) != rows[i].steps || outcome.has_it != rows[i].has_it)
			fail_msg("%s: %zu steps", rows[i].name, outcome.steps);
		expect(rows[i].name, outcome.ready, rows[i].ready);
		expect(rows[i].name, outcome.stalled, rows[i].stalled);
		expect(rows[i].name, outcome.shared, rows[i].shared);
		outcome_release(&outcome);
		world_release(&world);
		json_decref(sharers);
	}
}

static json_t *aged(const char *namespace, const char *name, const char *spec, const char *created, const char *kept)
{
	json_t *job = job_of(namespace, name, spec);

	json_object_set_new(json_object_get(job, "metadata"), "creationTimestamp", json_string(created));
	json_object_set_new(job, "status", json_pack("{s:s}", "consumerGroup", kept));
	return job;
}

/* The first of each row comes before the second. */
static void rank_test(void **state)
{
#define OLD "2027-01-15T08:00:00Z"
#define NEW "2027-01-15T09:00:00Z"
#define ITS KAFKA("k.x", "streamjob.x.one")
	static const struct {
		const char *name, *first_spec, *first_created, *first_kept, *second_spec, *second_created, *second_kept;
	} rows[] = {
	        {"the older", KAFKA("k.x", "g"), OLD, "", KAFKA("k.x", "g"), NEW, ""},
	        {"who has it", KAFKA("k.x", "g"), NEW, "g", KAFKA("k.x", "g"), OLD, ""},
	        {"who had another", KAFKA("k.x", "g"), NEW, "g", KAFKA("k.x", "g"), OLD, "h"},
	        {"whose default it is", OWN("k.x"), NEW, "", ITS, OLD, ""},
	        {"who sat down on it", OWN("k.x"), NEW, "", ITS, OLD, "streamjob.x.one"},
	        {"its own, by name", ITS, NEW, "", ITS, OLD, "streamjob.x.one"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *first = aged("x", "one", rows[i].first_spec, rows[i].first_created, rows[i].first_kept);
		json_t *second = aged("evil", "two", rows[i].second_spec, rows[i].second_created, rows[i].second_kept);
		json_t *first_rank = groups_rank(first), *second_rank = groups_rank(second);

		if (strcmp(json_string_value(first_rank), json_string_value(second_rank)) >= 0)
			fail_msg("%s: %s, %s", rows[i].name, json_string_value(first_rank),
			         json_string_value(second_rank));
		json_decref(first);
		json_decref(second);
		json_decref(first_rank);
		json_decref(second_rank);
	}
}

/* What runs is not stopped, as of an upgrade; it is said, and ends with the cause. */
static void what_runs_goes_on_test(void **state)
{
	json_t *sharers = sharer(GROUP_KEY_CONSUMER "k g", true);
	struct outcome outcome;
	struct world world;

	(void)state;
	world_init(&world, "{}");
	while (world_turn(&world, SIZE_MAX))
		;
	json_object_set_new(json_object_get(world.job, "spec"), "filter", json_string("bucket = 'a'"));
	outcome = look(&world, sharers);
	assert_int_equal(outcome.steps, 0);
	expect("it runs", outcome.ready,
	       "False GroupShared the group is that of the StreamJob team/other; what ran before");
	assert_int_equal(object_integer(json_array_get(world.children[KIND_DEPLOYMENT], 0), "spec", "replicas", NULL),
	                 1);
	/* The change is not taken for rolled out: it would later wait for a turn as a new operator's does. */
	assert_int_equal(object_integer(world.job, "status", "rollout", "generation", NULL), 1);
	outcome_release(&outcome);
	outcome = look(&world, NULL);
	assert_true(outcome.steps > 0);
	expect("it is over", outcome.stalled, "False NotStalled");
	expect("it is over", outcome.shared, NULL);
	outcome_release(&outcome);
	world_release(&world);
	json_decref(sharers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_one_group_is_test), cmocka_unit_test(who_shares_test),
	                                   cmocka_unit_test(rank_test), cmocka_unit_test(what_runs_goes_on_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
