/* The Pushgateway sink against a scripted gateway: what it pushes, what it takes for a replay, when it asks again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <math.h>
#include <time.h>

#include "lib/base/text.h"
#include "runtime/pushgateway/pushgateway.h"
#include "tests/unit/runtime/pushgateway/fake_gateway.h"

/* Time passes by looks at the clock, a millisecond each, and by sleeps, which take none of the test's. */
static int64_t time_ms;

int nanosleep(const struct timespec *duration, struct timespec *rest)
{
	(void)rest;
	time_ms += duration->tv_sec * 1000 + duration->tv_nsec / 1000000;
	return 0;
}

static int64_t tick(void *context)
{
	(void)context;
	return time_ms++;
}
static const struct clock ticking = {tick, tick, NULL, NULL};

static struct fake_gateway gateway;
static struct stop stop;
static const char *labels[] = {"k", "l"};
static struct metric_spec metrics[] = {
        {.name = "rows_total", .type = METRIC_COUNTER, .value = "x", .labels = {labels, 1}},
        {.name = "rows", .type = METRIC_GAUGE, .value = "x", .labels = {labels, 1}},
};
static struct sink_spec sinks[2];
static struct jobspec job;

#define COLUMNS 3
static const struct schema_column columns[COLUMNS] = {{"k", TYPE_STRING}, {"l", TYPE_STRING}, {"x", TYPE_DOUBLE}};
static const struct schema schema = {columns, COLUMNS};

struct row {
	const char *k, *l; /* NULL: NULL */
	double x;
};

static int set_up(void **state)
{
	(void)state;
	fake_gateway_start(&gateway);
	time_ms = 1000;
	stop = (struct stop){.deadline_ms = INT64_MAX, .clock = &ticking};
	memset(sinks, 0, sizeof(sinks));
	sinks[0] = (struct sink_spec){.kind = SINK_PUSHGATEWAY};
	sinks[0].pushgateway = (struct pushgateway_sink){.url = gateway.url,
	                                                 .job = "j",
	                                                 .metrics = metrics,
	                                                 .metrics_count = 2,
	                                                 .timeout_ms = 5000,
	                                                 .retry_deadline_ms = 2000,
	                                                 .max_counter_series = 4,
	                                                 .counter_idle_windows = 3};
	job = (struct jobspec){.sinks = sinks, .sinks_count = 1};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_gateway_stop(&gateway);
	return 0;
}

/* The reasons of the rows that were left out, a line each. */
static struct buffer left_out;

static void note_left_out(void *context, const struct window_result *result, size_t row, const char *reason)
{
	(void)context;
	(void)result;
	buffer_printf(&left_out, "%zu %s\n", row, reason);
}

static struct sink *new_sink(void)
{
	struct sink *sink = pushgateway_sink_new(&job, 0, &schema, "/nowhere", &ticking);

	sink->leave_out = note_left_out;
	buffer_clear(&left_out);
	return sink;
}

static struct sink *open_sink(const char *life, uint64_t next, bool pending)
{
	struct sink_start start = {.next_sequence = next, .pending = pending, .resumable = true};
	struct sink *sink = new_sink();
	struct error err;

	snprintf(start.life, sizeof(start.life), "%s", life);
	if (sink->ops->open(sink, &start, &stop, &err) < 0)
		fail_msg("%s", err.text);
	return sink;
}

static enum sink_outcome push(struct sink *sink, uint64_t sequence, const struct row *rows, size_t count,
                              struct error *err)
{
	struct window_result result = {.end_ms = 1000, .sequence = sequence, .schema = &schema, .keys_count = 2};
	enum sink_outcome outcome;

	batch_init(&result.rows, &schema, NULL, count + 1);
	result.rows.rows = count;
	for (size_t i = 0; i < count; i++) {
		const char *k = rows[i].k, *l = rows[i].l;

		column_set(&result.rows.columns[0], i,
		           (struct value){.type = TYPE_STRING, .null = !k, .string = slice_of(k ? k : "")});
		column_set(&result.rows.columns[1], i,
		           (struct value){.type = TYPE_STRING, .null = !l, .string = slice_of(l ? l : "")});
		column_set(&result.rows.columns[2], i, (struct value){.type = TYPE_DOUBLE, .real = rows[i].x});
	}
	outcome = sink->ops->write(sink, &result, &stop, err);
	batch_release(&result.rows);
	return outcome;
}

/* In this round or, where the pause after a failure is longer, in one of the next. */
static void must_push(struct sink *sink, uint64_t sequence, const struct row *rows, size_t count)
{
	struct error err = {.text = ""};
	enum sink_outcome outcome = SINK_RETRY;

	for (int round = 0; round < 10 && outcome == SINK_RETRY; round++)
		outcome = push(sink, sequence, rows, count, &err);
	if (outcome != SINK_ACCEPTED)
		fail_msg("window %llu: %s", (unsigned long long)sequence, err.text);
}

/* The lines of the last PUT that are samples of rows_total and rows, in their order. */
static void expect_samples(const char *name, const char *expected)
{
	const struct fake_request *request = fake_gateway_last(&gateway, "PUT");
	struct buffer found;
	char *copy, *line, *rest;

	if (!request)
		fail_msg("%s: nothing was pushed", name);
	buffer_init(&found);
	copy = strdup(request->body);
	for (line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (!strncmp(line, "rows", 4))
			buffer_printf(&found, "%s\n", line);
	if (strcmp(found.size ? found.data : "", expected) != 0)
		fail_msg("%s: pushed\n%s\nexpected\n%s", name, found.size ? found.data : "", expected);
	free(copy);
	buffer_release(&found);
}

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* What is one series to Prometheus. */
static void merged_test(void **state)
{
	static const struct row null_and_empty[] = {{NULL, "", 5}, {"", "", 7}, {"/cart", "", 2}};
	static const struct row other_label[] = {{"a", "1", 1}, {"a", "2", 2}, {"b", "1", 4}};
	static const struct {
		const char *name;
		const struct row *rows;
		size_t count;
		const char *expected;
	} cases[] = {
	        {"NULL and the empty text", null_and_empty, 3,
	         "rows_total{k=\"\"} 12\nrows_total{k=\"/cart\"} 2\nrows{k=\"\"} 7\nrows{k=\"/cart\"} 2\n"},
	        {"rows that differ in what is no label", other_label, 3,
	         "rows_total{k=\"a\"} 3\nrows_total{k=\"b\"} 4\nrows{k=\"a\"} 2\nrows{k=\"b\"} 4\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sink *sink = open_sink("a", 1, false);

		must_push(sink, 1, cases[i].rows, cases[i].count);
		expect_samples(cases[i].name, cases[i].expected);
		assert_int_equal(left_out.size, 0);
		sink->ops->close(sink);
	}
}

/* Two entries of one name: one family, and one series where the second label is empty. */
static void entries_of_one_name_test(void **state)
{
	static const struct row rows[] = {{"a", "", 1}, {"a", NULL, 2}, {"b", "z", 4}};
	static struct metric_spec entries[] = {
	        {.name = "rows_total", .type = METRIC_COUNTER, .value = "x", .labels = {labels, 1}},
	        {.name = "rows", .type = METRIC_GAUGE, .value = "x", .labels = {labels, 1}},
	        {.name = "rows_total", .type = METRIC_COUNTER, .value = "x", .labels = {labels, 2}},
	        {.name = "rows", .type = METRIC_GAUGE, .value = "x", .labels = {labels, 2}},
	};
	struct sink *sink;

	(void)state;
	sinks[0].pushgateway.metrics = entries;
	sinks[0].pushgateway.metrics_count = 4;
	sink = open_sink("a", 1, false);
	must_push(sink, 1, rows, COUNT(rows));
	expect_samples("two entries", "rows_total{k=\"a\",l=\"\"} 6\nrows_total{k=\"b\",l=\"\"} 4\n"
	                              "rows_total{k=\"b\",l=\"z\"} 4\nrows{k=\"a\",l=\"\"} 2\n"
	                              "rows{k=\"b\",l=\"\"} 4\nrows{k=\"b\",l=\"z\"} 4\n");
	sink->ops->close(sink);
}

/* One that cannot be never costs the others. */
static void left_out_test(void **state)
{
	static const struct {
		const char *name;
		struct row row;
		const char *expected; /* beside the good series' */
		const char *said;
	} cases[] = {
	        {"infinite",
	         {"b", "", INFINITY},
	         "rows{k=\"b\"} +Inf\n",
	         "1 rows_total: a counter cannot take an infinite increment\n"},
	        {"infinite below zero",
	         {"b", "", -INFINITY},
	         "rows{k=\"b\"} -Inf\n",
	         "1 rows_total: a counter cannot take an infinite increment\n"},
	        {"NaN", {"b", "", NAN}, "rows{k=\"b\"} NaN\n", "1 rows_total: a counter cannot take NaN\n"},
	        {"negative",
	         {"b", "", -1},
	         "rows{k=\"b\"} -1\n",
	         "1 rows_total: a counter cannot take a negative increment\n"},
	        {"a total that is too large",
	         {"a", "", 1.7e308},
	         "",
	         "1 rows_total: the counter would become infinite\n"},
	        {"no UTF-8",
	         {"\xff", "", 1},
	         "",
	         "1 rows_total: a label is not UTF-8, which the Pushgateway refuses\n"
	         "1 rows: a label is not UTF-8, which the Pushgateway refuses\n"},
	        {"half a character",
	         {"b\xc3", "", 1},
	         "",
	         "1 rows_total: a label is not UTF-8, which the Pushgateway refuses\n"
	         "1 rows: a label is not UTF-8, which the Pushgateway refuses\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct row rows[2] = {{"a", "", 1e308}, cases[i].row};
		struct sink *sink = open_sink("a", 1, false);
		char expected[256];

		must_push(sink, 1, rows, 2);
		snprintf(expected, sizeof(expected), "rows_total{k=\"a\"} 1e+308\nrows{k=\"a\"} %s\n%s",
		         !strcmp(cases[i].row.k, "a") ? "1.7e+308" : "1e+308", cases[i].expected);
		expect_samples(cases[i].name, expected);
		if (strcmp(left_out.size ? left_out.data : "", cases[i].said) != 0)
			fail_msg("%s: left out %s", cases[i].name, left_out.size ? left_out.data : "nothing");
		sink->ops->close(sink);
	}
}

/* A counter's series have a limit of their own, and are forgotten when no window adds to them. */
static void limit_test(void **state)
{
	static const struct row many[] = {{"a", "", 1}, {"b", "", 1}, {"c", "", 1},
	                                  {"d", "", 1}, {"e", "", 1}, {"a", "", 1}};
	struct sink *sink = open_sink("a", 1, false);

	(void)state;
	must_push(sink, 1, many, COUNT(many));
	expect_samples("at the limit", "rows_total{k=\"a\"} 2\nrows_total{k=\"b\"} 1\nrows_total{k=\"c\"} 1\n"
	                               "rows_total{k=\"d\"} 1\nrows{k=\"a\"} 1\nrows{k=\"b\"} 1\nrows{k=\"c\"} 1\n"
	                               "rows{k=\"d\"} 1\nrows{k=\"e\"} 1\n");
	assert_non_null(strstr(left_out.data, "4 rows_total: more than maxCounterSeries (4) series"));
	for (uint64_t window = 2; window <= 4; window++)
		must_push(sink, window, many, 1);
	expect_samples("not yet idle", "rows_total{k=\"a\"} 5\nrows_total{k=\"b\"} 1\nrows_total{k=\"c\"} 1\n"
	                               "rows_total{k=\"d\"} 1\nrows{k=\"a\"} 1\n");
	must_push(sink, 5, many, 1);
	expect_samples("idle for more than 3 windows", "rows_total{k=\"a\"} 6\nrows{k=\"a\"} 1\n");
	must_push(sink, 6, many, 2);
	expect_samples("begins at zero",
	               "rows_total{k=\"a\"} 7\nrows_total{k=\"b\"} 1\nrows{k=\"a\"} 1\nrows{k=\"b\"} 1\n");
	sink->ops->close(sink);
}

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
		assert_int_equal(sink->ops->inspect(sink, &stop, &held, &err), -1);
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
		int64_t began_ms = time_ms;

		gateway.status = cases[i].status;
		gateway.headers = cases[i].headers;
		assert_int_equal(push(sink, 1, rows, 1, &err), SINK_RETRY);
		assert_int_equal(fake_gateway_count(&gateway, "PUT"), before + 1);
		time_ms = began_ms + cases[i].least_ms - 2500; /* a round waits for 2,000 */
		assert_int_equal(push(sink, 1, rows, 1, &err), SINK_RETRY);
		if (fake_gateway_count(&gateway, "PUT") != before + 1)
			fail_msg("%s: asked again before its time", cases[i].headers);
		assert_non_null(strstr(err.text, "the gateway answered"));
		gateway.status = 200;
		gateway.headers = NULL;
		time_ms = began_ms + cases[i].least_ms + 1000;
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
	time_ms += 60000;
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
	for (int64_t until_ms = time_ms + 60000; time_ms < until_ms; time_ms += 10)
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
	        .lease = {.clock = &ticking, .renew = renew}, .answer = RENEWED, .runs_out_ms = INT64_MAX};
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
	time_ms += 10000; /* no pause is left */
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
	atomic_store(&owner.lease.quiet_ms, time_ms + 5000);
	must_push(sink, 5, rows, 1); /* the window that was begun may go at once */
	assert_int_equal(fake_gateway_count(&gateway, "PUT"), 1);
	sink->ops->idle(sink, &stop);
	assert_int_equal(fake_gateway_count(&gateway, "PUT"), 1);
	stop.deadline_ms = time_ms + 1000;
	assert_int_equal(push(sink, 6, rows, 1, &err), SINK_RETRY); /* a new one not before */
	assert_non_null(strstr(err.text, "may still be on its way"));
	assert_int_equal(fake_gateway_count(&gateway, "PUT"), 1);
	stop.deadline_ms = INT64_MAX;
	time_ms += 5000;
	gateway.status = 500;
	sink->ops->idle(sink, &stop);
	assert_int_equal(fake_gateway_count(&gateway, "PUT"), 2);
	gateway.status = 200;
	time_ms += 5000;
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

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        CASE(merged_test),      CASE(entries_of_one_name_test),
	        CASE(left_out_test),    CASE(limit_test),
	        CASE(outcomes_test),    CASE(lives_test),
	        CASE(foreign_test),     CASE(inspect_test),
	        CASE(retry_after_test), CASE(retry_after_list_test),
	        CASE(backoff_test),     CASE(lease_test),
	        CASE(quiet_test),       CASE(renamed_test),
	};
	int result;

	buffer_init(&left_out);
	result = cmocka_run_group_tests(tests, NULL, NULL);
	buffer_release(&left_out);
	return result;
}
