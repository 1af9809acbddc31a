/* Families as delimited protocol buffers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "runtime/pushgateway/message.h"
#include "tests/unit/runtime/pushgateway/message_text.h"

static struct buffer out, text;

static int set_up(void **state)
{
	(void)state;
	buffer_init(&out);
	buffer_init(&text);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buffer_release(&out);
	buffer_release(&text);
	return 0;
}

/* By metrics.proto and protobuf's encoding, written by hand. */
static void bytes_test(void **state)
{
	static const char expected[] = "\x28"                           /* 40 bytes */
	                               "\x0a\x03n_t"                    /* name */
	                               "\x12\x02h."                     /* help */
	                               "\x18\x00"                       /* type: COUNTER */
	                               "\x22\x1b"                       /* metric */
	                               "\x0a\x05\x0a\x01k\x12\x00"      /* label k="" */
	                               "\x0a\x07\x0a\x01l\x12\x02\"\n"  /* label l="\"\n" */
	                               "\x1a\x09\x09\0\0\0\0\0\0\xf8?"; /* counter: 1.5 */
	struct message message;

	(void)state;
	message_init(&message, false, &out);
	message_family(&message, "n_t", true, "h.");
	message_sample(&message, SLICE_LITERAL("k=\"\",l=\"\\\"\\n\""), 1.5);
	message_family_end(&message);
	message_release(&message);
	assert_int_equal(out.size, sizeof(expected) - 1);
	assert_memory_equal(out.data, expected, out.size);
}

static void write_families(bool as_text)
{
	struct message message;

	message_init(&message, as_text, &out);
	message_family(&message, "rows_total", true, "Rows.");
	message_sample(&message, SLICE_LITERAL("k=\"a\\\\b\",l=\"c,d=\\\"e\\\"\""), 4294967296.0);
	message_sample(&message, SLICE_LITERAL("k=\"\",l=\"\xc3\xa4\""), 0.1);
	message_family_end(&message);
	message_family(&message, "x", false, NULL);
	message_sample(&message, SLICE_LITERAL(""), -INFINITY);
	message_sample(&message, SLICE_LITERAL("k=\"n\\nn\""), NAN);
	message_family_end(&message);
	message_release(&message);
}

#define FAMILIES                                                                                                       \
	"# HELP rows_total Rows.\n# TYPE rows_total counter\n"                                                         \
	"rows_total{k=\"a\\\\b\",l=\"c,d=\\\"e\\\"\"} 4294967296\nrows_total{k=\"\",l=\"\xc3\xa4\"} 0.1\n"             \
	"# HELP x \n# TYPE x gauge\nx -Inf\nx{k=\"n\\nn\"} NaN\n"

static void text_test(void **state)
{
	(void)state;
	write_families(false);
	assert_int_equal(message_text(buffer_slice(&out), &text), out.size);
	assert_string_equal(text.data, FAMILIES);
	buffer_clear(&out);
	write_families(true);
	assert_string_equal(out.data, FAMILIES);
}

/* A family without a sample is none, and what is too large is said. */
static void edges_test(void **state)
{
	struct message message;

	(void)state;
	message_init(&message, false, &out);
	message_family(&message, "rows_total", true, "Rows.");
	message_family_end(&message);
	assert_int_equal(out.size, 0);
	message_release(&message);
	out.max = 100;
	write_families(false);
	assert_true(out.overflow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(bytes_test, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(text_test, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(edges_test, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
