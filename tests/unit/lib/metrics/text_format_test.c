/* The Prometheus text format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <math.h>

#include "lib/metrics/metrics.h"

static void family_test(void **state)
{
	static const struct {
		const char *name, *type, *help, *text;
	} cases[] = {
	        {"rows_total", "counter", "Rows read.", "# HELP rows_total Rows read.\n# TYPE rows_total counter\n"},
	        {"x", "gauge", NULL, "# HELP x \n# TYPE x gauge\n"},
	        {"x", "gauge", "", "# HELP x \n# TYPE x gauge\n"},
	        {"x", "histogram", "two\nlines", "# HELP x two\\nlines\n# TYPE x histogram\n"},
	        {"x", "untyped", "back\\slash \"quoted\"", "# HELP x back\\\\slash \"quoted\"\n# TYPE x untyped\n"},
	        {"x", "gauge", "\n\\", "# HELP x \\n\\\\\n# TYPE x gauge\n"},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct buffer out;

		buffer_init(&out);
		metrics_family(&out, cases[c].name, cases[c].type, cases[c].help);
		if (strcmp(out.data, cases[c].text) != 0)
			fail_msg("found %s, expected %s", out.data, cases[c].text);
		buffer_release(&out);
	}
}

static void label_test(void **state)
{
	static const struct {
		const char *name;
		struct slice value;
		const char *text;
	} cases[] = {
	        {"plain", {"a", 1}, "plain=\"a\""},
	        {"empty", {"", 0}, "empty=\"\""},
	        {"quote", {"a\"b", 3}, "quote=\"a\\\"b\""},
	        {"backslash", {"a\\b", 3}, "backslash=\"a\\\\b\""},
	        {"newline", {"\na\n", 3}, "newline=\"\\na\\n\""},
	        {"all", {"\\\"\n", 3}, "all=\"\\\\\\\"\\n\""},
	        {"utf8", {"\xe6\x97\xa5", 3}, "utf8=\"\xe6\x97\xa5\""},
	        {"other_controls", {"a\tb\r", 4}, "other_controls=\"a\tb\r\""},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct buffer out, later;

		buffer_init(&out);
		buffer_init(&later);
		metrics_label(&out, true, cases[c].name, cases[c].value);
		metrics_label(&later, false, cases[c].name, cases[c].value);
		if (strcmp(out.data, cases[c].text) != 0)
			fail_msg("%s: found %s, expected %s", cases[c].name, out.data, cases[c].text);
		assert_int_equal(later.data[0], ',');
		assert_string_equal(later.data + 1, out.data);
		buffer_release(&out);
		buffer_release(&later);
	}
}

static void number_test(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
	        {0, " 0\n"},
	        {-1.5, " -1.5\n"},
	        {1e6, " 1000000\n"},
	        {0.1, " 0.1\n"},
	        {0.1 + 0.2, " 0.30000000000000004\n"},
	        {1763971200.123, " 1763971200.123\n"},
	        {1e300, " 1e+300\n"},
	        {NAN, " NaN\n"},
	        {INFINITY, " +Inf\n"},
	        {-INFINITY, " -Inf\n"},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct buffer out;

		buffer_init(&out);
		metrics_number(&out, cases[c].value);
		if (strcmp(out.data, cases[c].text) != 0)
			fail_msg("%.17g: found %s", cases[c].value, out.data);
		buffer_release(&out);
	}
}

/* A whole family as the header says: one HELP and TYPE, then the samples. */
static void sample_test(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out);
	metrics_family(&out, "score", "gauge", "The score.");
	buffer_append_text(&out, "score{");
	metrics_label(&out, true, "endpoint", SLICE_LITERAL("home"));
	metrics_label(&out, false, "bucket", SLICE_LITERAL("A"));
	buffer_append_char(&out, '}');
	metrics_number(&out, 0.25);
	assert_string_equal(out.data, "# HELP score The score.\n"
	                              "# TYPE score gauge\n"
	                              "score{endpoint=\"home\",bucket=\"A\"} 0.25\n");
	buffer_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(family_test),
	        cmocka_unit_test(label_test),
	        cmocka_unit_test(number_test),
	        cmocka_unit_test(sample_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
