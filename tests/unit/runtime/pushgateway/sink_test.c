/* The Pushgateway sink against a scripted gateway: what it pushes, what it takes for a replay, when it asks again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/runtime/pushgateway/gateway_case.h"

SLEEPS_PASS(); /* NOLINT(readability-inconsistent-declaration-parameter-name) */

/* What the gateway refuses adds to no counter; what it did not answer adds once. */
static void outcomes_test(void **state)
{
	static const struct row rows[] = {{"a", "", 1}}, more[] = {{"a", "", 100}, {"b", "", 100}},
	                        last[] = {{"a", "", 10}};
	static const struct {
		int status;
		enum sink_outcome outcome;
	} refusals[] = {{400, SINK_REJECTED}, {413, SINK_REJECTED}, {415, SINK_REJECTED}, {422, SINK_REJECTED},
	                {500, SINK_RETRY},    {503, SINK_RETRY},    {429, SINK_RETRY},    {403, SINK_RETRY}};

	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		struct sink *sink = open_sink("a", 1, false);
		struct error err;

		must_push(sink, 1, rows, 1);
		gateway.status = refusals[i].status;
		if (push(sink, 2, more, 2, &err) != refusals[i].outcome)
			fail_msg("%d: another outcome", refusals[i].status);
		assert_non_null(strstr(err.text, "scripted failure"));
		gateway.status = 200;
		if (refusals[i].outcome == SINK_RETRY)
			must_push(sink, 2, more, 2);
		must_push(sink, 3, last, 1);
		expect_samples("after it",
		               refusals[i].outcome == SINK_RETRY
		                       ? "rows_total{k=\"a\"} 111\nrows_total{k=\"b\"} 100\nrows{k=\"a\"} 10\n"
		                       : "rows_total{k=\"a\"} 11\nrows{k=\"a\"} 10\n");
		sink->ops->close(sink);
	}
}

#define GROUP(info, sequence)                                                                                          \
	"{\"data\":[{\"labels\":{\"job\":\"j\"},\"rows_total\":{\"metrics\":[{\"labels\":{\"k\":\"a\",\"job\":\"j\"}," \
	"\"value\":\"1000\"}]}" info ",\"streamjob_window_sequence\":{\"metrics\":[{\"value\":\"" sequence "\"}]}}]}"
#define INFO(life, format)                                                                                             \
	",\"streamjob_window_info\":{\"metrics\":[{\"labels\":{\"life\":\"" life "\",\"format\":\"" format             \
	"\"},\"value\":\"1\"}]}"

/* A number belongs to a life; totals go on. The job's next window is 5. */
static void lives_test(void **state)
{
	static const struct row rows[] = {{"a", "", 1}};
	static const struct {
		const char *name, *list;
		bool pending;
		int total;
	} cases[] = {
	        {"same life, pending, below", GROUP(INFO("a", "1"), "4"), true, 1001},
	        {"same life, pending, equal", GROUP(INFO("a", "1"), "5"), true, 1000},
	        {"same life, pending, above", GROUP(INFO("a", "1"), "6"), true, 1001},
	        {"same life, not pending, below", GROUP(INFO("a", "1"), "4"), false, 1001},
	        {"same life, not pending, equal", GROUP(INFO("a", "1"), "5"), false, 1001},
	        {"same life, not pending, above", GROUP(INFO("a", "1"), "6"), false, 1001},
	        {"other life, pending, below", GROUP(INFO("b", "1"), "4"), true, 1001},
	        {"other life, pending, equal", GROUP(INFO("b", "1"), "5"), true, 1001},
	        {"other life, pending, above", GROUP(INFO("b", "1"), "6"), true, 1001},
	        {"other life, not pending, below", GROUP(INFO("b", "1"), "4"), false, 1001},
	        {"other life, not pending, equal", GROUP(INFO("b", "1"), "5"), false, 1001},
	        {"other life, not pending, above", GROUP(INFO("b", "1"), "6"), false, 1001},
	        {"no life, pending, below", GROUP("", "4"), true, 1001},
	        {"no life, pending, equal", GROUP("", "5"), true, 1001},
	        {"no life, pending, above", GROUP("", "6"), true, 1001},
	        {"no life, not pending, below", GROUP("", "4"), false, 1001},
	        {"no life, not pending, equal", GROUP("", "5"), false, 1001},
	        {"no life, not pending, above", GROUP("", "6"), false, 1001},
	        {"no group, pending", "{\"data\":[]}", true, 1},
	        {"no group, not pending", "{\"data\":[]}", false, 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sink *sink;
		char expected[128];

		gateway.list = cases[i].list;
		sink = open_sink("a", 5, cases[i].pending);
		for (int round = 0; round < 2; round++) /* whoever asks twice adds once */
			must_push(sink, 5, rows, 1);
		snprintf(expected, sizeof(expected), "rows_total{k=\"a\"} %d\nrows{k=\"a\"} 1\n", cases[i].total);
		expect_samples(cases[i].name, expected);
		if (!strstr(fake_gateway_last(&gateway, "PUT")->body,
		            "streamjob_window_info{format=\"1\",life=\"a\"} 1\n"))
			fail_msg("%s: the life is not pushed", cases[i].name);
		must_push(sink, 6, rows, 1);
		snprintf(expected, sizeof(expected), "rows_total{k=\"a\"} %d\nrows{k=\"a\"} 1\n", cases[i].total + 1);
		expect_samples(cases[i].name, expected);
		sink->ops->close(sink);
	}
}

/* What another version wrote is not gone on from, and nothing is pushed over it. */
static void foreign_test(void **state)
{
	static const char *const lists[] = {
	        GROUP(INFO("a", "2"), "4"),
	        GROUP(INFO("", "1"), "4"),
	        GROUP(INFO("a", ""), "4"),
	        GROUP(",\"streamjob_window_info\":{\"metrics\":[{\"labels\":{\"life\":\"a\"},\"value\":\"1\"}]}", "4"),
	        GROUP(",\"streamjob_window_info\":{\"metrics\":[]}", "4"),
	        GROUP(INFO("a", "1"), "many"),
	        GROUP(INFO("a234567890123456789012345678901234567890", "1"), "4"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++) {
		const struct sink_start start = {.life = "a", .next_sequence = 5, .resumable = true};
		struct sink *sink = new_sink();
		struct sink_held held;
		struct error err = {.text = ""};

		gateway.list = lists[i];
		assert_int_equal(sink->ops->inspect(sink, &stop, &held, &err), -2);
		assert_int_equal(sink->ops->open(sink, &start, &stop, &err), -1);
		if (!strstr(err.text, "this version reads format 1") ||
		    !strstr(err.text, "curl -X DELETE http://127.0.0.1"))
			fail_msg("%s: %s", lists[i], err.text);
		sink->ops->close(sink);
	}
	assert_int_equal(fake_gateway_count(&gateway, "PUT"), 0);
}

static void inspect_test(void **state)
{
	struct sink *sink = new_sink();
	struct sink_held held;
	struct error err;

	(void)state;
	assert_int_equal(sink->ops->inspect(sink, &stop, &held, &err), 0);
	assert_string_equal(held.life, "");
	gateway.list = GROUP(INFO("b", "1"), "7");
	assert_int_equal(sink->ops->inspect(sink, &stop, &held, &err), 0);
	assert_string_equal(held.life, "b");
	assert_int_equal(held.sequence, 7);
	gateway.list = "<html>";
	assert_int_equal(sink->ops->inspect(sink, &stop, &held, &err), -1);
	assert_non_null(strstr(err.text, "is not a Pushgateway's"));
	assert_int_equal(fake_gateway_count(&gateway, "GET"), 3);
	assert_int_equal(fake_gateway_count(&gateway, "PUT"), 0);
	sink->ops->close(sink);
}

/* Whoever asks for time gets it, also past the round's deadline, which only says so. */
static void retry_after_test(void **state)
{
	static const struct row rows[] = {{"a", "", 1}};
	static const struct {
		const char *headers;
		int status;
		int64_t least_ms;
	} cases[] = {
	        {"Retry-After: 60\r\n", 503, 60000},
	        {"Retry-After: 3\r\n", 429, 3000},
	        {"Retry-After: 30\r\n", 301, 30000},
	        {"Retry-After: 20\r\n", 500, 20000},
	        {"Retry-After: 86400\r\n", 503, 15 * 60 * 1000},
	        {"Retry-After: Fri, 31 Dec 2199 23:59:59 GMT\r\n", 503, 15 * 60 * 1000},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sink *sink = open_sink("a", 1, false);
		size_t before = fake_gateway_count(&gateway, "PUT");
		struct error err = {.text = ""};
		int64_t began_ms = passing_ms;

		gateway.status = cases[i].status;
		gateway.headers = cases[i].headers;
		assert_int_equal(push(sink, 1, rows, 1, &err), SINK_RETRY);
		assert_int_equal(fake_gateway_count(&gateway, "PUT"), before + 1);
		passing_ms = began_ms + cases[i].least_ms - 2500; /* a round waits for 2,000 */
		assert_int_equal(push(sink, 1, rows, 1, &err), SINK_RETRY);
		if (fake_gateway_count(&gateway, "PUT") != before + 1)
			fail_msg("%s: asked again before its time", cases[i].headers);
		assert_non_null(strstr(err.text, "the gateway answered"));
		gateway.status = 200;
		gateway.headers = NULL;
		passing_ms = began_ms + cases[i].least_ms + 1000;
		must_push(sink, 1, rows, 1);
		assert_int_equal(fake_gateway_count(&gateway, "PUT"), before + 2);
		sink->ops->close(sink);
	}
}

/* Also where it is the list that was asked for, before the first window. */
static void retry_after_list_test(void **state)
{
	static const struct row rows[] = {{"a", "", 1}};
	struct sink *sink;
	struct error err;

	(void)state;
	gateway.list_status = 503;
	gateway.headers = "Retry-After: 60\r\n";
	sink = open_sink("a", 1, false);
	assert_int_equal(push(sink, 1, rows, 1, &err), SINK_RETRY);
	assert_int_equal(gateway.count, 1);
	gateway.list_status = 200;
	gateway.headers = NULL;
	passing_ms += 60000;
	must_push(sink, 1, rows, 1);
	assert_int_equal(gateway.count, 3);
	sink->ops->close(sink);
}

/* A gateway that fails at once, a round that ends at once: the pauses grow over the rounds. */
static void backoff_test(void **state)
{
	static const struct row rows[] = {{"a", "", 1}};
	struct sink *sink;
	struct error err;

	(void)state;
	sinks[0].pushgateway.retry_deadline_ms = 1;
	sink = open_sink("a", 1, false);
	gateway.status = 500;
	for (int64_t until_ms = passing_ms + 60000; passing_ms < until_ms; passing_ms += 10)
		assert_int_equal(push(sink, 1, rows, 1, &err), SINK_RETRY);
	if (fake_gateway_count(&gateway, "PUT") > 60)
		fail_msg("%zu attempts in a minute", fake_gateway_count(&gateway, "PUT"));
	sink->ops->close(sink);
}

/* The lease: who has lost it sends nothing, and nothing new goes out before an older process is quiet. */
struct owner {
	struct lease lease;
	enum renewed answer;
	int asked;
	int64_t runs_out_ms;
};

static enum renewed renew(void *context, struct error *err)
{
	struct owner *owner = context;

	owner->asked++;
	if (owner->answer == RENEWED)
		atomic_store(&owner->lease.until_ms, owner->runs_out_ms);
	else
		error_set(err, "the broker does not answer");
	return owner->answer;
}

static void own(struct owner *owner, struct sink *sink)
{
	*owner = (struct owner){
	        .lease = {.clock = &passing_clock, .renew = renew}, .answer = RENEWED, .runs_out_ms = INT64_MAX};
	owner->lease.context = owner;
	sink->lease = &owner->lease;
}

static void lease_test(void **state)
{
	static const struct row rows[] = {{"a", "", 1}};
	struct sink *sink = open_sink("a", 1, false);
	struct owner owner;
	struct error err;

	(void)state;
	own(&owner, sink);
	owner.answer = RENEWED_FENCED;
	assert_int_equal(push(sink, 1, rows, 1, &err), SINK_FENCED);
	owner.answer = RENEWED_NOT;
	assert_int_equal(push(sink, 1, rows, 1, &err), SINK_RETRY);
	assert_non_null(strstr(err.text, "lease cannot be renewed: the broker does not answer"));
	assert_true(owner.asked > 2); /* each try asks once more */
	/* Renewed, and gone before the connection stands: whole milliseconds pass with each look at the clock. */
	owner.answer = RENEWED;
	owner.runs_out_ms = 0;
	passing_ms += 10000; /* no pause is left */
	assert_int_equal(push(sink, 1, rows, 1, &err), SINK_RETRY);
	assert_non_null(strstr(err.text, "not sent: the job's lease ran out"));
	for (size_t i = 0; i < gateway.count; i++)
		assert_false(!strcmp(gateway.requests[i].method, "PUT") && gateway.requests[i].whole);
	owner.runs_out_ms = INT64_MAX;
	must_push(sink, 1, rows, 1);
	expect_samples("with the lease", "rows_total{k=\"a\"} 1\nrows{k=\"a\"} 1\n");
	assert_int_equal(sink->request_timeout_ms, 5000);
	sink->ops->close(sink);
}

static void quiet_test(void **state)
{
	static const struct row rows[] = {{"a", "", 1}};
	struct sink *sink = open_sink("a", 5, true);
	struct owner owner;
	struct error err;

	(void)state;
	own(&owner, sink);
	atomic_store(&owner.lease.quiet_ms, passing_ms + 5000);
	must_push(sink, 5, rows, 1); /* the window that was begun may go at once */
	assert_int_equal(fake_gateway_count(&gateway, "PUT"), 1);
	sink->ops->idle(sink, &stop);
	assert_int_equal(fake_gateway_count(&gateway, "PUT"), 1);
	stop.deadline_ms = passing_ms + 1000;
	assert_int_equal(push(sink, 6, rows, 1, &err), SINK_RETRY); /* a new one not before */
	assert_non_null(strstr(err.text, "may still be on its way"));
	assert_int_equal(fake_gateway_count(&gateway, "PUT"), 1);
	stop.deadline_ms = INT64_MAX;
	passing_ms += 5000;
	gateway.status = 500;
	sink->ops->idle(sink, &stop);
	assert_int_equal(fake_gateway_count(&gateway, "PUT"), 2);
	gateway.status = 200;
	passing_ms += 5000;
	sink->ops->idle(sink, &stop);
	assert_int_equal(fake_gateway_count(&gateway, "PUT"), 3);
	expect_samples("once more", "rows_total{k=\"a\"} 1\nrows{k=\"a\"} 1\n");
	sink->ops->idle(sink, &stop);
	assert_int_equal(fake_gateway_count(&gateway, "PUT"), 3);
	must_push(sink, 6, rows, 1);
	sink->ops->idle(sink, &stop);
	assert_int_equal(fake_gateway_count(&gateway, "PUT"), 4);
	sink->ops->close(sink);
}

/* A group that the job named otherwise goes when the new one is there; of others' and the job's own ones none does. */
static void renamed_test(void **state)
{
#define OTHER(labels, life) "{\"labels\":{" labels "}" INFO(life, "1") "}"
	static const struct row rows[] = {{"a", "", 1}};
	struct sink *sink;
	struct error err;

	(void)state;
	sinks[1] = sinks[0];
	sinks[1].pushgateway.job = "second";
	job.sinks_count = 2;
	gateway.list = "{\"data\":[" OTHER("\"job\":\"old\",\"team\":\"a/b\"", "a") "," OTHER(
	        "\"job\":\"old\"", "b") "," OTHER("\"job\":\"second\"", "a") ",{\"labels\":{\"job\":\"third\"}}]}";
	sink = open_sink("a", 1, false);
	gateway.status = 500;
	assert_int_equal(push(sink, 1, rows, 1, &err), SINK_RETRY);
	assert_int_equal(fake_gateway_count(&gateway, "DELETE"), 0);
	gateway.status = 200;
	must_push(sink, 1, rows, 1);
	assert_int_equal(fake_gateway_count(&gateway, "DELETE"), 1);
	assert_string_equal(fake_gateway_last(&gateway, "DELETE")->path, "/metrics/job/old/team@base64/YS9i");
	must_push(sink, 2, rows, 1);
	sink->ops->idle(sink, &stop);
	assert_int_equal(fake_gateway_count(&gateway, "DELETE"), 1);
	sink->ops->close(sink);
}

/* A window that is built again without the zeros of groups without rows, and those after it: their totals stay. */
static void missing_zeros_test(void **state)
{
	static const struct row first[] = {{"a", "", 0}, {"b", "", 1}}, again[] = {{"b", "", 1}};
	static const struct {
		const char *name, *sequence;
		int b;
	} cases[] = {{"the gateway has the window", GROUP(INFO("a", "1"), "5"), 0},
	             {"it has not", GROUP(INFO("a", "1"), "4"), 1}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sink *sink;
		char expected[128];

		gateway.list = cases[i].sequence;
		sink = open_sink("a", 5, true);
		must_push(sink, 5, again, 1);
		snprintf(expected, sizeof(expected),
		         "rows_total{k=\"a\"} 1000\nrows_total{k=\"b\"} %d\nrows{k=\"b\"} 1\n", cases[i].b);
		expect_samples(cases[i].name, expected);
		must_push(sink, 6, first, 2);
		snprintf(expected, sizeof(expected),
		         "rows_total{k=\"a\"} 1000\nrows_total{k=\"b\"} %d\nrows{k=\"a\"} 0\nrows{k=\"b\"} 1\n",
		         cases[i].b + 1);
		expect_samples(cases[i].name, expected);
		sink->ops->close(sink);
	}
}

/* Lives of one place are one job's; what an earlier one pushed under another name goes too. */
static void earlier_life_test(void **state)
{
	static const struct row rows[] = {{"a", "", 1}};
	struct sink *sink;

	(void)state;
	gateway.list = "{\"data\":[" OTHER("\"job\":\"old\"", "0123456789ab-1") "," OTHER("\"job\":\"another's\"",
	                                                                                  "0123456789ac-1") "]}";
	sink = open_sink("0123456789ab-2", 1, false);
	must_push(sink, 1, rows, 1);
	assert_int_equal(fake_gateway_count(&gateway, "DELETE"), 1);
	assert_string_equal(fake_gateway_last(&gateway, "DELETE")->path, "/metrics/job/old");
	sink->ops->close(sink);
}

/* A group of a job file before this one, at whatever gateway, goes where it is this job's; a gateway that is away is
 * asked a few times, and no window waits for it. */
static void former_test(void **state)
{
#define AT(life) "{\"data\":[{\"labels\":{\"job\":\"before\"}" INFO(life, "1") SEQUENCE "}]}"
#define SEQUENCE ",\"streamjob_window_sequence\":{\"metrics\":[{\"value\":\"3\"}]}"
	static const struct {
		const char *name, *list;
		int list_status;
		size_t lists, deletes;
	} cases[] = {
	        {"it is this job's", AT("0123456789ab-1"), 200, 2, 1},
	        {"another's", AT("0123456789ac-1"), 200, 2, 0},
	        {"there is none", "{\"data\":[]}", 200, 2, 0},
	        {"away", "", 503, 6, 0},
	};
	static const struct row rows[] = {{"a", "", 1}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pushgateway_sink before = sinks[0].pushgateway;
		const struct former_group group = {.spec = &before, .place = "0123456789ab-"};
		struct sink *sink = new_sink();
		struct sink_start start = {.life = "ffffffffffff-1", .next_sequence = 1, .resumable = true};
		size_t lists = fake_gateway_count(&gateway, "GET"), deletes = fake_gateway_count(&gateway, "DELETE");
		struct error err;

		before.job = "before";
		pushgateway_sink_replaces(sink, &group, 1);
		gateway.list = "{\"data\":[]}";
		gateway.list_status = 200;
		assert_int_equal(sink->ops->open(sink, &start, &stop, &err), 0);
		sink->ops->idle(sink, &stop);
		assert_int_equal(fake_gateway_count(&gateway, "GET"), lists + 1); /* not before a window was accepted */
		gateway.list = cases[i].list;
		gateway.list_status = cases[i].list_status;
		for (uint64_t window = 1; window < 20; window++) {
			must_push(sink, window, rows, 1);
			passing_ms += 10000;
			sink->ops->idle(sink, &stop);
		}
		if (fake_gateway_count(&gateway, "GET") - lists != cases[i].lists ||
		    fake_gateway_count(&gateway, "DELETE") - deletes != cases[i].deletes)
			fail_msg("%s: %zu lists, %zu deletes", cases[i].name,
			         fake_gateway_count(&gateway, "GET") - lists,
			         fake_gateway_count(&gateway, "DELETE") - deletes);
		sink->ops->close(sink);
	}
	assert_string_equal(fake_gateway_last(&gateway, "DELETE")->path, "/metrics/job/before");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(outcomes_test), CASE(lives_test),        CASE(foreign_test),
	        CASE(inspect_test),  CASE(retry_after_test),  CASE(retry_after_list_test),
	        CASE(backoff_test),  CASE(lease_test),        CASE(quiet_test),
	        CASE(renamed_test),  CASE(earlier_life_test), CASE(missing_zeros_test),
	        CASE(former_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
