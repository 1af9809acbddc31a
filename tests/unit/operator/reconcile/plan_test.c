#include "tests/unit/operator/reconcile/world.h"

/* What the plan's steps are, as "create Deployment home-feed" lines. */
static char *steps_text(struct world *world)
{
	static const char *const verbs[] = {"create", "apply", "delete", "merge"};
	struct observed observed;
	struct buffer text;
	struct plan plan;

	buffer_init(&text);
	buffer_append_text(&text, "");
	world_look(world, &observed, &plan);
	for (size_t i = 0; i < plan.steps_count; i++)
		buffer_printf(&text, "%s %s %s\n", verbs[plan.steps[i].verb], kind_names[plan.steps[i].kind].kind,
		              object_name(plan.steps[i].object));
	plan_release(&plan);
	return buffer_take(&text);
}

static void settle(struct world *world)
{
	for (int turns = 0; world_turn(world, PLAN_STEPS_MAX) > 0; turns++)
		assert_true(turns < 10);
}

static json_t *deployment(struct world *world)
{
	return world_named(world, KIND_DEPLOYMENT, "home-feed");
}

static void set_label(struct world *world)
{
	json_t *metadata = json_object_get(deployment(world), "metadata");

	json_object_set_new(json_object_get(metadata, "labels"), LABEL_NAME, json_string("mine"));
}

static void set_foreign_note(struct world *world)
{
	json_t *metadata = json_object_get(deployment(world), "metadata");

	json_object_set_new(json_object_get(metadata, "annotations"), "team.example/note", json_string("x"));
	json_object_set_new(json_object_get(deployment(world), "spec"), "progressDeadlineSeconds", json_integer(600));
}

static void scale_by_hand(struct world *world)
{
	json_object_set_new(json_object_get(deployment(world), "spec"), "replicas", json_integer(3));
}

static void lose_service(struct world *world)
{
	world_remove(world, KIND_SERVICE, "home-feed");
}

static void drop_token_field(struct world *world)
{
	json_object_del(world_named(world, KIND_SERVICE_ACCOUNT, "home-feed"), "automountServiceAccountToken");
}

static void set_spec(struct world *world, const char *key, const char *value)
{
	json_t *parsed = json_loads(value, JSON_DECODE_ANY, NULL);

	if (!parsed)
		fail_msg("not JSON: %s", value);
	json_object_set_new(json_object_get(world->job, "spec"), key, parsed);
}

static void new_filter(struct world *world)
{
	world_pod(world, "old", POD_RUNS);
	set_spec(world, "filter", "\"bucket = 'a'\"");
}

static void bad_filter(struct world *world)
{
	set_spec(world, "filter", "\"bucket = \"");
	scale_by_hand(world);
}

static void suspend(struct world *world)
{
	set_spec(world, "suspend", "true");
}

static void newer_field(struct world *world)
{
	set_spec(world, "fieldOfNextYear", "{\"a\": 1}");
}

static void delete_policy(struct world *world)
{
	set_spec(world, "deletionPolicy", "{\"pushgateway\": \"Delete\", \"timeout\": \"1m\"}");
}

static void recreate(struct world *world)
{
	json_object_set_new(json_object_get(world->job, "metadata"), "uid", json_string("another"));
}

static void namespace_ends(struct world *world)
{
	lose_service(world);
	world->namespace_ends = true;
}

static void canonical_quantity(struct world *world)
{
	json_t *container = json_array_get(
	        object_borrow(object_at(deployment(world), "spec", "template", "spec", "containers", NULL)), 0);

	json_object_set_new(container, "resources", json_pack("{s:{s:s, s:s}}", "limits", "cpu", "1", "memory", "1Gi"));
}

static void steps_test(void **state)
{
	static const struct {
		const char *name, *spec;
		void (*change)(struct world *world);
		const char *steps;
	} rows[] = {
	        {"nothing to do", "{}", NULL, ""},
	        {"a label of ours was changed", "{}", set_label, "apply Deployment home-feed\n"},
	        {"what others own stays", "{}", set_foreign_note, ""},
	        {"scaled by hand", "{}", scale_by_hand, "apply Deployment home-feed\n"},
	        {"a child was deleted", "{}", lose_service, "create Service home-feed\n"},
	        {"false was taken out", "{}", drop_token_field, "apply ServiceAccount home-feed\n"},
	        {"a new job file", "{}", new_filter, "create ConfigMap home-feed-5f2c\napply Deployment home-feed\n"},
	        {"a bad spec touches nothing", "{}", bad_filter, ""},
	        {"suspended", "{}", suspend, "apply Deployment home-feed\n"},
	        {"a field of a newer CRD", "{}", newer_field, ""},
	        {"a finalizer", "{}", delete_policy, "merge StreamJob home-feed\n"},
	        {"another StreamJob of the same name", "{}", recreate,
	         "delete ServiceAccount home-feed\ndelete NetworkPolicy home-feed\ndelete Service home-feed\n"
	         "delete ConfigMap home-feed-HASH\ndelete Deployment home-feed\n"
	         "delete PodDisruptionBudget home-feed\n"},
	        {"the namespace ends", "{}", namespace_ends, ""},
	        {"quantities in canonical form",
	         "{\"resources\": {\"limits\": {\"cpu\": \"1000m\", \"memory\": \"1024Mi\"}}}", canonical_quantity, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world world;
		char *text, *hash;

		world_init(&world, rows[i].spec);
		settle(&world);
		if (rows[i].change)
			rows[i].change(&world);
		text = steps_text(&world);
		/* the sixteen digits of a job file's hash */
		while ((hash = strstr(text, "ConfigMap home-feed-")) && strspn(hash + 20, "0123456789abcdef") == 16) {
			for (int k = 0; k < 4; k++)
				hash[20 + k] = "HASH"[k];
			memmove(hash + 24, hash + 36, strlen(hash + 36) + 1);
		}
		print_message("%s\n", rows[i].name);
		if (strstr(rows[i].steps, "5f2c"))
			assert_non_null(strstr(text, "create ConfigMap home-feed-HASH\napply Deployment home-feed\n"));
		else
			assert_string_equal(text, rows[i].steps);
		free(text);
		world_release(&world);
	}
}

/* Stopped after any number of steps, the next looks lead to the same world. */
static void crash_test(void **state)
{
	struct world whole;

	(void)state;
	world_init(&whole, "{\"deletionPolicy\": {\"pushgateway\": \"Delete\"}}");
	settle(&whole);
	for (size_t stop = 0; stop < 7; stop++) {
		struct world world;

		world_init(&world, "{\"deletionPolicy\": {\"pushgateway\": \"Delete\"}}");
		world_turn(&world, stop);
		settle(&world);
		for (int k = KIND_SERVICE_ACCOUNT; k < KIND_COUNT; k++)
			assert_true(json_equal(world.children[k], whole.children[k]));
		world_release(&world);
	}
	world_release(&whole);
}

static void expect_config_maps(struct world *world, size_t count)
{
	assert_int_equal(json_array_size(world->children[KIND_CONFIG_MAP]), count);
}

static void roll_out_test(void **state)
{
	struct world world;

	(void)state;
	world_init(&world, "{}");
	settle(&world);
	new_filter(&world);
	settle(&world);
	expect_config_maps(&world, 2); /* the old pod still runs the old one */
	world_remove(&world, KIND_POD, "old");
	world_pod(&world, "new", POD_RUNS);
	settle(&world);
	expect_config_maps(&world, 2); /* no data flows with the new one yet */
	world_remove(&world, KIND_POD, "new");
	world_pod(&world, "new", POD_IS_READY);
	settle(&world);
	expect_config_maps(&world, 2); /* the pods' template names the one before */
	set_spec(&world, "filter", "\"bucket = 'c'\"");
	world_remove(&world, KIND_POD, "new");
	settle(&world);
	world_pod(&world, "newer", POD_IS_READY);
	settle(&world);
	expect_config_maps(&world, 3); /* nobody has said that a pod of the second one had the job */
	world_release(&world);
}

/* A job that is never Ready does not gather job files without end. */
static void never_ready_test(void **state)
{
	struct world world;
	char filter[32];

	(void)state;
	world_init(&world, "{}");
	for (int i = 0; i < 40; i++) {
		snprintf(filter, sizeof(filter), "\"bucket = '%d'\"", i);
		set_spec(&world, "filter", filter);
		settle(&world);
		assert_true(json_array_size(world.children[KIND_CONFIG_MAP]) <= 17);
	}
	world_release(&world);
}

/* After a suspension no pod comes while another still drains. */
static void drain_test(void **state)
{
	struct world world;
	json_t *pod;

	(void)state;
	world_init(&world, "{}");
	settle(&world);
	pod = world_pod(&world, "old", POD_RUNS);
	set_spec(&world, "suspend", "true");
	settle(&world);
	assert_int_equal(object_integer(deployment(&world), "spec", "replicas", NULL), 0);
	json_object_set_new(json_object_get(pod, "metadata"), "deletionTimestamp", json_string("2027-01-15T08:00:00Z"));
	set_spec(&world, "suspend", "false");
	settle(&world);
	assert_int_equal(object_integer(deployment(&world), "spec", "replicas", NULL), 0);
	world_remove(&world, KIND_POD, "old");
	settle(&world);
	assert_int_equal(object_integer(deployment(&world), "spec", "replicas", NULL), 1);
	world_release(&world);
}

static size_t finalizers(const struct world *world)
{
	return json_array_size(object_at(world->job, "metadata", "finalizers", NULL));
}

static void begin_deletion(struct world *world)
{
	world_init(world, "{\"deletionPolicy\": {\"pushgateway\": \"Delete\", \"timeout\": \"1m\"}}");
	settle(world);
	assert_int_equal(finalizers(world), 1);
	world_pod(world, "one", POD_RUNS);
	json_object_set_new(json_object_get(world->job, "metadata"), "deletionTimestamp",
	                    json_string("2027-01-15T08:00:00Z"));
	settle(world);
	assert_int_equal(object_integer(deployment(world), "spec", "replicas", NULL), 0);
	assert_int_equal(json_array_size(world->children[KIND_JOB]), 0); /* the pod drains first */
}

static void end_cleanup(struct world *world, const char *type)
{
	json_t *job = world_named(world, KIND_JOB, "home-feed-cleanup-11111111");

	assert_non_null(job);
	json_object_set_new(job, "status",
	                    json_pack("{s:[{s:s, s:s, s:s}]}", "conditions", "type", type, "status", "True", "message",
	                              "no more tries"));
}

static void deletion_test(void **state)
{
	static const struct {
		const char *name, *ends; /* of the clean-up */
		int64_t later_ms, deleting_ms;
		bool namespace_ends;
		size_t finalizers;
	} rows[] = {
	        {"the clean-up runs", NULL, 0, 0, false, 1},
	        {"it is complete", "Complete", 0, 0, false, 0},
	        {"it has failed", "Failed", 0, 0, false, 0},
	        {"the time is over by the API server's clock", NULL, 61000, 0, false, 0},
	        {"the time is over by our own clock", NULL, -3600000, 60000, false, 0},
	        {"the namespace ends", NULL, 0, 0, true, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world world;

		print_message("%s\n", rows[i].name);
		begin_deletion(&world);
		world_remove(&world, KIND_POD, "one");
		settle(&world);
		assert_int_equal(json_array_size(world.children[KIND_JOB]), 1);
		if (rows[i].ends)
			end_cleanup(&world, rows[i].ends);
		world.now_ms += rows[i].later_ms;
		world.deleting_ms = rows[i].deleting_ms;
		world.namespace_ends = rows[i].namespace_ends;
		settle(&world);
		assert_int_equal(finalizers(&world), rows[i].finalizers);
		world_release(&world);
	}
}

/* Deleted before anything was made: nothing is made. */
static void never_seen_test(void **state)
{
	struct world world;

	(void)state;
	world_init(&world, "{\"deletionPolicy\": {\"pushgateway\": \"Delete\"}}");
	json_object_set_new(json_object_get(world.job, "metadata"), "deletionTimestamp",
	                    json_string("2027-01-15T08:00:00Z"));
	assert_int_equal(world_turn(&world, PLAN_STEPS_MAX), 0);
	world_release(&world);
}

#define CODE(function, config_map)                                                                                     \
	"{\"name\": \"" function "\", \"kind\": \"scalar\", \"language\": \"python\", \"entrypoint\": \"" function     \
	":f\", \"returns\": [{\"name\": \"value\", \"type\": \"DOUBLE\"}], \"code\": {\"configMapRef\": {\"name\": "   \
	"\"" config_map "\", \"key\": \"" function ".py\"}}}"

/* What the ConfigMaps of functions hold replaces the pods when it changes, and only then. */
static void code_test(void **state)
{
	static const struct {
		const char *name, *config_map, *data; /* NULL: it goes */
		const char *steps;
	} rows[] = {
	        {"the same", "scores", "{\"f.py\": \"def f(): return 1\"}", ""},
	        {"other code", "scores", "{\"f.py\": \"def f(): return 2\"}", "apply Deployment home-feed\n"},
	        {"one more key", "scores", "{\"f.py\": \"def f(): return 1\", \"g.py\": \"\"}",
	         "apply Deployment home-feed\n"},
	        {"it is deleted: what runs goes on", "scores", NULL, ""},
	        {"a stranger's", "other", "{\"a\": \"b\"}", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world world;
		const json_t *pod;
		char *text, *ready;

		print_message("%s\n", rows[i].name);
		world_init(&world, "{\"functions\": [" CODE("f", "scores") ", " CODE("g", "scores") "]}");
		world_code(&world, "scores", "{\"f.py\": \"def f(): return 1\"}");
		settle(&world);
		pod = world_pod(&world, "one", POD_RUNS);
		assert_int_equal(strlen(object_text(pod, "metadata", "annotations", NOTE_CODE_HASH, NULL)),
		                 OBJECT_HASH_SIZE - 1);
		world_report(&world, "one", "{\"ready\": true}");
		if (rows[i].data)
			world_code(&world, rows[i].config_map, rows[i].data);
		else
			json_object_del(world.code, rows[i].config_map);
		text = steps_text(&world);
		assert_string_equal(text, rows[i].steps);
		settle(&world);
		ready = world_condition(&world, "Ready");
		assert_string_equal(ready,
		                    text[0] ? "False Progressing the pod still runs the functions' code before this one"
		                            : "True Running data flows");
		free(ready);
		free(text);
		world_release(&world);
	}
}

/* A ConfigMap that comes after its job: the pod that waits for it is replaced by one that notes it. */
static void late_code_test(void **state)
{
	struct world world;
	char *text;

	(void)state;
	world_init(&world, "{\"functions\": [" CODE("f", "scores") "]}");
	settle(&world);
	assert_string_equal(
	        object_text(deployment(&world), "spec", "template", "metadata", "annotations", NOTE_CODE_HASH, NULL),
	        "");
	world_code(&world, "scores", "{\"f.py\": \"def f(): return 1\"}");
	text = steps_text(&world);
	assert_string_equal(text, "apply Deployment home-feed\n");
	free(text);
	world_release(&world);
}

/* A team's own budget has the pod: two would keep it from every eviction. */
static void no_budget_test(void **state)
{
	static const char *const says[] = {"allow", "leave", "block"};
	struct world world;

	(void)state;
	world_init(&world, "{}");
	for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
		json_object_set_new(json_object_get(world.job, "spec"), "evictions", json_string(says[i]));
		while (world_turn(&world, PLAN_STEPS_MAX))
			;
		assert_int_equal(world_named(&world, KIND_BUDGET, "home-feed") != NULL, strcmp(says[i], "leave") != 0);
	}
	world_release(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(steps_test),      cmocka_unit_test(crash_test),
	                                   cmocka_unit_test(roll_out_test),   cmocka_unit_test(never_ready_test),
	                                   cmocka_unit_test(drain_test),      cmocka_unit_test(deletion_test),
	                                   cmocka_unit_test(never_seen_test), cmocka_unit_test(code_test),
	                                   cmocka_unit_test(late_code_test),  cmocka_unit_test(no_budget_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
