/* What is said of a pod that this operator has not been told how it is: after a start, a change of leader, a lost
 * answer. */
#include "tests/unit/operator/reconcile/world.h"

#define FLOWS                                                                                                          \
	"{\"ready\": true, \"partitions\": [{\"lag\": 7}], \"owner\": {\"role\": \"owner\", \"process\": \"p1\"}, "    \
	"\"sinks\": [{\"target\": \"gateway\", \"healthy\": true}], \"rows\": {\"in\": 1}}"
#define FAILS                                                                                                          \
	"{\"ready\": false, \"notReadyPart\": \"sink\", \"notReadyReason\": \"503\", \"sinks\": [{\"target\": "        \
	"\"gateway\", \"healthy\": false, \"failures\": 2, \"lastError\": \"503\"}]}"

static void settle(struct world *world)
{
	for (int turns = 0; world_turn(world, PLAN_STEPS_MAX) > 0; turns++)
		assert_true(turns < 10);
}

/* The pod has not answered for so long; `document`: what it said 1 s before that, or NULL. */
static void go_silent(struct world *world, int64_t silent_ms, const char *document)
{
	int64_t since_ms = world->now_ms - silent_ms;
	json_t *report = json_pack("{s:I, s:I, s:s, s:i}", "at", (json_int_t)since_ms, "failingSince",
	                           (json_int_t)since_ms, "error", "no route", "restarts", 0);

	if (document) {
		json_object_set_new(report, "document", json_loads(document, 0, NULL));
		json_object_set_new(report, "at", json_integer(since_ms - 1000));
	}
	json_object_set_new(world->reports, "uid-one", report);
}

struct keep_case {
	const char *name, *told; /* what the operator before was told; NULL: nothing */
	int64_t silent_ms;       /* -1: this operator has not asked */
	const char *said;        /* what the pod said to this one before it went silent; NULL: nothing */
	const char *ready, *sinks;
	int64_t lag; /* -1: none */
	bool writes; /* the status is another */
};

static void check(const struct keep_case *row)
{
	struct world world;
	char *ready, *sinks;
	json_t *before;

	world_init(&world, "{\"filter\": \"bucket = 'a'\"}");
	settle(&world);
	world_pod(&world, "one", POD_RUNS);
	if (row->told)
		world_report(&world, "one", row->told);
	settle(&world);
	before = json_incref(json_object_get(world.job, "status"));
	json_object_clear(world.reports);
	world.now_ms += 60000;
	if (row->silent_ms >= 0)
		go_silent(&world, row->silent_ms, row->said);
	settle(&world);
	ready = world_condition(&world, "Ready");
	sinks = world_condition(&world, "SinksHealthy");
	if (strncmp(ready, row->ready, strlen(row->ready)) != 0 || strncmp(sinks, row->sinks, strlen(row->sinks)) != 0)
		fail_msg("%s: \"%s\", \"%s\"", row->name, ready, sinks);
	if (row->lag >= 0)
		assert_int_equal(object_integer(world.job, "status", "lag", NULL), row->lag);
	else
		assert_null(object_at(world.job, "status", "lag", NULL));
	assert_int_equal(!json_equal(before, json_object_get(world.job, "status")), row->writes);
	free(ready);
	free(sinks);
	json_decref(before);
	world_release(&world);
}

static void keep_test(void **state)
{
	static const struct keep_case rows[] = {
	        {"not asked, data flowed", FLOWS, -1, NULL, "True Running ", "True SinksHealthy ", 7, false},
	        {"not asked, a sink failed", FAILS, -1, NULL, "False SinkFailing 503", "False SinkFailing ", -1, false},
	        {"not asked, and nothing was known", NULL, -1, NULL, "False Starting the pod runs; its status",
	         "Unknown NoStatus ", -1, false},
	        {"one answer is lost", FLOWS, 0, NULL, "True Running ", "True SinksHealthy ", 7, false},
	        {"one answer is lost, after another", FLOWS, 0, FAILS, "False SinkFailing ", "False SinkFailing ", -1,
	         true},
	        {"silent for long", FLOWS, 8000, NULL, "False StatusUnreachable ", "Unknown NoStatus ", -1, true},
	        {"silent for long, after an answer", FLOWS, 8000, FLOWS, "False StatusUnreachable ",
	         "Unknown NoStatus ", -1, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].name);
		check(&rows[i]);
	}
}

/* A spec that was bad when the operator stopped says nothing of a pod once it is good. */
static void repaired_test(void **state)
{
	struct world world;
	char *ready, *sinks;

	(void)state;
	world_init(&world, "{\"filter\": \"bucket = 'a'\"}");
	settle(&world);
	world_pod(&world, "one", POD_RUNS);
	world_report(&world, "one", FLOWS);
	json_object_set_new(json_object_get(world.job, "spec"), "filter", json_string("bucket = "));
	settle(&world);
	json_object_clear(world.reports);
	json_object_set_new(json_object_get(world.job, "spec"), "filter", json_string("bucket = 'a'"));
	settle(&world);
	ready = world_condition(&world, "Ready");
	sinks = world_condition(&world, "SinksHealthy");
	assert_int_equal(strncmp(ready, "False Starting ", 15), 0);
	assert_int_equal(strncmp(sinks, "True SinksHealthy ", 18), 0);
	free(ready);
	free(sinks);
	world_release(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(keep_test), cmocka_unit_test(repaired_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
