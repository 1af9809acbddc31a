/* Roll-outs that wait for their turn, and specs that the pods go back from. */
#include "operator/reconcile/previous.h"
#include "tests/unit/operator/reconcile/world.h"

#define FLOWS "{\"ready\": true, \"specHash\": \"x\", \"owner\": {\"role\": \"owner\"}}"
#define WAITS(reason, message)                                                                                         \
	"{\"phase\": \"Pending\", \"containerStatuses\": [{\"name\": \"streamjob\", \"state\": {\"waiting\": "         \
	"{\"reason\": \"" reason "\", \"message\": \"" message "\"}}}]}"
#define ENDED(reason, code, message)                                                                                   \
	"{\"phase\": \"Running\", \"containerStatuses\": [{\"name\": \"streamjob\", \"restartCount\": 3, \"state\": "  \
	"{\"waiting\": {\"reason\": \"CrashLoopBackOff\", \"message\": \"back-off\"}}, \"lastState\": "                \
	"{\"terminated\": {\"reason\": \"" reason "\", \"exitCode\": " code ", \"message\": \"" message "\"}}}]}"
#define OF_A_SIDECAR                                                                                                   \
	"{\"phase\": \"Pending\", \"containerStatuses\": [{\"name\": \"side\", \"state\": {\"waiting\": "              \
	"{\"reason\": \"ErrImagePull\", \"message\": \"side: not found\"}}}]}"
#define NOT_SCHEDULED                                                                                                  \
	"{\"phase\": \"Pending\", \"conditions\": [{\"type\": \"PodScheduled\", \"status\": \"False\", \"message\": "  \
	"\"no node\"}]}"
#define SAYS(part) "{\"ready\": false, \"notReadyPart\": \"" part "\", \"notReadyReason\": \"so it is\"}"
#define FUNCTION(method)                                                                                               \
	"{\"ready\": false, \"notReadyPart\": \"function\", \"notReadyReason\": \"so it is\", \"functions\": "         \
	"[{\"name\": \"score\", \"healthy\": false, \"lastError\": {\"method\": \"" method                             \
	"\", \"message\": \"no module\"}}]}"

static void settle(struct world *world)
{
	for (int turns = 0; world_turn(world, PLAN_STEPS_MAX) > 0; turns++)
		assert_true(turns < 10);
	world_turn(world, PLAN_STEPS_MAX);
}

static json_t *deployment(struct world *world)
{
	return world_named(world, KIND_DEPLOYMENT, "home-feed");
}

static const char *image(struct world *world)
{
	const json_t *containers = object_at(deployment(world), "spec", "template", "spec", "containers", NULL);

	return object_text(json_array_get(containers, 0), "image", NULL);
}

static const char *noted(struct world *world, const char *note)
{
	return object_text(deployment(world), "spec", "template", "metadata", "annotations", note, NULL);
}

/* A new pod of what is deployed, alone, and what it says. */
static void run_pod(struct world *world, const char *status, const char *document)
{
	json_array_clear(world->children[KIND_POD]);
	json_object_clear(world->reports);
	world_pod(world, "p", status);
	if (document)
		world_report(world, "p", document);
	settle(world);
}

static void set_spec(struct world *world, const char *key, const char *value)
{
	json_t *parsed = json_loads(value, JSON_DECODE_ANY, NULL);

	assert_non_null(parsed);
	json_object_set_new(json_object_get(world->job, "spec"), key, parsed);
}

static void assert_reason(struct world *world, const char *type, const char *expected)
{
	char *condition = world_condition(world, type);

	if (strncmp(condition, expected, strlen(expected)) != 0)
		fail_msg("%s is \"%s\", not \"%s\"", type, condition, expected);
	free(condition);
}

static void flowing(struct world *world, const char *spec)
{
	world_init(world, spec);
	settle(world);
	run_pod(world, POD_RUNS, FLOWS);
	assert_reason(world, "Ready", "True Running");
	assert_reason(world, "Updated", "True UpToDate");
}

static bool waits(struct world *world)
{
	struct observed observed;
	struct plan plan;
	bool waits;

	world_look(world, &observed, &plan);
	waits = plan_waits(&plan);
	plan_release(&plan);
	return waits;
}

static void turn_test(void **state)
{
	struct world world;
	json_t *template;

	(void)state;
	flowing(&world, "{}");
	template = json_deep_copy(object_at(deployment(&world), "spec", "template", NULL));
	world.image = "streamjob:next";
	settle(&world);
	assert_true(json_equal(template, object_at(deployment(&world), "spec", "template", NULL)));
	assert_reason(&world, "Updated", "False WaitsForTurn");
	assert_reason(&world, "Ready", "True Running");
	json_object_set_new(json_object_get(deployment(&world), "spec"), "replicas", json_integer(4));
	settle(&world);
	assert_int_equal(object_integer(deployment(&world), "spec", "replicas", NULL), 1);
	assert_string_equal(image(&world), "streamjob:test");
	world.may_update = true;
	world_turn(&world, PLAN_STEPS_MAX);
	assert_true(json_is_true(object_at(world.job, "status", "update", "wasReady", NULL)));
	assert_string_equal(image(&world), "streamjob:test"); /* the turn is noted first */
	world.may_update = false;                             /* an operator that starts here goes on */
	settle(&world);
	assert_string_equal(image(&world), "streamjob:next");
	assert_reason(&world, "Updated", "False Updating");
	run_pod(&world, POD_RUNS, FLOWS);
	assert_null(object_at(world.job, "status", "update", NULL));
	assert_reason(&world, "Updated", "True UpToDate");
	json_decref(template);
	world_release(&world);
}

/* How long a turn lasts is not the job's alone to say. */
static void turn_length_test(void **state)
{
	static const struct {
		const char *deadline, *document;
		int64_t seconds;
	} rows[] = {
	        {"\"1s\"", FLOWS, 60},        {"\"10m\"", FLOWS, 600},          {"\"2h\"", FLOWS, 7200},
	        {"\"1s\"", SAYS("input"), 1}, {"\"24h\"", SAYS("input"), 3600},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world world;
		const char *until;

		world_init(&world, "{}");
		set_spec(&world, "progressDeadline", rows[i].deadline);
		settle(&world);
		run_pod(&world, POD_RUNS, rows[i].document);
		world.image = "streamjob:next";
		settle(&world);
		world.may_update = true;
		world_turn(&world, PLAN_STEPS_MAX);
		until = object_text(world.job, "status", "update", "until", NULL);
		if (object_time(until) != world.now_ms - world.now_ms % 1000 + rows[i].seconds * 1000)
			fail_msg("%s, %s: %s", rows[i].deadline, rows[i].document, until);
		world_release(&world);
	}
}

static void late_test(void **state)
{
	struct world world;

	(void)state;
	flowing(&world, "{\"progressDeadline\": \"1m\"}");
	world.image = "streamjob:broken";
	world.may_update = true;
	settle(&world);
	run_pod(&world, WAITS("ImagePullBackOff", "not found"), NULL);
	world.now_ms += 59000;
	settle(&world);
	assert_reason(&world, "Updated", "False Updating");
	world.now_ms += 1000;
	settle(&world);
	assert_reason(&world, "Updated", "False UpdateFailed");
	assert_reason(&world, "Stalled", "False"); /* the operator's image is not the job's fault */
	world.may_update = false;
	world.image = "streamjob:mended"; /* who has had its turn does not wait for another */
	settle(&world);
	assert_string_equal(image(&world), "streamjob:mended");
	run_pod(&world, POD_RUNS, FLOWS);
	assert_reason(&world, "Updated", "True UpToDate");
	world_release(&world);
}

/* A spec with problems amid the turn: the pods run on, and nobody waits for the job. */
static void bad_spec_test(void **state)
{
	struct world world;

	(void)state;
	flowing(&world, "{}");
	world.image = "streamjob:next";
	world.may_update = true;
	settle(&world);
	world.may_update = false;
	assert_non_null(object_at(world.job, "status", "update", NULL));
	set_spec(&world, "filter", "\"no such column ===\"");
	settle(&world);
	assert_reason(&world, "Stalled", "True InvalidSpec");
	assert_null(object_at(world.job, "status", "update", NULL));
	assert_string_equal(image(&world), "streamjob:next");
	world_release(&world);
}

static void set_note(struct world *world, const char *note, const char *value)
{
	json_object_set_new(json_object_get(world->job, "metadata"), "annotations", json_pack("{s:s}", note, value));
}

static int64_t rolled_out(struct world *world)
{
	return object_integer(world->job, "status", "rollout", "generation", NULL);
}

/* A job that is paused has no turn, amid which it would halt the others; and what it is given meanwhile is not taken
 * for rolled out. */
static void paused_test(void **state)
{
	struct world world;

	(void)state;
	flowing(&world, "{}");
	set_note(&world, NOTE_PAUSED, "true");
	world.image = "streamjob:next";
	settle(&world);
	assert_false(waits(&world));
	world.may_update = true; /* the turn came just before */
	settle(&world);
	assert_null(object_at(world.job, "status", "update", NULL));
	world.may_update = false;
	set_spec(&world, "filter", "\"bucket = 'a'\"");
	settle(&world);
	assert_int_equal(rolled_out(&world), 1);
	set_note(&world, NOTE_PAUSED, "false");
	settle(&world); /* asked of the job itself: no turn is waited for */
	assert_int_equal(rolled_out(&world), 2);
	assert_string_equal(image(&world), "streamjob:next");
	world_release(&world);
}

static void not_ready_before_test(void **state)
{
	struct world world;

	(void)state;
	world_init(&world, "{\"progressDeadline\": \"1m\"}");
	settle(&world);
	run_pod(&world, POD_RUNS, SAYS("source"));
	world.image = "streamjob:next";
	world.may_update = true;
	settle(&world);
	world.may_update = false;
	run_pod(&world, POD_RUNS, SAYS("source"));
	assert_reason(&world, "Updated", "False Updating");
	world.now_ms += 60000;
	run_pod(&world, POD_RUNS, SAYS("source"));
	assert_null(object_at(world.job, "status", "update", NULL)); /* nobody waits for it any more */
	world_release(&world);
}

static void new_spec(struct world *world)
{
	set_spec(world, "filter", "\"bucket = 'a'\"");
}

static void new_annotation(struct world *world)
{
	json_object_set_new(json_object_get(world->job, "metadata"), "annotations",
	                    json_pack("{s:s}", NOTE_DROP_PENDING, "0123456789abcdef"));
}

static void suspended(struct world *world)
{
	set_spec(world, "suspend", "true");
}

static void no_deployment(struct world *world)
{
	world_remove(world, KIND_DEPLOYMENT, "home-feed");
}

/* What was asked of the job itself waits for nothing. */
static void own_change_test(void **state)
{
	static const struct {
		const char *name;
		void (*change)(struct world *world);
	} rows[] = {{"a new spec", new_spec},
	            {"an annotation", new_annotation},
	            {"suspended", suspended},
	            {"made anew", no_deployment}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world world;

		flowing(&world, "{}");
		world.image = "streamjob:next";
		settle(&world);
		assert_string_equal(image(&world), "streamjob:test");
		rows[i].change(&world);
		settle(&world);
		settle(&world);
		if (strcmp(image(&world), "streamjob:next") != 0 && rows[i].change != suspended)
			fail_msg("%s: the pods run %s", rows[i].name, image(&world));
		assert_null(object_at(world.job, "status", "update", NULL));
		world_release(&world);
	}
}

/* An operator before this one has noted no generation on the roll-out. */
static void earlier_operator_test(void **state)
{
	struct world world;

	(void)state;
	flowing(&world, "{}");
	json_object_del(object_borrow(object_at(world.job, "status", "rollout", NULL)), "generation");
	world.image = "streamjob:next";
	settle(&world);
	assert_reason(&world, "Updated", "False WaitsForTurn");
	world_release(&world);
}

/* Whose fault it is, row by row of the table in docs/upgrade.md. */
static const struct blame {
	const char *name, *changed, *pod, *document;
	bool jobs;
} blames[] = {
        {"image not found", "image", WAITS("ImagePullBackOff", "x: not found"), NULL, true},
        {"image name", "image", WAITS("InvalidImageName", "bad"), NULL, true},
        {"no manifest", "image", WAITS("ErrImagePull", "manifest unknown"), NULL, true},
        {"another platform", "image", WAITS("ErrImagePull", "no match for platform in manifest"), NULL, true},
        {"no such program", "image", WAITS("RunContainerError", "executable file not found in $PATH"), NULL, true},
        {"a sidecar's image", "podTemplate", OF_A_SIDECAR, NULL, true},
        {"registry away", "image", WAITS("ErrImagePull", "dial tcp: i/o timeout"), NULL, false},
        {"registry login", "image", WAITS("ErrImagePull", "401 Unauthorized"), NULL, false},
        {"the operator's image", "filter", WAITS("ErrImagePull", "x: not found"), NULL, false},
        {"bad job file", "filter", ENDED("Error", "2", "usage"), NULL, true},
        {"fell over", "filter", ENDED("Error", "139", ""), NULL, true},
        {"aborted", "filter", ENDED("Error", "134", ""), NULL, true},
        {"out of memory", "filter", ENDED("OOMKilled", "137", ""), NULL, true},
        {"killed", "filter", ENDED("Error", "137", ""), NULL, false},
        {"gave up", "filter", ENDED("Error", "1", "job failed: no such topic"), NULL, false},
        {"import, gave up", "filter", ENDED("Error", "1", "function score, import: no module"), NULL, true},
        {"import", "filter", POD_RUNS, FUNCTION("import"), true},
        {"a function raises", "filter", POD_RUNS, FUNCTION("eval"), false},
        {"broker away", "filter", POD_RUNS, SAYS("source"), false},
        {"sink away", "filter", POD_RUNS, SAYS("sink"), false},
        {"window overdue", "filter", POD_RUNS, SAYS("window"), false},
        {"input", "filter", POD_RUNS, SAYS("input"), false},
        {"no node", "filter", NOT_SCHEDULED, NULL, false},
        {"Secret missing", "filter", WAITS("CreateContainerConfigError", "secret not found"), NULL, false},
        {"volume missing", "filter", WAITS("ContainerCreating", ""), NULL, false},
};

static void change(struct world *world, const char *key)
{
	const char *value = !strcmp(key, "image") ? "\"registry/x:2\""
	                    : !strcmp(key, "podTemplate")
	                            ? "{\"spec\": {\"containers\": [{\"name\": \"side\", \"image\": "
	                              "\"side\"}]}}"
	                            : "\"bucket = 'a'\"";

	set_spec(world, key, value);
}

static void blame_test(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(blames) / sizeof(blames[0]); i++) {
		const struct blame *row = &blames[i];
		struct world world;
		char good[64];

		flowing(&world, "{\"rollback\": \"auto\", \"progressDeadline\": \"1m\"}");
		assert_int_equal(json_array_size(world.children[KIND_REVISION]), 1);
		snprintf(good, sizeof(good), "%s", noted(&world, NOTE_TEMPLATE_HASH));
		change(&world, row->changed);
		settle(&world);
		run_pod(&world, row->pod, row->document);
		world.now_ms += 59000;
		run_pod(&world, row->pod, row->document);
		if (object_at(world.job, "status", "rollback", NULL))
			fail_msg("%s: before the deadline", row->name);
		world.now_ms += 1000;
		run_pod(&world, row->pod, row->document);
		if ((object_at(world.job, "status", "rollback", NULL) != NULL) != row->jobs)
			fail_msg("%s: %s", row->name, row->jobs ? "not the job's" : "the job's");
		world_release(&world);
	}
}

/* Bad spec, back, restart, another spec. */
static void rollback_test(void **state)
{
	struct world world;
	char good[SPEC_HASH_SIZE], bad[SPEC_HASH_SIZE], *ready;
	json_t *given;

	(void)state;
	flowing(&world, "{\"rollback\": \"auto\", \"progressDeadline\": \"1m\"}");
	snprintf(good, sizeof(good), "%s", noted(&world, NOTE_SPEC_HASH));
	set_spec(&world, "filter", "\"bucket = 'a'\"");
	set_spec(&world, "image", "\"registry/x:2\"");
	given = json_deep_copy(json_object_get(world.job, "spec"));
	settle(&world);
	snprintf(bad, sizeof(bad), "%s", noted(&world, NOTE_SPEC_HASH));
	run_pod(&world, WAITS("ImagePullBackOff", "x: not found"), NULL);
	world.now_ms += 60000;
	settle(&world);
	assert_reason(&world, "Stalled", "True RolledBack");
	assert_string_equal(noted(&world, NOTE_SPEC_HASH), good);
	assert_string_equal(image(&world), "streamjob:test");
	assert_string_equal(noted(&world, NOTE_PREVIOUS), bad); /* a window that it began is finished */
	assert_true(json_equal(given, json_object_get(world.job, "spec")));
	run_pod(&world, POD_RUNS, FLOWS);
	assert_reason(&world, "Ready", "False RolledBack");
	assert_reason(&world, "Reconciling", "False");
	ready = world_condition(&world, "Ready");
	assert_non_null(strstr(ready, "generation 1 again and not that of generation 2"));
	assert_non_null(strstr(ready, "Running"));
	free(ready);
	world.now_ms += 600000;
	settle(&world);
	assert_string_equal(noted(&world, NOTE_SPEC_HASH), good);
	assert_string_equal(object_text(world.job, "status", "specHash", NULL), bad);
	assert_string_equal(object_text(world.job, "status", "runningHash", NULL), good);
	set_spec(&world, "image", "\"registry/x:3\"");
	settle(&world);
	assert_string_equal(image(&world), "registry/x:3");
	assert_null(object_at(world.job, "status", "rollback", NULL));
	run_pod(&world, POD_RUNS, FLOWS);
	assert_reason(&world, "Ready", "True Running");
	assert_reason(&world, "Stalled", "False");
	assert_int_equal(json_array_size(world.children[KIND_REVISION]), 1);
	json_decref(given);
	world_release(&world);
}

/* What the pods went back to has its turn as any other, and is held to what the installation allows. */
static void after_the_way_back_test(void **state)
{
	struct world world;
	json_t *spec;

	(void)state;
	flowing(&world, "{\"rollback\": \"auto\", \"progressDeadline\": \"1m\"}");
	set_spec(&world, "image", "\"registry/x:2\"");
	settle(&world);
	run_pod(&world, WAITS("ImagePullBackOff", "x: not found"), NULL);
	world.now_ms += 60000;
	settle(&world);
	assert_reason(&world, "Stalled", "True RolledBack");
	run_pod(&world, POD_RUNS, FLOWS);
	world.image = "streamjob:next";
	settle(&world);
	assert_true(waits(&world));
	assert_reason(&world, "Updated", "False WaitsForTurn");
	world.may_update = true;
	settle(&world);
	assert_string_equal(image(&world), "streamjob:next");
	run_pod(&world, POD_RUNS, FLOWS);
	assert_reason(&world, "Updated", "True UpToDate");
	spec = object_borrow(object_at(json_array_get(world.children[KIND_REVISION], 0), "data", "spec", NULL));
	json_object_set_new(spec, "podTemplate", json_pack("{s:{s:s}}", "spec", "serviceAccountName", "admin"));
	settle(&world);
	assert_false(waits(&world));
	assert_reason(&world, "Updated", "False NoRevision");
	assert_string_equal(object_text(deployment(&world), "spec", "template", "spec", "serviceAccountName", NULL),
	                    "home-feed");
	world_release(&world);
}

/* A crash after any write of the way back. */
static void crash_test(void **state)
{
	(void)state;
	for (size_t steps = 0; steps < 8; steps++) {
		struct world world;
		char good[SPEC_HASH_SIZE];

		flowing(&world, "{\"rollback\": \"auto\", \"progressDeadline\": \"1m\"}");
		snprintf(good, sizeof(good), "%s", noted(&world, NOTE_SPEC_HASH));
		set_spec(&world, "filter", "\"bucket = 'a'\"");
		settle(&world);
		run_pod(&world, ENDED("Error", "2", "usage"), NULL);
		world.now_ms += 60000;
		for (size_t turn = 0; turn < 8; turn++)
			world_turn(&world, turn < 3 ? steps : PLAN_STEPS_MAX);
		assert_string_equal(noted(&world, NOTE_SPEC_HASH), good);
		assert_reason(&world, "Ready", "False RolledBack");
		world_release(&world);
	}
}

/* No way back where none is asked for, where there is none, or where data flowed once. */
static void no_way_back_test(void **state)
{
	struct world world;

	(void)state;
	flowing(&world, "{\"progressDeadline\": \"1m\"}");
	assert_int_equal(json_array_size(world.children[KIND_REVISION]), 0);
	set_spec(&world, "filter", "\"bucket = 'a'\"");
	settle(&world);
	run_pod(&world, ENDED("Error", "2", "usage"), NULL);
	world.now_ms += 60000;
	settle(&world);
	assert_reason(&world, "Stalled", "True ProgressDeadlineExceeded");
	assert_reason(&world, "Reconciling", "False");
	assert_null(object_at(world.job, "status", "rollback", NULL));
	run_pod(&world, POD_RUNS, FLOWS);
	assert_reason(&world, "Stalled", "False");
	run_pod(&world, ENDED("Error", "139", ""), NULL);
	world.now_ms += 60000;
	settle(&world);
	assert_reason(&world, "Stalled", "False");
	world_release(&world);

	world_init(&world, "{\"rollback\": \"auto\", \"progressDeadline\": \"1m\"}"); /* the very first spec */
	settle(&world);
	run_pod(&world, ENDED("Error", "2", "usage"), NULL);
	world.now_ms += 60000;
	settle(&world);
	assert_reason(&world, "Stalled", "True ProgressDeadlineExceeded");
	world_release(&world);
}

/* The deadline of a spec that was changed while the job was suspended begins when its pods do. */
static void resumed_test(void **state)
{
	struct world world;

	(void)state;
	flowing(&world, "{\"progressDeadline\": \"1m\"}");
	set_spec(&world, "suspend", "true");
	set_spec(&world, "image", "\"registry/x:2\"");
	settle(&world);
	json_array_clear(world.children[KIND_POD]);
	settle(&world);
	world.now_ms += 600000;
	set_spec(&world, "suspend", "false");
	settle(&world);
	run_pod(&world, WAITS("ImagePullBackOff", "x: not found"), NULL);
	assert_reason(&world, "Stalled", "False");
	world.now_ms += 60000;
	settle(&world);
	assert_reason(&world, "Stalled", "True ProgressDeadlineExceeded");
	world_release(&world);
}

static void unknown_fields_test(void **state)
{
	struct world world;
	char *condition;

	(void)state;
	flowing(&world, "{}");
	assert_reason(&world, "SpecUnderstood", "True");
	set_spec(&world, "fieldOfNextYear", "{\"a\": 1}");
	set_spec(&world, "limits", "{\"groups\": 7, \"budget\": 1}");
	settle(&world);
	condition = world_condition(&world, "SpecUnderstood");
	assert_non_null(strstr(condition, "False UnknownFields"));
	assert_non_null(strstr(condition, "spec.fieldOfNextYear"));
	assert_non_null(strstr(condition, "spec.limits.budget"));
	free(condition);
	assert_reason(&world, "Stalled", "False");
	world_release(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(turn_test),
	        cmocka_unit_test(turn_length_test),
	        cmocka_unit_test(late_test),
	        cmocka_unit_test(bad_spec_test),
	        cmocka_unit_test(paused_test),
	        cmocka_unit_test(not_ready_before_test),
	        cmocka_unit_test(own_change_test),
	        cmocka_unit_test(earlier_operator_test),
	        cmocka_unit_test(blame_test),
	        cmocka_unit_test(rollback_test),
	        cmocka_unit_test(after_the_way_back_test),
	        cmocka_unit_test(crash_test),
	        cmocka_unit_test(no_way_back_test),
	        cmocka_unit_test(resumed_test),
	        cmocka_unit_test(unknown_fields_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
