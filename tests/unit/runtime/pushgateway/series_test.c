/* What of a window becomes which series, and what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <math.h>

#include "tests/unit/runtime/pushgateway/gateway_case.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {CASE(merged_test), CASE(entries_of_one_name_test), CASE(left_out_test),
	                                   CASE(limit_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
