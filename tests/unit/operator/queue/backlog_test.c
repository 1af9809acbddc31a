#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "operator/queue/backlog.h"

/*
 * Each case is a script, its steps parted by blanks: `a` adds, `r` adds rate-limited, `f` forgets, `d` is done with,
 * `DN` delays by N ms, each with the key that follows a colon; `+N` lets N ms pass; `t` takes: the key that comes is
 * written to the output, `-` where none does.
 */
struct script_case {
	const char *name, *script, *taken;
};

static void run_step(struct backlog *backlog, const char *step, int64_t *now_ms, char *taken)
{
	const char *colon = strchr(step, ':');
	struct key *key = colon ? backlog_find(backlog, colon + 1, true) : NULL;
	long number = strtol(step + 1, NULL, 10);

	switch (*step) {
	case 'a':
		backlog_add(backlog, key, *now_ms);
		break;
	case 'r':
		backlog_delay(backlog, key, *now_ms + backlog_penalty(backlog, key, *now_ms));
		break;
	case 'f':
		backlog_forget(backlog, key);
		break;
	case 'd':
		backlog_done(backlog, key);
		break;
	case 'D':
		backlog_delay(backlog, key, *now_ms + number);
		break;
	case '+':
		*now_ms += number;
		break;
	case 't':
		backlog_wake(backlog, *now_ms);
		key = backlog_take(backlog, *now_ms);
		strcat(taken, key ? key->name : "-");
		break;
	default:
		fail_msg("unknown step %s", step);
	}
}

static void script_test(void **state)
{
	static const struct script_case cases[] = {
	        {"first come, first served", "a:A a:B a:C t t t t", "ABC-"},
	        {"a key waits once", "a:A a:A a:A t t", "A-"},
	        {"a key in work is not given out twice", "a:A t a:A t", "A-"},
	        {"a key added in work comes again when it is done", "a:A t a:A a:A t d:A t d:A t", "A-A-"},
	        {"a key done comes no more", "a:A t d:A t", "A-"},
	        {"done without work", "a:A d:A t", "A"},
	        {"a key added in work goes to the end of the line", "a:A t a:A a:B d:A t t", "ABA"},
	        {"delayed until then", "D50:A t +49 t +1 t", "--A"},
	        {"the earlier of two delays wins", "D50:A D20:A +20 t d:A +30 t", "A-"},
	        {"a later delay changes nothing", "D20:A D50:A +20 t d:A +30 t", "A-"},
	        {"an add does not wait for the delay, which stays", "D50:A a:A t d:A +50 t", "AA"},
	        {"delays come in the order of their times", "D30:C D10:A D20:B D40:D +100 t t t t", "ABCD"},
	        {"a delay that ends in work", "a:A t D10:A +10 t d:A t", "A-A"},
	        {"back-off doubles", "r:A +5 t d:A r:A +9 t +1 t d:A r:A +19 t +1 t", "A-A-A"},
	        {"forgotten failures begin anew", "r:A +5 t d:A r:A +10 t f:A d:A r:A +5 t", "AAA"},
	        {"back-off has an end", "r:A r:A r:A r:A r:A r:A r:A +1000 t d:A r:A +80 t", "AA"},
	        {"one key's failures are not another's", "r:A +5 t d:A r:A r:B +5 t +5 t", "ABA"},
	        {"forget in the line keeps it there", "r:A +5 a:A f:A t t", "A-"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct backlog backlog = {.backoff_ms_min = 5, .backoff_ms_max = 80, .rate_ms = 0.01, .burst = 100};
		char script[256], taken[64] = "", *rest = script;
		int64_t now_ms = 1000;

		strcpy(script, cases[i].script);
		backlog_init(&backlog, now_ms);
		for (char *step; (step = strsep(&rest, " "));)
			run_step(&backlog, step, &now_ms, taken);
		if (strcmp(taken, cases[i].taken) != 0)
			fail_msg("%s: took %s, not %s", cases[i].name, taken, cases[i].taken);
		backlog_release(&backlog);
	}
}

/* Ten at once, then a hundred a second. */
static void bucket_test(void **state)
{
	struct backlog backlog = {.backoff_ms_min = 1, .backoff_ms_max = 1, .rate_ms = 0.1, .burst = 10};
	char name[16];

	(void)state;
	backlog_init(&backlog, 0);
	for (int i = 0; i < 30; i++) {
		int64_t wanted = i < 10 ? 1 : (i - 9) * 10;

		snprintf(name, sizeof(name), "k%d", i);
		assert_int_equal(backlog_penalty(&backlog, backlog_find(&backlog, name, true), 0), wanted);
	}
	/* 200 ms of debt, and then a full bucket again after 100 ms more. */
	assert_int_equal(backlog_penalty(&backlog, backlog_find(&backlog, "later", true), 10000), 1);
	assert_true(backlog.tokens > 8.9 && backlog.tokens < 9.1);
	backlog_release(&backlog);
}

/* Keys leave nothing behind: as many as pass through, none is kept. */
static void memory_test(void **state)
{
	struct backlog backlog = {.backoff_ms_min = 5, .backoff_ms_max = 80, .rate_ms = 1, .burst = 100};
	char name[32];

	(void)state;
	backlog_init(&backlog, 0);
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "namespace/job-%d", i);
		backlog_delay(&backlog, backlog_find(&backlog, name, true), i % 977);
	}
	assert_int_equal(backlog.keys_count, 5000);
	backlog_wake(&backlog, 1000);
	for (struct key *key; (key = backlog_take(&backlog, 1000));)
		assert_false(backlog_done(&backlog, key));
	assert_int_equal(backlog.keys_count, 0);
	assert_int_equal(backlog.heap_count, 0);
	backlog_delay(&backlog, backlog_find(&backlog, "a", true), 2000);
	backlog_drop_delayed(&backlog);
	assert_int_equal(backlog.keys_count, 0);
	backlog_release(&backlog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(script_test), cmocka_unit_test(bucket_test),
	                                   cmocka_unit_test(memory_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
