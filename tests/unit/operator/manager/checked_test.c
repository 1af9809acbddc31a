#include "operator/manager/checked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define CUT   "0123456789abcdef0123456789abcdef"

/* Asks for a spec as a load does; where it is not known it has so many problems. Says whether it was known. */
static bool load(struct checked_look *look, const char *key, size_t count, struct problems *problems)
{
	const struct checked_specs *specs = checked_look_specs(look);
	size_t first = problems->count;
	char text[512];

	if (specs->recall(specs->context, key, problems))
		return true;
	for (size_t i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "no column %zu %0400d", i, 0);
		problems_add_at(problems, "spec.filter", i ? i : PROBLEM_NO_OFFSET, text, i ? NULL : "name \"one\"");
	}
	specs->keep(specs->context, key, problems, first);
	return false;
}

static bool look_at(struct checked *checked, const char *job, const char *key, size_t count)
{
	struct checked_look *look = checked_look_begin(checked, job);
	struct problems problems;
	bool known;

	problems_init(&problems);
	known = load(look, key, count, &problems);
	checked_look_end(look);
	if (problems.count != count)
		fail_msg("%s: %zu problems instead of %zu", job, problems.count, count);
	if (count) {
		assert_string_equal(problems.items[0].path, "spec.filter");
		assert_true(problems.items[0].offset == PROBLEM_NO_OFFSET);
		assert_string_equal(problems.items[0].right, "name \"one\"");
	}
	if (count > 1) {
		assert_int_equal(problems.items[1].offset, 1);
		assert_null(problems.items[1].right);
		assert_memory_equal(problems.items[1].wrong, "no column 1 ", 12);
	}
	problems_release(&problems);
	return known;
}

/* As the next process has it. */
static struct checked *kept(struct checked *checked)
{
	struct checked *next = checked_new();

	for (size_t shard = 0; shard < CHECKED_SHARDS; shard++) {
		char *text = checked_take(checked, shard);

		if (text)
			checked_add(next, text);
		free(text);
		assert_null(checked_take(checked, shard));
	}
	return next;
}

static double compiled(struct checked *checked)
{
	struct buffer page;
	double value;

	buffer_init(&page);
	checked_metrics(checked, &page);
	value = strtod(strrchr(page.data, ' '), NULL);
	buffer_release(&page);
	return value;
}

static void kept_test(void **state)
{
	struct checked *checked = checked_new(), *next;

	(void)state;
	assert_false(look_at(checked, "ns/good", KEY, 0));
	assert_false(look_at(checked, "ns/bad", OTHER, 3));
	assert_true(look_at(checked, "ns/good", KEY, 0));
	assert_true(compiled(checked) == 2);
	next = kept(checked);
	assert_true(look_at(next, "ns/good", KEY, 0));
	assert_true(look_at(next, "ns/bad", OTHER, 3));
	assert_false(look_at(next, "ns/another", KEY, 0)); /* by job */
	assert_true(compiled(next) == 1);
	checked_free(next);
	checked_free(checked);
}

/* The words of a problem may be cut anywhere: it stays one. */
static void cut_test(void **state)
{
	struct checked *checked = checked_new();

	(void)state;
	for (int known = 0; known < 2; known++) {
		struct checked_look *look = checked_look_begin(checked, "ns/cut");
		const struct checked_specs *specs = checked_look_specs(look);
		struct problems problems;

		problems_init(&problems);
		assert_true(specs->recall(specs->context, KEY, &problems) == known);
		if (!known) {
			problems_add_at(&problems, "spec.filter", 0, "'\xc3\xa4\xc3", "write \xff");
			specs->keep(specs->context, KEY, &problems, 0);
		}
		checked_look_end(look);
		assert_int_equal(problems.count, 1);
		assert_string_equal(problems.items[0].wrong, "'\xc3\xa4?");
		assert_string_equal(problems.items[0].right, "write ?");
		problems_release(&problems);
	}
	checked_free(checked);
}

/* What is known of a job is of what it asks for now; of one that is gone nothing is. */
static void bounded_test(void **state)
{
	struct checked *checked = checked_new(), *next;
	json_t *there = json_pack("[s]", "ns/bad");

	(void)state;
	look_at(checked, "ns/one", KEY, 0);
	assert_false(look_at(checked, "ns/one", OTHER, 0));
	assert_false(look_at(checked, "ns/one", KEY, 0));
	look_at(checked, "ns/bad", KEY, 1);
	assert_false(look_at(checked, "ns/many", KEY, 100)); /* 40 kB of problems */
	assert_false(look_at(checked, "ns/many", KEY, 100));
	checked_forget(checked, "ns/one");
	assert_false(look_at(checked, "ns/one", KEY, 0));
	checked_forget_others(checked, there);
	next = kept(checked);
	assert_false(look_at(next, "ns/one", KEY, 0));
	assert_true(look_at(next, "ns/bad", KEY, 1));
	json_decref(there);
	checked_free(next);
	checked_free(checked);
}

static void room_test(void **state)
{
	struct checked *checked = checked_new();
	char job[128];

	(void)state;
	for (int i = 0; i < 1500 * CHECKED_SHARDS; i++) {
		snprintf(job, sizeof(job), "ns/%d", i);
		look_at(checked, job, KEY, 1);
	}
	for (size_t shard = 0; shard < CHECKED_SHARDS; shard++) {
		char *text = checked_take(checked, shard);
		json_t *rows = json_loads(text, 0, NULL);

		assert_in_range(strlen(text), CHECKED_SHARD_BYTES - 1000, CHECKED_SHARD_BYTES + 10);
		assert_true(json_object_size(rows) > 1000);
		json_decref(rows);
		free(text);
		checked_put_back(checked, shard);
		text = checked_take(checked, shard);
		assert_non_null(text);
		free(text);
	}
	checked_free(checked);
}

static void damaged_test(void **state)
{
	static const char *const texts[] = {
	        "",
	        "{",
	        "[]",
	        "7",
	        "{\"ns/one\": []}",
	        "{\"ns/one\": \"" CUT "\"}",
	        "{\"ns/one\": {\"" CUT "\": null}}",
	        "{\"ns/one\": {\"" CUT "\": {}}}",
	        "{\"ns/one\": {\"" CUT "\": [7]}}",
	        "{\"ns/one\": {\"" CUT "\": [[\"spec.filter\", 1, \"x\"]]}}",
	        "{\"ns/one\": {\"" CUT "\": [[\"spec.filter\", \"1\", \"x\", null]]}}",
	        "{\"ns/one\": {\"" CUT "\": [[\"spec.filter\", 1, \"x\", 2]]}}",
	        "{\"ns/one\": {\"" CUT "\": [[1, 1, \"x\", null]]}}",
	        "{\"ns/one\": {\"" CUT "0\": []}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct checked *checked = checked_new();

		checked_add(checked, texts[i]);
		if (look_at(checked, "ns/one", KEY, 0))
			fail_msg("%s", texts[i]);
		assert_true(look_at(checked, "ns/one", KEY, 0));
		checked_free(checked);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(kept_test), cmocka_unit_test(cut_test),
	                                   cmocka_unit_test(bounded_test), cmocka_unit_test(room_test),
	                                   cmocka_unit_test(damaged_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
