/* The rounds of the pods that are asked. Nothing listens where they are asked. */
#include "operator/manager/pods_asked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define URL         "http://127.0.0.1:1/status"
#define STEP_MS     50
#define STEPS_MAX   600
#define NEVER_AGAIN 1000000000

/* A round in which that pod alone runs, or none (NULL); what the put says. */
static bool round_of(struct pods_asked *pods, const char *uid, int64_t restarts)
{
	bool done;

	pods_asked_begin(pods);
	done = !uid || pods_asked_put(pods, uid, "reco/feed", URL, restarts);
	(void)pods_asked_end(pods);
	return done;
}

static void answer(struct pod_page_client *client)
{
	struct pod_page *page = NULL;

	for (int i = 0; i < STEPS_MAX && !page; i++)
		page = pod_page_done(client, STEP_MS);
	assert_non_null(page);
	pods_asked_rest(page->context, false, 1, NEVER_AGAIN);
}

/* What a pod becomes while it is being asked is not lost. */
static void under_way_test(void **state)
{
	struct pods_asked *pods = pods_asked_new();
	struct pod_page_client *client = pod_page_client_new();

	(void)state;
	assert_true(round_of(pods, "u", 0));
	pods_asked_ask(pods, client, 1);
	assert_true(round_of(pods, "u", 0));
	assert_false(round_of(pods, "u", 1)); /* its container ended and was started again */
	answer(client);
	assert_true(round_of(pods, "u", 1));
	pods_asked_ask(pods, client, 2); /* it is due at once: it is another process now */
	assert_true(round_of(pods, NULL, 0));
	assert_true(round_of(pods, "u", 1)); /* not there in a round, and there again */
	answer(client);
	assert_true(pods_asked_has(pods, "u"));
	pod_page_client_free(client);
	pods_asked_free(pods);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(under_way_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
