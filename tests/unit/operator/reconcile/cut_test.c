/*
 * Whatever somebody writes into a StreamJob, what the operator says of it is text: words that are cut are cut between
 * characters. Each text of the job, one after the other, becomes a long one, so that each cut falls on each byte of a
 * character.
 */
#include <string.h>

#include "lib/base/text.h"
#include "operator/reconcile/container.h"
#include "operator/reconcile/groups.h"
#include "operator/reconcile/trim.h"
#include "tests/unit/operator/reconcile/world.h"

#define CHARACTER  "\xf0\x9f\x98\x80" /* four bytes */
#define CHARACTERS 1000               /* more than any words have place for */

static json_t *long_text(size_t before)
{
	struct buffer text;
	json_t *json;

	buffer_init(&text);
	for (size_t i = 0; i < before; i++)
		buffer_append_char(&text, 'x');
	for (size_t i = 0; i < CHARACTERS; i++)
		buffer_append_text(&text, CHARACTER);
	json = json_string(text.data);
	buffer_release(&text);
	return json;
}

/* The texts under `json` are counted; the one of that number is replaced. False: there are not so many. */
static bool replace(json_t *json, size_t *number, json_t *text)
{
	const char *key;
	json_t *value;
	size_t index;
	void *next;

	json_object_foreach_safe(json, next, key, value)
	{
		if (json_is_string(value) && (*number)-- == 0) {
			json_object_set(json, key, text);
			return true;
		}
		if (replace(value, number, text))
			return true;
	}
	json_array_foreach(json, index, value)
	{
		if (json_is_string(value) && (*number)-- == 0) {
			json_array_set(json, index, text);
			return true;
		}
		if (replace(value, number, text))
			return true;
	}
	return false;
}

static void expect_text(const json_t *json, size_t number)
{
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	if (!text)
		fail_msg("what is said of text %zu is no text", number);
	free(text);
}

/* `job` is what is given; a look, its steps, Events and status. */
static void look(struct world *world, size_t number)
{
	struct observed observed;
	struct plan plan;
	json_t *status;

	trim_object(KIND_STREAM_JOB, world->job);
	world_look(world, &observed, &plan);
	status = plan_status(&plan, NULL, NULL);
	for (size_t i = 0; i < plan.events_count; i++)
		expect_text(plan.events[i].note, number);
	for (size_t i = 0; i < plan.steps_count; i++)
		expect_text(plan.steps[i].object, number);
	if (status) {
		const json_t *conditions = object_at(status, "status", "conditions", NULL);

		expect_text(status, number);
		assert_true(json_array_size(conditions) > 5);
		for (size_t i = 0; i < json_array_size(conditions); i++)
			assert_true(object_text(json_array_get(conditions, i), "type", NULL)[0]);
	}
	json_decref(status);
	plan_release(&plan);
}

/* Else nothing but its problems would be looked at. */
static void expect_good(json_t *given)
{
	struct world world;
	char *stalled;

	world_init(&world, "{}");
	json_decref(world.job);
	world.job = json_deep_copy(given);
	(void)world_turn(&world, PLAN_STEPS_MAX);
	stalled = world_condition(&world, "Stalled");
	if (strncmp(stalled, "False", 5) != 0)
		fail_msg("%s", stalled);
	free(stalled);
	world_release(&world);
}

static json_t *given_job(void)
{
	static const char spec[] =
	        "{\"source\": {\"kafka\": {\"bootstrapServers\": \"kafka:9092\", \"topic\": \"events\", \"groupId\": "
	        "\"g\"}}, \"filter\": \"bucket = 'a'\", \"image\": \"i\", \"class\": \"c\", "
	        "\"select\": [{\"name\": \"s\", \"expr\": \"bucket\"}], \"having\": \"n > 1\", "
	        "\"functions\": [{\"name\": \"f\", \"kind\": \"scalar\", \"entrypoint\": \"m:f\", \"arguments\": "
	        "[{\"type\": \"STRING\"}], \"returns\": [{\"name\": \"r\", \"type\": \"STRING\"}], \"code\": "
	        "{\"configMapRef\": "
	        "{\"name\": \"code\", \"key\": \"m.py\"}}}], \"rollback\": \"auto\", \"deadLetter\": {\"kafka\": "
	        "{\"bootstrapServers\": \"kafka:9092\", \"topic\": \"bad\"}}, \"podTemplate\": {\"spec\": "
	        "{\"serviceAccountName\": \"a\", \"volumes\": [{\"name\": \"v\", \"hostPath\": {\"path\": \"/\"}}], "
	        "\"containers\": [{\"name\": \"side\", \"image\": \"i\", \"securityContext\": {\"seccompProfile\": "
	        "{\"type\": \"t\"}, \"capabilities\": {\"add\": [\"c\"]}}}]}}}";
	struct world world;
	json_t *job;

	world_init(&world, spec);
	json_object_set_new(json_object_get(world.job, "metadata"), "annotations",
	                    json_pack("{s:s, s:s, s:s, s:s}", NOTE_TAKE_OVER, "a", NOTE_DROP_PENDING, "b", NOTE_RESTART,
	                              "c", "example.com/note", "d"));
	job = json_deep_copy(world.job);
	world_release(&world);
	return job;
}

/* All of the job is good but that text; and without the pod's template, which is not allowed as a whole. */
static void texts_test(void **state)
{
	json_t *given = given_job();
	size_t count = 0;

	(void)state;
	for (size_t run = 0; run < 8; run++) {
		json_t *text = long_text(run % 4);

		if (run == 4) {
			json_object_del(json_object_get(given, "spec"), "podTemplate");
			expect_good(given);
		}
		for (size_t number = 0;; number++) {
			json_t *job = json_deep_copy(given), *groups;
			json_t *notes = json_object_get(json_object_get(job, "metadata"), "annotations");
			json_t *all = json_pack("[O, O]", json_object_get(job, "spec"), notes);
			size_t left = number;
			bool there = replace(all, &left, text);
			struct world world;

			json_decref(all);
			if (!there) {
				json_decref(job);
				break;
			}
			count++;
			world_init(&world, "{}");
			json_decref(world.job);
			world.job = job;
			groups = groups_of(job);
			expect_text(groups, number);
			if (json_object_size(groups) != 2)
				fail_msg("text %zu: %zu groups", number, json_object_size(groups));
			json_decref(groups);
			look(&world, number);
			world_release(&world);
		}
		json_decref(text);
	}
	assert_true(count > 200);
	json_decref(given);
}

/* The end of what a container said. */
static void last_words_test(void **state)
{
	json_t *pod = json_pack("{s:{s:s}}", "metadata", "name", "p"), *container = json_pack("{s:s}", "name", "c");

	(void)state;
	for (size_t behind = 0; behind < 4; behind++) {
		json_t *whole = long_text(0), *ended;
		struct buffer text;

		ended = json_pack("{s:o, s:s, s:i}", "message",
		                  json_sprintf("%s%.*s", json_string_value(whole), (int)behind, "xxx"), "reason",
		                  "Error", "exitCode", 1);
		json_decref(whole);
		buffer_init(&text);
		container_print_end(pod, container, ended, &text);
		assert_true(text_is_utf8(buffer_slice(&text)));
		assert_true(text.size > 1000);
		buffer_release(&text);
		json_decref(ended);
	}
	json_decref(pod);
	json_decref(container);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(texts_test), cmocka_unit_test(last_words_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
