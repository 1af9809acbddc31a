#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "operator/manager/memory_of_jobs.h"

/* Whether the second report of a pod is worth a reconcile. */
static void report_test(void **state)
{
	static const struct {
		const char *name, *first, *second;
		int64_t later_ms;
		bool worth;
	} rows[] = {
	        {"the same", "{'document': {'phase': 'running'}}", "{'document': {'phase': 'running'}}", 2000, false},
	        {"a figure", "{'document': {'lag': 1}}", "{'document': {'lag': 2}}", 2000, false},
	        {"a figure that is due", "{'document': {'lag': 1}}", "{'document': {'lag': 2}}", FIGURES_MS, true},
	        {"another part", "{'document': {}}", "{'document': {'notReadyPart': 'sink'}}", 2000, true},
	        {"a sink that is ill", "{'document': {'sinks': [{'healthy': true}]}}",
	         "{'document': {'sinks': [{'healthy': false}]}}", 2000, true},
	        {"a function that is ill", "{'document': {'functions': [{'healthy': true}]}}",
	         "{'document': {'functions': [{'healthy': false}]}}", 2000, true},
	        {"another job file", "{'document': {'specHash': 'a'}}", "{'document': {'specHash': 'b'}}", 2000, true},
	        {"no longer fresh", "{'document': {'uptimeSeconds': 4.9}}", "{'document': {'uptimeSeconds': 6.9}}",
	         2000, true},
	        {"another life", "{'document': {'life': 'a'}}", "{'document': {'life': 'b'}}", 2000, true},
	        {"it stands by", "{'document': {'owner': {'role': 'owner'}}}",
	         "{'document': {'owner': {'role': 'standby'}}}", 2000, true},
	        {"another process has the job", "{'document': {'owner': {'process': 'a'}}}",
	         "{'document': {'owner': {'process': 'b'}}}", 2000, true},
	        {"bad input", "{'document': {'input': {'ok': true}}}", "{'document': {'input': {'ok': false}}}", 2000,
	         true},
	        {"bad for another reason", "{'document': {'input': {'ok': false, 'reason': 'A'}}}",
	         "{'document': {'input': {'ok': false, 'reason': 'B'}}}", 2000, true},
	        {"another count of bad rows", "{'document': {'input': {'ok': false, 'message': '1'}}}",
	         "{'document': {'input': {'ok': false, 'message': '2'}}}", 2000, false},
	        {"no answer", "{'document': {}}", "{'at': 1, 'error': 'refused'}", 2000, true},
	        {"words of the kubelet", "{'words': 'no Secret'}", "{'words': 'no image'}", 2000, true},
	        {"the next process, as well as the one before", "{'restarts': 0, 'document': {'specHash': 'a'}}",
	         "{'restarts': 1, 'document': {'specHash': 'a'}}", 2000, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct memory_of_jobs *memory = memory_of_jobs_new();
		const char *texts[] = {rows[i].first, rows[i].second};
		json_t *reports[2];

		print_message("%s\n", rows[i].name);
		for (int k = 0; k < 2; k++) {
			char text[256];
			size_t size = strlen(texts[k]);

			for (size_t c = 0; c <= size; c++)
				text[c] = texts[k][c] == '\'' ? '"' : texts[k][c];
			reports[k] = json_loads(text, 0, NULL);
			assert_non_null(reports[k]);
		}
		assert_true(memory_report(memory, "pod", reports[0], 1000, FIGURES_MS));
		assert_int_equal(memory_report(memory, "pod", reports[1], 1000 + rows[i].later_ms, FIGURES_MS),
		                 rows[i].worth);
		memory_of_jobs_free(memory);
	}
}

/* A pod that does not answer is what it said before, if its process is the same, and silent since it first was. */
static void silence_test(void **state)
{
	struct memory_of_jobs *memory = memory_of_jobs_new();
	json_t *report;

	(void)state;
	assert_true(memory_report(
	        memory, "pod", json_pack("{s:i, s:i, s:{s:s}}", "at", 1, "restarts", 0, "document", "phase", "running"),
	        1, FIGURES_MS));
	assert_true(memory_report(memory, "pod", json_pack("{s:i, s:i, s:s}", "at", 2, "restarts", 0, "error", "a"), 2,
	                          FIGURES_MS));
	assert_false(memory_report(memory, "pod", json_pack("{s:i, s:i, s:s}", "at", 3, "restarts", 0, "error", "b"), 3,
	                           FIGURES_MS));
	report = memory_report_of(memory, "pod");
	assert_int_equal(json_integer_value(json_object_get(report, "at")), 1);
	assert_int_equal(json_integer_value(json_object_get(report, "failingSince")), 2);
	assert_string_equal(json_string_value(json_object_get(report, "error")), "b");
	assert_non_null(json_object_get(report, "document"));
	json_decref(report);
	assert_true(memory_report(memory, "pod", json_pack("{s:i, s:i, s:s}", "at", 4, "restarts", 1, "error", "b"), 4,
	                          FIGURES_MS));
	report = memory_report_of(memory, "pod");
	assert_int_equal(json_integer_value(json_object_get(report, "failingSince")), 4);
	assert_null(json_object_get(report, "document"));
	json_decref(report);
	assert_true(memory_report(
	        memory, "pod", json_pack("{s:i, s:i, s:{s:s}}", "at", 5, "restarts", 1, "document", "phase", "running"),
	        5, FIGURES_MS));
	report = memory_report_of(memory, "pod");
	assert_null(json_object_get(report, "failingSince"));
	json_decref(report);
	memory_of_jobs_free(memory);
}

/* What happens to job "ns/a" after its status of version "1" began to be written at 1,000 ms; and what is known then.
 */
struct status_case {
	const char *name;
	void (*happens)(struct memory_of_jobs *memory);
	const char *uid, *version; /* the question's */
	bool newer;
	int64_t age_ms; /* at 2,000 ms */
};

static void nothing(struct memory_of_jobs *memory)
{
	(void)memory;
}

static void fails(struct memory_of_jobs *memory)
{
	memory_status_failed(memory, "ns/a", "u1");
}

static void same_version(struct memory_of_jobs *memory)
{
	memory_job_seen(memory, "ns/a", "u1", "1");
}

static void next_version(struct memory_of_jobs *memory)
{
	memory_job_seen(memory, "ns/a", "u1", "2");
}

static void another_job(struct memory_of_jobs *memory)
{
	memory_job_seen(memory, "ns/b", "u1", "2");
	memory_job_seen(memory, "ns/a", "u2", "2");
	memory_forget(memory, "ns/b");
}

static void goes(struct memory_of_jobs *memory)
{
	memory_forget(memory, "ns/a");
}

static void tidy_at(struct memory_of_jobs *memory, int64_t now_ms)
{
	json_t *pods = json_object();

	memory_tidy(memory, pods, now_ms, FIGURES_MS);
	json_decref(pods);
}

static void tidied_soon(struct memory_of_jobs *memory)
{
	next_version(memory);
	tidy_at(memory, 1000 + FIGURES_MS - 1);
}

static void tidied_late(struct memory_of_jobs *memory)
{
	next_version(memory);
	tidy_at(memory, 1000 + FIGURES_MS);
}

static void tidied_unseen(struct memory_of_jobs *memory)
{
	tidy_at(memory, 1000 + FIGURES_MS);
}

static void status_test(void **state)
{
	static const struct status_case cases[] = {
	        {"its event is awaited", nothing, "u1", "1", true, 1000},
	        {"another UID", nothing, "u2", "1", false, INT64_MAX},
	        {"the version is another", nothing, "u1", "2", false, 1000},
	        {"the write failed", fails, "u1", "1", false, INT64_MAX},
	        {"the old version comes again", same_version, "u1", "1", true, 1000},
	        {"its event came", next_version, "u1", "1", false, 1000},
	        {"events of other jobs", another_job, "u1", "1", true, 1000},
	        {"the job goes", goes, "u1", "1", false, INT64_MAX},
	        {"tidied, figures not due", tidied_soon, "u1", "2", false, 1000},
	        {"tidied, figures due", tidied_late, "u1", "2", false, INT64_MAX},
	        {"tidied, event awaited", tidied_unseen, "u1", "1", true, 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct memory_of_jobs *memory = memory_of_jobs_new();
		json_t *status = json_pack("{s:i, s:[{s:s}]}", "replicas", 1, "conditions", "type", "Ready"), *newer;
		int64_t age_ms;

		memory_status_begins(memory, "ns/a", "u1", "1", status, 1000);
		cases[i].happens(memory);
		age_ms = memory_status_age(memory, "ns/a", cases[i].uid, 2000);
		newer = memory_newer_status(memory, "ns/a", cases[i].uid, cases[i].version);
		if (age_ms != cases[i].age_ms)
			fail_msg("%s: %lld ms old", cases[i].name, (long long)age_ms);
		if ((newer != NULL) != cases[i].newer || (newer && !json_equal(newer, status)))
			fail_msg("%s: a status %s known", cases[i].name, newer ? "is" : "is not");
		json_decref(newer);
		json_decref(status);
		memory_of_jobs_free(memory);
	}
}

static void code_test(void **state)
{
	struct memory_of_jobs *memory = memory_of_jobs_new();
	json_t *two = json_pack("[s, s]", "scores", "ranks"), *one = json_pack("[s]", "ranks"), *none = json_array();
	static const struct {
		const char *namespace, *name, *users;
	} rows[] = {{"reco", "scores", "[\"home\"]"},
	            {"reco", "ranks", "[\"home\", \"search\"]"},
	            {"rec", "scores", "[]"},
	            {"reco", "others", "[]"},
	            {"other", "ranks", "[]"}};

	(void)state;
	memory_uses_code(memory, "reco/home", "1", two);
	memory_uses_code(memory, "reco/search", "2", one);
	memory_uses_code(memory, "other/home", "3", one);
	memory_uses_code(memory, "other/home", "3", none);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *users = memory_users_of_code(memory, rows[i].namespace, rows[i].name);
		char *text = json_dumps(users, 0);

		assert_string_equal(text, rows[i].users);
		free(text);
		json_decref(users);
	}
	json_decref(two);
	json_decref(one);
	json_decref(none);
	memory_of_jobs_free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(report_test), cmocka_unit_test(silence_test),
	                                   cmocka_unit_test(status_test), cmocka_unit_test(code_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
