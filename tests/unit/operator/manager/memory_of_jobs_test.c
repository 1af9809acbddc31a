#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "operator/manager/memory_of_jobs.h"

#define FIGURES_MS 30000

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
	        {"no answer", "{'document': {}}", "{'error': 'refused'}", 2000, true},
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
	const struct CMUnitTest tests[] = {cmocka_unit_test(report_test), cmocka_unit_test(code_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
