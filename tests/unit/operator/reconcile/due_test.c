/* When a status is written. */
#include "tests/unit/operator/reconcile/world.h"

#define SINKS "\"sinks\": [{\"target\": \"gateway\", \"healthy\": true, \"failures\": 0}]"

static void settle(struct world *world)
{
	for (int turns = 0; world_turn(world, PLAN_STEPS_MAX) > 0; turns++)
		assert_true(turns < 10);
}

static bool writes_status(struct world *world, int64_t *ret_again_ms)
{
	struct observed observed;
	struct plan plan;
	json_t *status;

	world_look(world, &observed, &plan);
	status = plan_status(&plan, NULL, NULL);
	*ret_again_ms = plan.again_ms;
	json_decref(status);
	plan_release(&plan);
	return status != NULL;
}

#define WINDOW(end) "\"lastWindow\": {\"end\": \"2027-01-15T08:" end ":00.000Z\"}"
#define TOLD                                                                                                           \
	"{\"ready\": true, \"lag\": 1000, \"rows\": {\"in\": 1}, \"life\": \"a\", \"sequence\": 1, " WINDOW(           \
	        "00") ", " SINKS "}"

/* Conditions at once, their words soon, figures now and then where a reader would notice; nothing when nothing changed.
 */
static void due_test(void **state)
{
	static const struct {
		const char *name, *document;
		int64_t age_ms;
		bool writes;
		int64_t again_ms;
	} rows[] = {
	        {"the same again", TOLD, 1000, false, 0},
	        {"rows of an open window",
	         "{\"ready\": true, \"lag\": 1000, \"rows\": {\"in\": 2}, " WINDOW("00") ", " SINKS "}", FIGURES_MS,
	         false, 0},
	        {"a lag like the last one",
	         "{\"ready\": true, \"lag\": 1090, \"rows\": {\"in\": 2}, " WINDOW("00") ", " SINKS "}", FIGURES_MS,
	         false, 0},
	        {"a lag that moved",
	         "{\"ready\": true, \"lag\": 1200, \"rows\": {\"in\": 1}, " WINDOW("00") ", " SINKS "}", FIGURES_MS,
	         true, 0},
	        {"a lag that went", "{\"ready\": true, \"lag\": 0, \"rows\": {\"in\": 1}, " WINDOW("00") ", " SINKS "}",
	         FIGURES_MS, true, 0},
	        {"a window, soon after",
	         "{\"ready\": true, \"lag\": 1000, \"rows\": {\"in\": 2}, " WINDOW("01") ", " SINKS "}", 1000, false,
	         FIGURES_MS - 1000},
	        {"a window, in time",
	         "{\"ready\": true, \"lag\": 1000, \"rows\": {\"in\": 2}, " WINDOW("01") ", " SINKS "}", FIGURES_MS,
	         true, 0},
	        {"another life", "{\"ready\": true, \"lag\": 1000, \"life\": \"b\", " SINKS "}", 1000, true, 0},
	        {"more of a life", "{\"ready\": true, \"lag\": 1000, \"life\": \"a\", \"sequence\": 2, " SINKS "}",
	         1000, false, FIGURES_MS - 1000},
	        {"bad input", "{\"ready\": true, \"input\": {\"ok\": false}, " SINKS "}", 1000, true, 0},
	        {"a condition", "{\"ready\": false, \"notReadyPart\": \"sink\", " SINKS "}", 1000, true, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world world;
		int64_t again_ms;

		print_message("%s\n", rows[i].name);
		world_init(&world, "{}");
		settle(&world);
		world_pod(&world, "one", POD_RUNS);
		world_report(&world, "one", TOLD);
		settle(&world);
		world_report(&world, "one", rows[i].document);
		world.figures_age_ms = rows[i].age_ms;
		world.now_ms += 5000;
		assert_int_equal(writes_status(&world, &again_ms), rows[i].writes);
		assert_int_equal(again_ms, rows[i].again_ms);
		world_release(&world);
	}
}

/* The words of what is wrong are written soon, though not at each change. */
static void words_test(void **state)
{
	static const char first[] =
	        "{\"ready\": false, \"notReadyPart\": \"sink\", \"notReadyReason\": \"a\", " SINKS "}";
	static const char next[] =
	        "{\"ready\": false, \"notReadyPart\": \"sink\", \"notReadyReason\": \"b\", " SINKS "}";
	struct world world;
	int64_t again_ms;

	(void)state;
	world_init(&world, "{}");
	settle(&world);
	world_pod(&world, "one", POD_RUNS);
	world.now_ms += 60000;
	world_report(&world, "one", first);
	settle(&world);
	world_report(&world, "one", next);
	world.figures_age_ms = WORDS_MS - 1;
	assert_false(writes_status(&world, &again_ms));
	assert_int_equal(again_ms, 1);
	world.figures_age_ms = WORDS_MS;
	assert_true(writes_status(&world, &again_ms));
	world_release(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(due_test), cmocka_unit_test(words_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
