#include "operator/reconcile/container.h"
#include "tests/unit/operator/reconcile/world.h"

#define SINKS "\"sinks\": [{\"target\": \"gateway\", \"healthy\": true, \"failures\": 0}]"

static void settle(struct world *world)
{
	for (int turns = 0; world_turn(world, PLAN_STEPS_MAX) > 0; turns++)
		assert_true(turns < 10);
}

/* The verdict on a pod with that status and that /status: what each condition begins with. */
static void verdict_test(void **state)
{
	static const struct {
		const char *name, *spec, *pod, *document; /* NULL: none */
		const char *ready, *reconciling, *functions, *sinks;
	} rows[] = {
	        {"no pod yet", "{}", NULL, NULL, "False Progressing ", "True Progressing ", "Unknown NoStatus ",
	         "Unknown NoStatus "},
	        {"a pod that is being started", "{}", "{\"phase\": \"Pending\"}", NULL, "False Progressing ",
	         "True Progressing ", "Unknown NoStatus ", "Unknown NoStatus "},
	        {"its init containers have ended", "{}",
	         "{\"phase\": \"Pending\", \"initContainerStatuses\": [{\"name\": \"i\", \"state\": {\"terminated\": "
	         "{\"exitCode\": 0, \"reason\": \"Completed\"}}}], \"containerStatuses\": [{\"name\": \"streamjob\", "
	         "\"state\": {\"waiting\": {\"reason\": \"PodInitializing\"}}}]}",
	         NULL, "False Progressing ", "True Progressing ", "Unknown NoStatus ", "Unknown NoStatus "},
	        {"its node threw it out", "{}",
	         "{\"phase\": \"Failed\", \"reason\": \"Evicted\", \"message\": \"Usage of EmptyDir volume exceeds the "
	         "limit \\\"1Gi\\\".\", \"conditions\": [{\"type\": \"Ready\", \"status\": \"False\", "
	         "\"lastTransitionTime\": \"2027-01-15T07:59:58Z\"}]}",
	         NULL,
	         "False PodFailing pod one was ended by its node (Evicted): Usage of EmptyDir volume exceeds the limit "
	         "\"1Gi\".; another pod takes its place",
	         "True Progressing ", "Unknown NoStatus ", "Unknown NoStatus "},
	        {"its node threw one out, long ago", "{}",
	         "{\"phase\": \"Failed\", \"reason\": \"Evicted\", \"message\": \"x\", \"conditions\": [{\"type\": "
	         "\"Ready\", \"status\": \"False\", \"lastTransitionTime\": \"2027-01-15T07:50:00Z\"}]}",
	         NULL, "False Progressing the pod is not there yet", "True Progressing ", "Unknown NoStatus ",
	         "Unknown NoStatus "},
	        {"its node does not answer", "{}",
	         "{\"phase\": \"Running\", \"podIP\": \"10.0.0.1\", \"conditions\": [{\"type\": \"Ready\", \"status\": "
	         "\"False\"}, {\"type\": \"ContainersReady\", \"status\": \"True\"}], \"containerStatuses\": "
	         "[{\"name\": \"streamjob\", \"restartCount\": 0, \"state\": {\"running\": {\"startedAt\": "
	         "\"2027-01-15T07:59:00Z\"}}}]}",
	         NULL, "False NodeUnreachable pod one cannot be asked, and its node ", "False UpToDate ",
	         "Unknown NoStatus ", "Unknown NoStatus "},
	        {"data flows", "{}", POD_RUNS, "{\"ready\": true, " SINKS "}", "True Running data flows",
	         "False UpToDate ", "True NoFunctions ", "True SinksHealthy "},
	        {"an older runtime without parts", "{}", POD_RUNS, "{\"ready\": false, \"notReadyReason\": \"why\"}",
	         "False NotReady why", "False UpToDate ", "True NoFunctions ", "True SinksHealthy "},
	        {"the source is away", "{}", POD_RUNS,
	         "{\"ready\": false, \"notReadyPart\": \"source\", \"notReadyReason\": \"no broker\", "
	         "\"uptimeSeconds\": 60, " SINKS "}",
	         "False SourceUnavailable no broker", "False UpToDate ", "True NoFunctions ", "True SinksHealthy "},
	        {"the source in its first seconds", "{}", POD_RUNS,
	         "{\"ready\": false, \"notReadyPart\": \"source\", \"notReadyReason\": \"no broker\", "
	         "\"uptimeSeconds\": 1, " SINKS "}",
	         "False Starting ", "False UpToDate ", "True NoFunctions ", "True SinksHealthy "},
	        {"a sink refuses", "{}", POD_RUNS,
	         "{\"ready\": false, \"notReadyPart\": \"sink\", \"notReadyReason\": \"sink gateway: 503\", "
	         "\"sinks\": [{\"target\": \"gateway\", \"healthy\": false, \"failures\": 2, \"lastError\": \"503\"}]}",
	         "False SinkFailing sink gateway: 503", "False UpToDate ", "True NoFunctions ",
	         "False SinkFailing sink gateway: 503"},
	        {"which sink, and since when", "{}", POD_RUNS,
	         "{\"ready\": false, \"notReadyPart\": \"sink\", \"notReadyReason\": \"sink gateway, since "
	         "2027-01-15T07:59:30.000Z: 503\", \"sinks\": [{\"target\": \"file\", \"healthy\": true}, {\"target\": "
	         "\"gateway\", \"healthy\": false, \"failures\": 2, \"failingSince\": \"2027-01-15T07:59:30.000Z\", "
	         "\"lastError\": \"503\"}]}",
	         "False SinkFailing sink gateway, since 2027-01-15T07:59:30.000Z: 503", "False UpToDate ",
	         "True NoFunctions ", "False SinkFailing sink gateway, since 2027-01-15T07:59:30.000Z: 503"},
	        {"a function fails", "{}", POD_RUNS,
	         "{\"ready\": true, \"functions\": [{\"name\": \"f\", \"healthy\": false, \"restarts\": 3, "
	         "\"lastError\": {\"message\": \"time-out\"}}], " SINKS "}",
	         "False FunctionFailing function f (3 restarts): time-out", "False UpToDate ",
	         "False FunctionFailing function f (3 restarts): time-out", "True SinksHealthy "},
	        {"functions are healthy", "{}", POD_RUNS,
	         "{\"ready\": true, \"functions\": [{\"name\": \"f\", \"healthy\": true}], " SINKS "}", "True Running ",
	         "False UpToDate ", "True FunctionsHealthy 1 function is healthy", "True SinksHealthy "},
	        {"a clock was set back: no words that count", "{}", POD_RUNS,
	         "{\"ready\": false, \"notReadyPart\": \"clock\", \"notReadyReason\": \"they are 17 s ahead\", " SINKS
	         "}",
	         "False ClockSetBack the clock of the pod's machine was set back or stands still, and the windows' "
	         "times are ahead of it; the pod's /readyz says by how much",
	         "False UpToDate ", "True NoFunctions ", "True SinksHealthy "},
	        {"a window is overdue: no words that count", "{}", POD_RUNS,
	         "{\"ready\": false, \"notReadyPart\": \"window\", \"notReadyReason\": \"it ended 12345 ms ago\", "
	         "\"lastWindow\": {\"end\": \"2027-01-15T07:58:00.000Z\"}, " SINKS "}",
	         "False WindowOverdue a window has ended and is not accepted by every sink; the last accepted one "
	         "ended "
	         "at 2027-01-15T07:58:00.000Z",
	         "False UpToDate ", "True NoFunctions ", "True SinksHealthy "},
	        {"the job has failed", "{}", POD_RUNS,
	         "{\"ready\": false, \"notReadyPart\": \"failed\", \"notReadyReason\": \"offsets are lost\", " SINKS
	         "}",
	         "False JobFailed offsets are lost", "False UpToDate ", "True NoFunctions ", "True SinksHealthy "},
	        {"a pod that is not asked yet", "{}", POD_RUNS, NULL, "False Starting ", "True Starting ",
	         "Unknown NoStatus ", "Unknown NoStatus "},
	        {"no image", "{}",
	         "{\"phase\": \"Pending\", \"containerStatuses\": [{\"name\": \"streamjob\", \"state\": {\"waiting\": "
	         "{\"reason\": \"ErrImagePull\", \"message\": \"not found\"}}}]}",
	         NULL, "False PodFailing container streamjob of pod one waits: ErrImagePull: not found",
	         "True PodFailing ", "Unknown NoStatus ", "Unknown NoStatus "},
	        {"a crash loop, in the runtime's words", "{}",
	         "{\"phase\": \"Running\", \"containerStatuses\": [{\"name\": \"streamjob\", \"restartCount\": 2, "
	         "\"state\": {\"waiting\": {\"reason\": \"CrashLoopBackOff\", \"message\": \"back-off\"}}, "
	         "\"lastState\": "
	         "{\"terminated\": {\"exitCode\": 1, \"reason\": \"Error\", \"message\": \"no such topic\"}}}]}",
	         NULL,
	         "False PodFailing container streamjob of pod one ended (Error, exit code 1, 2 restarts): no such "
	         "topic; "
	         "back-off",
	         "True PodFailing ", "Unknown NoStatus ", "Unknown NoStatus "},
	        {"code of a function that does not load", "{}",
	         "{\"phase\": \"Running\", \"containerStatuses\": [{\"name\": \"streamjob\", \"restartCount\": 2, "
	         "\"state\": {\"waiting\": {\"reason\": \"CrashLoopBackOff\", \"message\": \"back-off\"}}, "
	         "\"lastState\": {\"terminated\": {\"exitCode\": 2, \"reason\": \"Error\", \"message\": "
	         "\"function f, import: no module x\"}}}]}",
	         NULL,
	         "False FunctionFailing container streamjob of pod one ended (Error, exit code 2, 2 restarts): "
	         "function "
	         "f, import: no module x; back-off",
	         "False UpToDate ", "False FunctionFailing container streamjob of pod one ended", "Unknown NoStatus "},
	        {"the same, begun anew", "{}",
	         "{\"phase\": \"Running\", \"containerStatuses\": [{\"name\": \"streamjob\", \"restartCount\": 2, "
	         "\"state\": {\"running\": {\"startedAt\": \"2027-01-15T07:59:59Z\"}}, "
	         "\"lastState\": {\"terminated\": {\"exitCode\": 2, \"reason\": \"Error\", \"message\": "
	         "\"function f, import: no module x\"}}}]}",
	         NULL, "False FunctionFailing container streamjob of pod one ended (Error, exit code 2, 2 restarts): ",
	         "False UpToDate ", "False FunctionFailing ", "Unknown NoStatus "},
	        {"a job file that the runtime does not know", "{}",
	         "{\"phase\": \"Running\", \"containerStatuses\": [{\"name\": \"streamjob\", \"restartCount\": 2, "
	         "\"state\": {\"waiting\": {\"reason\": \"CrashLoopBackOff\", \"message\": \"back-off\"}}, "
	         "\"lastState\": {\"terminated\": {\"exitCode\": 2, \"reason\": \"Error\", \"message\": "
	         "\"job.yaml:3:1: spec.new: unknown field\"}}}]}",
	         NULL, "False PodFailing container streamjob of pod one ended", "True PodFailing ", "Unknown NoStatus ",
	         "Unknown NoStatus "},
	        {"an init container fails", "{}",
	         "{\"phase\": \"Pending\", \"initContainerStatuses\": [{\"name\": \"fetch\", \"state\": {\"waiting\": "
	         "{\"reason\": \"CreateContainerConfigError\", \"message\": \"no key\"}}}]}",
	         NULL, "False PodFailing container fetch of pod one waits: CreateContainerConfigError: no key",
	         "True PodFailing ", "Unknown NoStatus ", "Unknown NoStatus "},
	        {"no node", "{}",
	         "{\"phase\": \"Pending\", \"conditions\": [{\"type\": \"PodScheduled\", \"status\": \"False\", "
	         "\"message\": \"0/1 nodes\"}]}",
	         NULL, "False PodFailing pod one is not scheduled: 0/1 nodes", "True PodFailing ", "Unknown NoStatus ",
	         "Unknown NoStatus "},
	        {"suspended", "{\"suspend\": true}", NULL, NULL, "True Suspended spec.suspend is true",
	         "False UpToDate ", "Unknown NoStatus ", "Unknown NoStatus "},
	        {"no pods asked for", "{\"parallelism\": 0}", NULL, NULL, "True Suspended spec.parallelism is 0",
	         "False UpToDate ", "Unknown NoStatus ", "Unknown NoStatus "},
	        {"suspended, and it drains", "{\"suspend\": true}", POD_RUNS, "{\"ready\": true, " SINKS "}",
	         "False Draining ", "True Draining ", "True NoFunctions ", "True SinksHealthy "},
	};
	static const char *const types[] = {"Ready", "Reconciling", "FunctionsHealthy", "SinksHealthy"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *expected[] = {rows[i].ready, rows[i].reconciling, rows[i].functions, rows[i].sinks};
		struct world world;

		print_message("%s\n", rows[i].name);
		world_init(&world, rows[i].spec);
		settle(&world);
		if (rows[i].pod)
			world_pod(&world, "one", rows[i].pod);
		if (rows[i].document)
			world_report(&world, "one", rows[i].document);
		settle(&world);
		for (size_t k = 0; k < 4; k++) {
			char *text = world_condition(&world, types[k]);

			if (strncmp(text, expected[k], strlen(expected[k])) != 0)
				fail_msg("%s: %s is \"%s\", not \"%s\"", rows[i].name, types[k], text, expected[k]);
			free(text);
		}
		world_release(&world);
	}
}

/* What the runtime says of its input. */
static void input_test(void **state)
{
	static const struct {
		const char *name, *document; /* NULL: it does not answer */
		const char *input;
	} rows[] = {
	        {"no answer", NULL, "Unknown NoStatus "},
	        {"a runtime that does not say", "{\"ready\": true}", "Unknown NotReported "},
	        {"it says nothing that is known", "{\"ready\": true, \"input\": {}}", "Unknown NotReported "},
	        {"good rows",
	         "{\"ready\": true, \"input\": {\"ok\": true, \"reason\": \"RowsGood\", \"message\": \"\"}}",
	         "True RowsGood the rows that are read can be used"},
	        {"bad rows",
	         "{\"ready\": true, \"input\": {\"ok\": false, \"reason\": \"BadRows\", \"message\": "
	         "\"7 % of the rows\"}}",
	         "False BadRows 7 % of the rows"},
	        {"a reason that is none", "{\"ready\": true, \"input\": {\"ok\": false, \"reason\": \"7 % bad\"}}",
	         "False BadInput no error was given"},
	        {"a reason that the CRD would refuse",
	         "{\"ready\": true, \"input\": {\"ok\": true, \"reason\": "
	         "\"A12345678901234567890123456789012345678901234567890123456789012345\"}}",
	         "True InputOK "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const json_t *condition;
		struct world world;
		char *text;

		print_message("%s\n", rows[i].name);
		world_init(&world, "{}");
		settle(&world);
		world_pod(&world, "one", POD_RUNS);
		if (rows[i].document)
			world_report(&world, "one", rows[i].document);
		settle(&world);
		condition = object_condition(object_at(world.job, "status", "conditions", NULL), "InputOK");
		assert_int_equal(object_integer(condition, "observedGeneration", NULL), 1);
		text = world_condition(&world, "InputOK");
		if (strncmp(text, rows[i].input, strlen(rows[i].input)) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", rows[i].name, text, rows[i].input);
		free(text);
		world_release(&world);
	}
}

/* lastTransitionTime is when the status changed, not when it was last written. */
static void transition_test(void **state)
{
	struct world world;
	const json_t *ready;

	(void)state;
	world_init(&world, "{}");
	settle(&world);
	world.now_ms += 60000;
	world_pod(&world, "one", POD_RUNS);
	world_report(&world, "one", "{\"ready\": false, \"notReadyPart\": \"sink\"}");
	settle(&world);
	ready = object_condition(object_at(world.job, "status", "conditions", NULL), "Ready");
	assert_string_equal(object_text(ready, "lastTransitionTime", NULL), "2027-01-15T08:00:00Z");
	world_report(&world, "one", "{\"ready\": true, " SINKS "}");
	settle(&world);
	ready = object_condition(object_at(world.job, "status", "conditions", NULL), "Ready");
	assert_string_equal(object_text(ready, "lastTransitionTime", NULL), "2027-01-15T08:01:00Z");
	world_release(&world);
}

/* What a process said counts only until the next one is there; how it ended is the last error until a later one. */
static void restart_test(void **state)
{
	static const struct {
		const char *name, *ended, *document;
		const char *ready, *last_error;
	} rows[] = {
	        {"killed, and not asked since",
	         "{\"exitCode\": 137, \"reason\": \"Error\", \"finishedAt\": \"2027-01-15T07:59:50Z\"}", NULL,
	         "False Starting the pod has started; its first status is awaited",
	         "container streamjob of pod one ended (Error, exit code 137, 1 restarts)"},
	        {"killed, and flows again",
	         "{\"exitCode\": 137, \"reason\": \"OOMKilled\", \"finishedAt\": \"2027-01-15T07:59:50Z\"}",
	         "{\"ready\": true, \"lastError\": {\"at\": \"2027-01-15T07:59:40.123Z\", \"message\": \"older\"}}",
	         "True Running data flows",
	         "container streamjob of pod one ended (OOMKilled, exit code 137, 1 restarts)"},
	        {"a later error of the runtime",
	         "{\"exitCode\": 1, \"reason\": \"Error\", \"finishedAt\": \"2027-01-15T07:59:50Z\"}",
	         "{\"ready\": true, \"lastError\": {\"at\": \"2027-01-15T07:59:55.123Z\", \"message\": \"later\"}}",
	         "True Running data flows", "later"},
	        {"ended well", "{\"exitCode\": 0, \"reason\": \"Completed\", \"finishedAt\": \"2027-01-15T07:59:50Z\"}",
	         "{\"ready\": true}", "True Running data flows", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world world;
		json_t *container;
		char *ready;

		print_message("%s\n", rows[i].name);
		world_init(&world, "{}");
		settle(&world);
		container = object_borrow(container_status(world_pod(&world, "one", POD_RUNS)));
		world_report(&world, "one", "{\"ready\": true, " SINKS "}");
		settle(&world);
		json_object_set_new(container, "restartCount", json_integer(1));
		json_object_set_new(object_borrow(object_at(container, "state", "running", NULL)), "startedAt",
		                    json_string("2027-01-15T07:59:51Z"));
		json_object_set_new(container, "lastState",
		                    json_pack("{s:o}", "terminated", json_loads(rows[i].ended, 0, NULL)));
		if (rows[i].document)
			world_report(&world, "one", rows[i].document);
		settle(&world);
		ready = world_condition(&world, "Ready");
		assert_string_equal(ready, rows[i].ready);
		assert_string_equal(object_text(world.job, "status", "lastError", "message", NULL), rows[i].last_error);
		free(ready);
		world_release(&world);
	}
}

static void refused_test(void **state)
{
	struct world world;
	struct observed observed;
	struct plan plan;
	struct error words;
	const json_t *ready;
	json_t *status;

	(void)state;
	world_init(&world, "{}");
	world_look(&world, &observed, &plan);
	error_write(&words, "exceeded quota");
	status = plan_status(&plan, &plan.steps[0], &words);
	ready = object_condition(object_at(status, "status", "conditions", NULL), "Ready");
	assert_string_equal(object_text(ready, "reason", NULL), "ApplyFailed");
	assert_string_equal(object_text(ready, "message", NULL), "ServiceAccount home-feed: exceeded quota");
	assert_int_equal(plan.events_count, 1);
	assert_true(plan.events[0].warning);
	json_decref(status);
	plan_release(&plan);
	world_release(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(verdict_test), cmocka_unit_test(input_test),
	                                   cmocka_unit_test(transition_test), cmocka_unit_test(restart_test),
	                                   cmocka_unit_test(refused_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
