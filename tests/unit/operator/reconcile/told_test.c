/* What is kept of a pod's answer, however its bytes are cut, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "operator/reconcile/told.h"

/* Feeds the text in pieces of `size`; what is kept as compact JSON with sorted keys, NULL where it is no answer. */
static char *told_of(const char *text, size_t length, size_t size)
{
	struct told told;
	json_t *json;
	char *kept = NULL;
	bool goes_on = true;

	told_init(&told);
	for (size_t at = 0; goes_on && at < length; at += size)
		goes_on = told_feed(&told, text + at, length - at < size ? length - at : size);
	json = told_take(&told);
	if (json)
		kept = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(json);
	told_release(&told);
	return kept;
}

static void told_test(void **state)
{
	static const struct {
		const char *name, *text, *kept;
	} rows[] = {
	        {"what is read", "{\"ready\": true, \"phase\": \"running\"}", "{\"phase\":\"running\",\"ready\":true}"},
	        {"what nobody reads", "{\"windows\": [1, {\"ready\": 2}], \"ready\": false, \"more\": \"}\\\"{\"}",
	         "{\"ready\":false}"},
	        {"quotes and braces in texts", "{\"notReadyReason\": \"a \\\"}], b\\\\\", \"life\": \"x\"}",
	         "{\"life\":\"x\",\"notReadyReason\":\"a \\\"}], b\\\\\"}"},
	        {"lags are added up",
	         "{\"partitions\": [{\"topic\": \"lag\", \"lag\": 5}, {\"lag\" : 6, \"x\": {\"lag\": 100}}], \"life\": "
	         "\"x\"}",
	         "{\"lag\":11,\"life\":\"x\"}"},
	        {"a lag that is not known", "{\"partitions\": [{\"lag\": null}, {\"topic\": \"t\"}]}", "{}"},
	        {"the lag is said", "{\"lag\": 3, \"partitions\": [{\"lag\": 5}]}", "{\"lag\":3}"},
	        {"cut off within the partitions, the lag being said", "{\"lag\": 3, \"partitions\": [{\"lag\": 5}, {",
	         "{\"lag\":3}"},
	        {"cut off within the partitions", "{\"partitions\": [{\"lag\": 5}, {", NULL},
	        {"cut off", "{\"ready\": true", NULL},
	        {"more than one", "{\"ready\": true} {\"ready\": false}", NULL},
	        {"an array", "[{\"ready\": true}]", NULL},
	        {"a word", "true", NULL},
	        {"nothing", "", NULL},
	        {"no JSON within", "{\"ready\": yes}", NULL},
	        {"a page of HTML", "<html>{\"ready\": true}</html>", NULL},
	        {"compressed", "\x1f\x8b\x08", NULL},
	        {"lags beyond all numbers",
	         "{\"partitions\": [{\"lag\": 9223372036854775807}, {\"lag\": 9223372036854775807}]}",
	         "{\"lag\":9223372036854775807}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t size = 1; size < 200; size = size * 3 + 1) {
			char *kept = told_of(rows[i].text, strlen(rows[i].text), size);

			if ((kept != NULL) != (rows[i].kept != NULL) || (kept && strcmp(kept, rows[i].kept) != 0))
				fail_msg("%s, %zu bytes at a time: %s", rows[i].name, size, kept ? kept : "none");
			free(kept);
		}
	}
}

/* Answers without an end, or as large as may be: none of them is kept. */
static void hostile_test(void **state)
{
	static const struct {
		const char *name, *begin, *again;
		size_t times;
		bool is_answer;
	} rows[] = {
	        {"nesting, kept", "{\"sinks\": ", "[", 100000, false},
	        {"nesting, skipped", "{\"x\": ", "[", 100000, false},
	        {"nesting, in partitions", "{\"partitions\": ", "[{\"a\":", 100000, false},
	        {"a text without an end", "{\"notReadyReason\": \"", "aaaaaaaa", 100000, false},
	        {"a skipped text without an end", "{\"x\": \"", "aaaaaaaa", 100000, false},
	        {"a key without an end", "{\"", "aaaaaaaa", 100000, false},
	        {"members without an end", "{", "\"ready\": true, ", 100000, false},
	        {"objects without an end", "{\"sinks\": [", "{},", 100000, false},
	        {"quotes", "", "\"", 100000, false},
	        {"ends", "", "}", 100000, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct told told;
		bool goes_on;
		json_t *json;

		told_init(&told);
		goes_on = told_feed(&told, rows[i].begin, strlen(rows[i].begin));
		for (size_t n = 0; goes_on && n < rows[i].times; n++)
			goes_on = told_feed(&told, rows[i].again, strlen(rows[i].again));
		assert_true(told.kept.size <= TOLD_BYTES_MAX);
		json = told_take(&told);
		if ((json != NULL) != rows[i].is_answer)
			fail_msg("%s", rows[i].name);
		json_decref(json);
		told_release(&told);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(told_test), cmocka_unit_test(hostile_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
