/* Whose the job is, look after look. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "runtime/kafka/claim.h"

#define US   "c/ns/job", "us"
#define MARK "c/ns/job", "them"

/* One look at a mark, `ms` after the first. */
struct look {
	int64_t ms;
	const char *owner, *process; /* NULL: no mark */
	enum place_state state;
	int64_t counter, rollout;
	enum claim claim; /* what then may be done */
};

static const struct row {
	const char *name;
	bool fenced;
	const char *take_over;
	int64_t rollout;
	struct look looks[6];
	size_t count;
} rows[] = {
        {"a first start", false, NULL, 0, {{0, NULL, NULL, 0, 0, 0, CLAIM_TAKE}}, 1},
        {"a newcomer takes over at once", false, NULL, 0, {{0, MARK, PLACE_RUNNING, 1, 0, CLAIM_TAKE}}, 1},
        {"after an end", false, NULL, 0, {{0, MARK, PLACE_ENDED, 1, 0, CLAIM_TAKE}}, 1},
        {"another owner's", false, NULL, 0, {{0, "c/ns/other", "them", PLACE_ENDED, 1, 0, CLAIM_REFUSED}}, 1},
        {"another cluster's", false, NULL, 0, {{0, "d/ns/job", "them", PLACE_ENDED, 1, 0, CLAIM_REFUSED}}, 1},
        {"another owner's, by order",
         false,
         "d/ns/job",
         0,
         {{0, "d/ns/job", "them", PLACE_RUNNING, 1, 0, CLAIM_TAKE}},
         1},
        {"an order for a third",
         false,
         "e/ns/job",
         0,
         {{0, "d/ns/job", "them", PLACE_RUNNING, 1, 0, CLAIM_REFUSED}},
         1},
        {"an order does not shut out its own", false, "d/ns/job", 0, {{0, MARK, PLACE_RUNNING, 1, 0, CLAIM_TAKE}}, 1},
        {"a drain is waited for, for its length",
         false,
         NULL,
         0,
         {{0, MARK, PLACE_DRAINING, 1, 0, CLAIM_AFTER_DRAIN},
          {2999, MARK, PLACE_DRAINING, 9, 0, CLAIM_AFTER_DRAIN},
          {3000, MARK, PLACE_DRAINING, 9, 0, CLAIM_TAKE}},
         3},
        {"another process's drain begins anew",
         false,
         NULL,
         0,
         {{0, MARK, PLACE_DRAINING, 1, 0, CLAIM_AFTER_DRAIN},
          {2999, "c/ns/job", "third", PLACE_DRAINING, 1, 0, CLAIM_AFTER_DRAIN},
          {5998, "c/ns/job", "third", PLACE_DRAINING, 1, 0, CLAIM_AFTER_DRAIN},
          {5999, "c/ns/job", "third", PLACE_DRAINING, 1, 0, CLAIM_TAKE}},
         4},
        {"a newer roll-out's is not taken, also not after its end",
         false,
         NULL,
         4,
         {{0, MARK, PLACE_RUNNING, 1, 5, CLAIM_STAND_BY}, {90000, MARK, PLACE_ENDED, 1, 5, CLAIM_STAND_BY}},
         2},
        {"a newer roll-out's is by order", false, "c/ns/job", 4, {{0, MARK, PLACE_ENDED, 1, 5, CLAIM_TAKE}}, 1},
        {"by order too, one that was fenced waits for the end",
         true,
         "c/ns/job",
         4,
         {{0, MARK, PLACE_RUNNING, 1, 5, CLAIM_STAND_BY}, {200, MARK, PLACE_ENDED, 2, 5, CLAIM_TAKE}},
         2},
        {"an older roll-out's is", false, NULL, 5, {{0, MARK, PLACE_RUNNING, 1, 4, CLAIM_TAKE}}, 1},
        {"a fenced one stands by while the counter moves, and takes over after 6 leases without",
         true,
         NULL,
         0,
         {{0, MARK, PLACE_RUNNING, 1, 0, CLAIM_STAND_BY},
          {599, MARK, PLACE_RUNNING, 1, 0, CLAIM_STAND_BY},
          {600, MARK, PLACE_RUNNING, 2, 0, CLAIM_STAND_BY},
          {1199, MARK, PLACE_RUNNING, 2, 0, CLAIM_STAND_BY},
          {1200, MARK, PLACE_RUNNING, 2, 0, CLAIM_TAKE}},
         5},
        {"a fenced one takes over at once after an end that it saw",
         true,
         NULL,
         0,
         {{0, MARK, PLACE_RUNNING, 1, 0, CLAIM_STAND_BY}, {200, MARK, PLACE_ENDED, 2, 0, CLAIM_TAKE}},
         2},
        {"an end that was there before says nothing of who fenced it",
         true,
         NULL,
         0,
         {{0, MARK, PLACE_ENDED, 1, 0, CLAIM_WAIT},
          {200, "c/ns/job", "third", PLACE_RUNNING, 1, 0, CLAIM_STAND_BY},
          {900, "c/ns/job", "third", PLACE_RUNNING, 1, 0, CLAIM_TAKE}},
         3},
        {"its own mark neither, for a moment",
         true,
         NULL,
         0,
         {{0, US, PLACE_RUNNING, 1, 0, CLAIM_WAIT},
          {999, US, PLACE_RUNNING, 1, 0, CLAIM_WAIT},
          {1000, US, PLACE_RUNNING, 1, 0, CLAIM_TAKE}},
         3},
        {"no mark neither",
         true,
         NULL,
         0,
         {{0, NULL, NULL, 0, 0, 0, CLAIM_WAIT},
          {200, MARK, PLACE_RUNNING, 1, 0, CLAIM_STAND_BY},
          {400, MARK, PLACE_ENDED, 1, 0, CLAIM_TAKE}},
         3},
};

static void judge(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		const struct job_identity identity = {.owner = "c/ns/job",
		                                      .process = "us",
		                                      .query = "q",
		                                      .rollout = row->rollout,
		                                      .take_over = row->take_over,
		                                      .fenced = row->fenced};
		struct claim_watch watch = {0};

		for (size_t l = 0; l < row->count; l++) {
			const struct look *look = &row->looks[l];
			int64_t now_ms = INT64_C(1000000) + look->ms;
			struct place mark = {.state = look->state,
			                     .lease_ms = 100,
			                     .drain_ms = 3000,
			                     .counter = look->counter,
			                     .rollout = look->rollout};
			struct error err = {.text = ""};
			enum claim claim;

			if (look->owner) {
				snprintf(mark.owner, sizeof(mark.owner), "%s", look->owner);
				snprintf(mark.process, sizeof(mark.process), "%s", look->process);
			}
			claim_look(&watch, look->owner ? &mark : NULL, now_ms);
			claim = claim_judge(&watch, look->owner ? &mark : NULL, &identity, "group", now_ms, &err);
			if (claim != look->claim)
				fail_msg("%s: look %zu: %d instead of %d", row->name, l, claim, look->claim);
			if (claim == CLAIM_REFUSED &&
			    (!strstr(err.text, look->owner) || !strstr(err.text, "c/ns/job") ||
			     !strstr(err.text, "--take-over")))
				fail_msg("%s: \"%s\"", row->name, err.text);
		}
	}
}

/* A process that was fenced by this one is not waited for, whatever its mark says that it does. */
static void passed(void **state)
{
	struct job_identity identity = {.owner = "c/ns/job", .process = "us", .query = "q"};
	struct place mark = {.owner = "c/ns/job", .process = "them", .state = PLACE_DRAINING, .drain_ms = 3000};
	struct claim_watch watch = {0};
	struct error err;

	(void)state;
	claim_look(&watch, &mark, 1000);
	assert_int_equal(claim_judge(&watch, &mark, &identity, "g", 1000, &err), CLAIM_AFTER_DRAIN);
	strcpy(identity.passed, "them");
	assert_int_equal(claim_judge(&watch, &mark, &identity, "g", 1000, &err), CLAIM_TAKE);
	strcpy(mark.process, "third");
	assert_int_equal(claim_judge(&watch, &mark, &identity, "g", 1000, &err), CLAIM_AFTER_DRAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(judge), cmocka_unit_test(passed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
