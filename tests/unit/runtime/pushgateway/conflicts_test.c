/* What others hold at the gateway does not cost the rest of a window. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/runtime/pushgateway/gateway_case.h"

#define GROUP(labels, families) "{\"labels\":{" labels "},\"last_push_successful\":true," families "}"
#define FAMILY(name, type, labels)                                                                                     \
	"\"" name "\":{\"type\":\"" type "\",\"metrics\":[{\"labels\":{\"instance\":\"\"," labels "},\"value\":\"1\"}" \
	"]}"
#define OTHER      "\"job\":\"other\",\"instance\":\"\""
#define ALL_TOTALS "rows_total{k=\"a\"} 1\nrows_total{k=\"b\"} 2\n"

static const struct row rows[] = {{"a", "", 1}, {"b", "", 2}};

static const struct {
	const char *name, *groups, *page, *refused;
	const char *pushed;   /* NULL: the window is refused as a whole */
	const char *left_out; /* a word of the reason, of each row that is left out */
	size_t lines;
} cases[] = {
        {"a series of another group",
         GROUP("\"job\":\"j\",\"k\":\"a\"", FAMILY("rows", "GAUGE", "\"job\":\"j\",\"k\":\"a\"")), "", "rows{k=\"a\"}",
         ALL_TOTALS "rows{k=\"b\"} 2\n", "0 the group /metrics/job/j/k/a has this series of rows already", 1},
        {"of a counter",
         GROUP("\"job\":\"j\",\"k\":\"a\"", FAMILY("rows_total", "COUNTER", "\"job\":\"j\",\"k\":\"a\"")), "",
         "rows_total{k=\"a\"}", "rows_total{k=\"b\"} 2\nrows{k=\"a\"} 1\nrows{k=\"b\"} 2\n",
         "0 the group /metrics/job/j/k/a has this series of rows_total already", 1},
        {"another type", GROUP(OTHER, FAMILY("rows", "COUNTER", "\"job\":\"other\"")), "", "# TYPE rows gauge",
         ALL_TOTALS, "the group /metrics/job/other/instance@base64/= has the counter rows, and this is a gauge", 2},
        {"another type of the gateway's own", GROUP(OTHER, FAMILY("x", "GAUGE", "\"job\":\"other\"")),
         "# HELP rows All.\n# TYPE rows histogram\nrows 1\n", "# TYPE rows gauge", ALL_TOTALS,
         "the gateway itself has the histogram rows, and this is a gauge", 2},
        {"nothing of others", GROUP(OTHER, FAMILY("rows", "GAUGE", "\"job\":\"other\",\"k\":\"a\"")),
         "# TYPE rows gauge\n", "rows{k=\"a\"}", NULL, "", 0},
        {"the sink's own group",
         GROUP("\"job\":\"j\",\"instance\":\"\"", FAMILY("rows", "COUNTER", "\"job\":\"j\",\"k\":\"a\"")),
         "# TYPE rows counter\n", "# TYPE rows gauge", NULL, "", 0},
};

static void rest_test(void **state)
{
	static char list[4096]; /* the gateway has it until the next case's is there */

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sink *sink = open_sink("a", 1, false);
		size_t lines = 0;
		struct error err;

		pthread_mutex_lock(&gateway.mutex);
		snprintf(list, sizeof(list), "{\"status\":\"success\",\"data\":[%s]}", cases[i].groups);
		gateway.list = list;
		gateway.page = cases[i].page;
		gateway.refuse = cases[i].refused;
		pthread_mutex_unlock(&gateway.mutex);
		if (push(sink, 1, rows, 2, &err) != (cases[i].pushed ? SINK_ACCEPTED : SINK_REJECTED))
			fail_msg("%s: another outcome", cases[i].name);
		if (cases[i].pushed)
			expect_samples(cases[i].name, cases[i].pushed);
		for (const char *c = left_out.size ? left_out.data : ""; *c; c++)
			lines += *c == '\n';
		if (lines != cases[i].lines || (lines && !strstr(left_out.data, cases[i].left_out)))
			fail_msg("%s: left out:\n%s", cases[i].name, left_out.size ? left_out.data : "");
		sink->ops->close(sink);
		buffer_clear(&left_out);
	}
}

/* It is not asked for anew each window; after a while the whole is tried again. What was left out adds nothing. */
static void over_test(void **state)
{
	struct sink *sink;

	(void)state;
	sink = open_sink("a", 1, false);
	gateway.list = "{\"data\":[" GROUP("\"job\":\"j\",\"k\":\"a\"",
	                                   FAMILY("rows_total", "COUNTER", "\"job\":\"j\",\"k\":\"a\"")) "]}";
	gateway.refuse = "rows_total{k=\"a\"}";
	must_push(sink, 1, rows, 2);
	assert_int_equal(fake_gateway_count(&gateway, "PUT"), 2);
	must_push(sink, 2, rows, 2);
	assert_int_equal(fake_gateway_count(&gateway, "PUT"), 3);
	assert_int_equal(fake_gateway_count(&gateway, "GET"), 3); /* of the start, and two of the first window */
	expect_samples("while it is taken", "rows_total{k=\"b\"} 4\nrows{k=\"a\"} 1\nrows{k=\"b\"} 2\n");
	passing_ms += 61000;
	must_push(sink, 3, rows, 2); /* still taken */
	expect_samples("later", "rows_total{k=\"b\"} 6\nrows{k=\"a\"} 1\nrows{k=\"b\"} 2\n");
	assert_int_equal(fake_gateway_count(&gateway, "GET"), 5);
	passing_ms += 61000;
	gateway.refuse = NULL;
	gateway.list = "{\"data\":[]}";
	must_push(sink, 4, rows, 2);
	expect_samples("free again",
	               "rows_total{k=\"b\"} 8\nrows_total{k=\"a\"} 1\nrows{k=\"a\"} 1\nrows{k=\"b\"} 2\n");
	sink->ops->close(sink);
}

/* onRejected: fail is of those who want to hear of it. */
static void fail_test(void **state)
{
	struct error err;
	struct sink *sink;

	(void)state;
	sinks[0].pushgateway.on_rejected = REJECTED_FAIL;
	sink = open_sink("a", 1, false);
	gateway.list = "{\"data\":[" GROUP(OTHER, FAMILY("rows", "COUNTER", "\"job\":\"other\"")) "]}";
	gateway.refuse = "# TYPE rows gauge";
	assert_int_equal(push(sink, 1, rows, 2, &err), SINK_REJECTED);
	assert_int_equal(fake_gateway_count(&gateway, "PUT"), 1);
	sink->ops->close(sink);
}

/* A gateway that cannot be asked right now is asked again, and the window is not given up. */
static void away_test(void **state)
{
	struct error err;
	struct sink *sink;

	(void)state;
	sink = open_sink("a", 1, false);
	gateway.list = "{\"data\":[" GROUP(OTHER, FAMILY("rows", "COUNTER", "\"job\":\"other\"")) "]}";
	gateway.refuse = "# TYPE rows gauge";
	gateway.list_status = 503;
	assert_int_equal(push(sink, 1, rows, 2, &err), SINK_RETRY);
	gateway.list_status = 200;
	must_push(sink, 1, rows, 2);
	expect_samples("asked again", ALL_TOTALS);
	sink->ops->close(sink);
}

int main(void)
{
	const struct CMUnitTest tests[] = {CASE(rest_test), CASE(over_test), CASE(fail_test), CASE(away_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
