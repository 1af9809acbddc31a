/* Pause, restart, suspend and resume in any order, and a source that has an end. */
#include "tests/unit/operator/reconcile/world.h"

static void settle(struct world *world)
{
	int turns = 0;

	do { /* a status that was written may lead to more */
		assert_true(turns++ < 10);
		world_turn(world, PLAN_STEPS_MAX);
	} while (world_turn(world, PLAN_STEPS_MAX) > 0);
}

static json_t *deployment(struct world *world)
{
	return world_named(world, KIND_DEPLOYMENT, "home-feed");
}

static int replicas(struct world *world)
{
	return (int)object_integer(deployment(world), "spec", "replicas", NULL);
}

static void annotate(struct world *world, const char *name, const char *value)
{
	json_t *metadata = json_object_get(world->job, "metadata"), *notes = json_object_get(metadata, "annotations");

	if (!notes) {
		notes = json_object();
		json_object_set_new(metadata, "annotations", notes);
	}
	if (value)
		json_object_set_new(notes, name, json_string(value));
	else
		json_object_del(notes, name);
}

static void set_spec(struct world *world, const char *key, json_t *value)
{
	json_t *metadata = json_object_get(world->job, "metadata");

	json_object_set_new(json_object_get(world->job, "spec"), key, value);
	json_object_set_new(metadata, "generation",
	                    json_integer(object_integer(world->job, "metadata", "generation", NULL) + 1));
}

static void expect(struct world *world, const char *type, const char *begins)
{
	char *text = world_condition(world, type);

	if (strncmp(text, begins, strlen(begins)) != 0)
		fail_msg("%s is \"%s\", expected \"%s\"", type, text, begins);
	free(text);
}

static void pause_test(void **state)
{
	struct world world;

	(void)state;
	world_init(&world, "{}");
	settle(&world);
	annotate(&world, NOTE_PAUSED, "true");
	json_object_set_new(json_object_get(deployment(&world), "spec"), "replicas", json_integer(7));
	settle(&world);
	assert_int_equal(replicas(&world), 7);
	expect(&world, "Paused", "True Paused");
	expect(&world, "Reconciling", "True Paused");
	set_spec(&world, "suspend", json_true());
	settle(&world);
	assert_int_equal(replicas(&world), 7);
	annotate(&world, NOTE_PAUSED, "false");
	settle(&world);
	assert_int_equal(replicas(&world), 0);
	expect(&world, "Paused", "  ");
	annotate(&world, NOTE_PAUSED, "true");
	set_spec(&world, "filter", json_string("bucket = 'a'"));
	settle(&world);
	expect(&world, "Reconciling", "True Paused");
	/* A deletion goes on. */
	json_object_set_new(json_object_get(world.job, "metadata"), "deletionTimestamp",
	                    json_string("2027-01-15T08:00:00Z"));
	settle(&world);
	expect(&world, "Ready", "False Deleting");
	world_release(&world);
}

static json_int_t rollout(struct world *world)
{
	return (json_int_t)object_integer(world->job, "status", "rollout", "number", NULL);
}

static void restart_test(void **state)
{
	struct world world;
	json_int_t before;

	(void)state;
	world_init(&world, "{}");
	settle(&world);
	before = rollout(&world);
	annotate(&world, NOTE_RESTART, "1");
	settle(&world);
	assert_int_equal(rollout(&world), before + 1);
	assert_string_equal(
	        object_text(deployment(&world), "spec", "template", "metadata", "annotations", NOTE_RESTART, NULL),
	        "1");
	settle(&world);
	assert_int_equal(rollout(&world), before + 1);
	world_release(&world);
}

#define COMPLETED "{\"phase\": \"completed\", \"ready\": true, \"sinks\": [], \"functions\": []}"

static void succeed(struct world *world)
{
	world_pod(world, "one", POD_RUNS);
	world_report(world, "one", COMPLETED);
	settle(world);
	assert_int_equal(replicas(world), 0);
	expect(world, "Ready", "True Succeeded");
	world_remove(world, KIND_POD, "one");
	settle(world);
	assert_int_equal(replicas(world), 0);
	expect(world, "Ready", "True Succeeded");
	expect(world, "Succeeded", "True Succeeded");
	expect(world, "Reconciling", "False UpToDate");
}

static void completed_test(void **state)
{
	struct world world;

	(void)state;
	world_init(&world, "{}");
	settle(&world);
	succeed(&world);
	annotate(&world, NOTE_RESTART, "again");
	settle(&world);
	assert_int_equal(replicas(&world), 1);
	expect(&world, "Ready", "False Progressing");
	expect(&world, "Succeeded", "  ");
	succeed(&world);
	set_spec(&world, "filter", json_string("bucket = 'a'"));
	settle(&world);
	assert_int_equal(replicas(&world), 1);
	/* A pod of the job file before it that has come to the end says nothing of this one. */
	world_pod(&world, "old", POD_RUNS);
	json_object_set_new(
	        json_object_get(json_object_get(world_named(&world, KIND_POD, "old"), "metadata"), "annotations"),
	        NOTE_SPEC_HASH, json_string("0123456789abcdef"));
	world_report(&world, "old", COMPLETED);
	settle(&world);
	assert_int_equal(replicas(&world), 1);
	expect(&world, "Ready", "False Progressing");
	world_release(&world);
}

/* What the Deployment's controller and the kubelet do, one thing at a time. */
static void play_pods(struct world *world, uint64_t choice)
{
	json_t *pod = json_array_get(world->children[KIND_POD], 0);
	char name[32];

	if (!pod && replicas(world)) {
		snprintf(name, sizeof(name), "pod-%d", world->serial);
		world_pod(world, name, POD_RUNS);
	} else if (pod && object_is_deleted(pod) && choice % 2) {
		json_array_remove(world->children[KIND_POD], 0);
	} else if (pod && !replicas(world)) {
		json_object_set_new(json_object_get(pod, "metadata"), "deletionTimestamp",
		                    json_string("2027-01-15T08:40:00Z"));
	}
}

/* Any order and any speed: at the end there is what was asked for last, and never were there two pods. */
static void any_order_test(void **state)
{
	uint64_t random = 20261129;

	(void)state;
	for (int round = 0; round < 200; round++) {
		bool suspend = false;
		struct world world;

		world_init(&world, "{}");
		for (int step = 0; step < 40; step++) {
			random = random * 6364136223846793005U + 1442695040888963407U;
			switch (random >> 33 & 7) {
			case 0:
			case 1:
				suspend = !suspend;
				set_spec(&world, "suspend", json_boolean(suspend));
				break;
			case 2:
				annotate(&world, NOTE_RESTART, random >> 40 & 1 ? "a" : "b");
				break;
			case 3:
				annotate(&world, NOTE_PAUSED, random >> 40 & 1 ? "true" : NULL);
				break;
			case 4:
			case 5:
				play_pods(&world, random >> 41);
				break;
			default: /* a look that may be cut off after any write */
				world_turn(&world, random >> 42 & 1 ? PLAN_STEPS_MAX : random >> 43 & 7);
			}
			assert_true(json_array_size(world.children[KIND_POD]) <= 1);
		}
		annotate(&world, NOTE_PAUSED, NULL);
		for (int step = 0; step < 8; step++) {
			settle(&world);
			play_pods(&world, 1);
		}
		settle(&world);
		assert_int_equal(replicas(&world), suspend ? 0 : 1);
		assert_int_equal(json_array_size(world.children[KIND_POD]), suspend ? 0 : 1);
		expect(&world, "Ready", suspend ? "True Suspended" : "False ");
		expect(&world, "Suspended", suspend ? "True " : "  ");
		world_release(&world);
	}
}

/* A pod that was to end on a node that is away: said half a minute past its time, with the way out. */
static void overdue_test(void **state)
{
	struct world world;
	json_t *pod;

	(void)state;
	world_init(&world, "{}");
	settle(&world);
	pod = world_pod(&world, "one", POD_RUNS);
	json_object_set_new(json_object_get(pod, "metadata"), "deletionTimestamp", json_string("2027-01-15T08:00:00Z"));
	settle(&world);
	expect(&world, "Ready", "False Draining");
	world.now_ms += 31000;
	settle(&world);
	expect(&world, "Ready", "False NodeUnreachable pod one should have ended by 2027-01-15T08:00:00Z");
	set_spec(&world, "suspend", json_true());
	settle(&world);
	expect(&world, "Ready", "False NodeUnreachable ");
	world_remove(&world, KIND_POD, "one");
	settle(&world);
	expect(&world, "Ready", "True Suspended");
	world_release(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(pause_test), cmocka_unit_test(restart_test),
	                                   cmocka_unit_test(completed_test), cmocka_unit_test(any_order_test),
	                                   cmocka_unit_test(overdue_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
