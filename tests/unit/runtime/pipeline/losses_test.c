/* Losses: the first at once, then a line a minute and kind; the share of the last windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/buffer.h"
#include "lib/base/log.h"
#include "runtime/pipeline/losses.h"

static struct buffer written;
static int64_t now_ms;

static void take(void *context, const char *line, size_t size)
{
	(void)context;
	buffer_append(&written, line, size);
}

static int64_t monotonic(void *context)
{
	(void)context;
	return now_ms;
}

static int64_t wall(void *context)
{
	(void)context;
	return now_ms;
}

static size_t lines(void)
{
	size_t count = 0;

	for (size_t i = 0; i < written.size; i++)
		count += written.data[i] == '\n';
	return count;
}

static const struct jobspec job = {.columns_count = 2};
static struct losses losses;
static struct record record = {.line = 7};

static int begin(void **state)
{
	static struct clock clock = {.wall_ms = wall, .monotonic_ms = monotonic};
	const struct log_output output = {.write = take, .wall_ms = wall};

	(void)state;
	now_ms = 1000000;
	buffer_init(&written);
	buffer_append_text(&written, "");
	log_install(&output);
	losses_init(&losses, &job, &clock);
	return 0;
}

static int end(void **state)
{
	(void)state;
	losses_release(&losses);
	buffer_release(&written);
	return 0;
}

static void lose(enum loss kind, uint64_t count, const char *reason, const char *details)
{
	const struct loss_note note = {.count = count, .reason = reason, .details = details, .record = &record};

	losses_note(&losses, kind, &note);
}

static void once_a_minute_test(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++)
		lose(LOSS_BAD_ROW, 1, "expected '{'", NULL);
	assert_int_equal(lines(), 1);
	assert_non_null(strstr(written.data, "msg=\"a row is bad\" where=\"line 7\" reason=\"expected '{'\""));
	lose(LOSS_MISSING, 5, "column a: $.a is missing", NULL);
	assert_int_equal(lines(), 2);
	now_ms += REPEAT_MS - 1;
	lose(LOSS_BAD_ROW, 1, "expected '{'", NULL);
	assert_int_equal(lines(), 2);
	now_ms += 1;
	lose(LOSS_BAD_ROW, 2, "another", NULL);
	lose(LOSS_BAD_ROW, 1, "another", NULL);
	assert_int_equal(lines(), 3);
	assert_non_null(strstr(written.data, "msg=\"rows are bad\" count=1002 in_all=1003 last=\"another\""));
	assert_int_equal(losses_count(&losses, LOSS_BAD_ROW), 1004);
	assert_int_equal(losses_count(&losses, LOSS_MISSING), 5);
}

static void values_test(void **state)
{
	const struct loss_note note = {.count = 1,
	                               .reason = "column v is not a BIGINT",
	                               .details = "column v: 4111 is not a BIGINT",
	                               .excerpt = SLICE_LITERAL("4111"),
	                               .record = &record};

	(void)state;
	losses.show_values = false;
	losses_note(&losses, LOSS_BAD_ROW, &note);
	assert_null(strstr(written.data, "4111"));
	assert_string_equal(losses.reasons[0].first, "line 7: column v is not a BIGINT");
	losses.show_values = true;
	losses_note(&losses, LOSS_BAD_VALUE, &note);
	assert_non_null(strstr(written.data, "4111"));
	assert_string_equal(losses.reasons[1].first, "line 7: column v: 4111 is not a BIGINT: 4111");
}

/* Reasons without end take no memory without end, and the sums stay right. */
static void many_reasons_test(void **state)
{
	char reason[32];

	(void)state;
	for (int i = 0; i < 10 * LOSS_REASONS_MAX; i++) {
		snprintf(reason, sizeof(reason), "reason %d", i);
		lose(LOSS_BAD_ROW, 1, reason, NULL);
	}
	assert_int_equal(losses.reasons_count, LOSS_REASONS_MAX);
	assert_int_equal(losses_count(&losses, LOSS_BAD_ROW), 10 * LOSS_REASONS_MAX);
}

static void input_test(void **state)
{
	static const struct {
		const char *name;
		uint64_t rows, bad, bad_values; /* more of each than before */
		bool window;                    /* ends after them */
		enum input_state state;
		const char *reason;
	} steps[] = {
	        {"nothing yet", 0, 0, 0, false, INPUT_OK, ""},
	        {"good rows", 95, 0, 0, false, INPUT_OK, ""},
	        {"5 % exactly", 5, 5, 0, false, INPUT_OK, ""},
	        {"more than 5 %", 1, 1, 0, true, INPUT_BAD, "BadRows"},
	        {"the next window does not make it good", 10, 0, 0, true, INPUT_BAD, "BadRows"},
	        {"a third", 0, 0, 0, true, INPUT_BAD, "BadRows"},
	        {"a fourth", 0, 0, 0, true, INPUT_BAD, "BadRows"},
	        {"a fifth", 0, 0, 0, true, INPUT_BAD, "BadRows"},
	        {"a sixth, and the bad window is past", 10, 0, 0, true, INPUT_OK, ""},
	        {"a bad column", 10, 0, 10, true, INPUT_BAD, "BadValues"},
	        {"bad rows are worse", 100, 50, 0, true, INPUT_BAD, "BadRows"},
	        {"so long", 1, 1, 0, true, INPUT_BAD, "BadRows"},
	        {"1", 1, 1, 0, true, INPUT_BAD, "BadRows"},
	        {"2", 1, 1, 0, true, INPUT_BAD, "BadRows"},
	        {"3", 1, 1, 0, true, INPUT_BAD, "BadRows"},
	        {"only bad ones are left", 1, 1, 0, true, INPUT_ALL_BAD, "BadRows"},
	        {"one good row", 1, 0, 0, false, INPUT_BAD, "BadRows"},
	};
	uint64_t rows = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct error message = {.text = ""};
		const char *reason = "";
		enum input_state found;

		rows += steps[i].rows;
		if (steps[i].bad)
			lose(LOSS_BAD_ROW, steps[i].bad, "expected '{'", NULL);
		if (steps[i].bad_values)
			lose(LOSS_BAD_VALUE, steps[i].bad_values, "column v is not a BIGINT", NULL);
		if (steps[i].window)
			losses_window(&losses, rows);
		found = losses_input(&losses, rows, 0.05, &reason, &message);
		if (found != steps[i].state || strcmp(reason, steps[i].reason) != 0 || !message.text[0] != !reason[0])
			fail_msg("%s: state %d, reason \"%s\", \"%s\"", steps[i].name, found, reason, message.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(once_a_minute_test, begin, end),
	        cmocka_unit_test_setup_teardown(values_test, begin, end),
	        cmocka_unit_test_setup_teardown(many_reasons_test, begin, end),
	        cmocka_unit_test_setup_teardown(input_test, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
