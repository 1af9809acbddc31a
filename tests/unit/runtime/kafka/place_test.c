/* The job's place as text: what is written is read again, and of what is not ours nothing is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "runtime/kafka/place.h"

static const struct place full = {
        .boundary = {.pending = true, .sequence = INT64_MAX, .start_ms = -1, .end_ms = INT64_MAX},
        .life = "0123456789ab-0123456789abcdef",
        .owner = "cluster/name \"space\"/\xc3\xa4 \\ \n",
        .process = "host-1-00000001",
        .query = "0123456789abcdef",
        .state = PLACE_DRAINING,
        .lease_ms = 5000,
        .request_ms = 5000,
        .drain_ms = 30000,
        .counter = INT64_MAX,
        .rollout = 7,
};

static void format(const struct place *place, bool whole, int64_t to, struct buffer *text)
{
	buffer_init(text);
	place_format(place, whole, to, text);
}

static void round_trip(void **state)
{
	static const enum place_state states[] = {PLACE_RUNNING, PLACE_DRAINING, PLACE_ENDED};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct place place = full, read;
		struct error err = {.text = ""};
		struct buffer text;
		int64_t to;

		place.state = states[i % 3];
		place.boundary.pending = i < 3;
		format(&place, true, (int64_t)i - 1, &text);
		assert_true(text.size <= PLACE_TEXT_MAX);
		assert_int_equal(place_parse(buffer_slice(&text), &read, &to, &err), PLACE_WHOLE);
		assert_int_equal(to, (int64_t)i - 1);
		assert_memory_equal(&read.boundary, &place.boundary, sizeof(place.boundary));
		assert_string_equal(read.life, place.life);
		assert_string_equal(read.owner, place.owner);
		assert_string_equal(read.process, place.process);
		assert_string_equal(read.query, place.query);
		assert_int_equal(read.state, place.state);
		assert_int_equal(read.lease_ms, place.lease_ms);
		assert_int_equal(read.request_ms, place.request_ms);
		assert_int_equal(read.drain_ms, place.drain_ms);
		assert_int_equal(read.counter, place.counter);
		assert_int_equal(read.rollout, place.rollout);
		buffer_clear(&text);
		place_format(&place, false, 5, &text);
		assert_int_equal(place_parse(buffer_slice(&text), &read, &to, &err), PLACE_PART);
		assert_int_equal(read.boundary.sequence, place.boundary.sequence);
		assert_int_equal(read.boundary.pending, place.boundary.pending);
		buffer_release(&text);
	}
}

/* The longest names that a job can have leave room in Kafka's limit. */
static void longest(void **state)
{
	struct place place = full;
	struct buffer text;

	(void)state;
	memset(place.owner, 'o', sizeof(place.owner) - 1);
	memset(place.process, 'p', sizeof(place.process) - 1);
	format(&place, true, INT64_MAX, &text);
	assert_true(text.size <= PLACE_TEXT_MAX);
	buffer_release(&text);
}

static const struct row {
	const char *text;
	enum place_kind kind;
	const char *words;
} rows[] = {
        {"", PLACE_NONE, NULL},
        {" ", PLACE_FOREIGN, "not a StreamJob's, or was cut off"},
        {"consumer-1", PLACE_FOREIGN, "not a StreamJob's"},
        {"null", PLACE_FOREIGN, "not a StreamJob's"},
        {"[]", PLACE_FOREIGN, "not a StreamJob's"},
        {"{}", PLACE_FOREIGN, "not a StreamJob's"},
        {"{\"streamjob\":0}", PLACE_FOREIGN, "not a StreamJob's"},
        {"{\"streamjob\":-1}", PLACE_FOREIGN, "not a StreamJob's"},
        {"{\"streamjob\":\"1\"}", PLACE_FOREIGN, "not a StreamJob's"},
        {"{\"streamjob\":1.0}", PLACE_FOREIGN, "not a StreamJob's"},
        {"{\"streamjob\":2,\"x\":1}", PLACE_FOREIGN, "newer StreamJob (version 2; this one reads 1)"},
        {"{\"streamjob\":1}", PLACE_FOREIGN, "lacks the sequence"},
        {"{\"streamjob\":1,\"sequence\":-1,\"pending\":true,\"to\":1}", PLACE_FOREIGN, "lacks the sequence"},
        {"{\"streamjob\":1,\"sequence\":1,\"pending\":1,\"to\":1}", PLACE_FOREIGN, "lacks the sequence"},
        {"{\"streamjob\":1,\"sequence\":1,\"pending\":true,\"to\":-2}", PLACE_FOREIGN, "lacks the sequence"},
        {"{\"streamjob\":1,\"sequence\":1,\"pending\":true,\"to\":99999999999999999999}", PLACE_FOREIGN,
         "not a StreamJob's"},
        {"{\"streamjob\":1,\"sequence\":1,\"sequence\":2,\"pending\":true,\"to\":1}", PLACE_FOREIGN,
         "not a StreamJob's"},
        {"{\"streamjob\":1,\"sequence\":1,\"pending\":true,\"to\":1}", PLACE_PART, NULL},
        {"{\"streamjob\":1,\"sequence\":1,\"pending\":true,\"to\":1,\"life\":\"\"}", PLACE_FOREIGN, "owner's mark"},
        {"{\"streamjob\":1,\"sequence\":1,\"pending\":true,\"to\":1,\"life\":\"a\"}", PLACE_FOREIGN, "owner's mark"},
};

static void foreign(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct place place = {.counter = 77};
		struct error err = {.text = ""};
		int64_t to = 77;
		enum place_kind kind = place_parse(slice_of(row->text), &place, &to, &err);

		if (kind != row->kind || (row->words && !strstr(err.text, row->words)))
			fail_msg("%s: %d, \"%s\"", row->text, kind, err.text);
		if (kind <= PLACE_NONE && (place.counter != 77 || to != 77))
			fail_msg("%s: something was taken", row->text);
	}
}

/* A mark cut off anywhere, or with any one byte another, is refused or is read as a place: never more than that. */
static void damaged(void **state)
{
	struct buffer text;

	(void)state;
	format(&full, true, 5, &text);
	for (size_t size = 1; size < text.size; size++) {
		struct place place;
		struct error err = {.text = ""};
		int64_t to;

		assert_int_equal(place_parse((struct slice){text.data, size}, &place, &to, &err), PLACE_FOREIGN);
		assert_true(err.text[0]);
	}
	for (size_t at = 0; at < text.size; at++) {
		for (int byte = 0; byte < 256; byte++) {
			struct place place;
			struct error err = {.text = ""};
			int64_t to;
			char before = text.data[at];

			text.data[at] = (char)byte;
			switch (place_parse(buffer_slice(&text), &place, &to, &err)) {
			case PLACE_WHOLE:
				assert_true(place.life[0] && place.lease_ms >= 0 && place.state <= PLACE_ENDED);
				break;
			case PLACE_PART: /* another key than "life" */
				break;
			case PLACE_FOREIGN:
			case PLACE_NONE:
				assert_true(err.text[0]);
			}
			text.data[at] = before;
		}
	}
	buffer_release(&text);
}

static void lives(void **state)
{
	char a[LIFE_BYTES_MAX], b[LIFE_BYTES_MAX], topic[LIFE_BYTES_MAX], group[LIFE_BYTES_MAX], joined[LIFE_BYTES_MAX];

	(void)state;
	life_new("group", "topic", a);
	life_new("group", "topic", b);
	life_new("group", "topic2", topic);
	life_new("group2", "topic", group);
	life_new("groupt", "opic", joined);
	assert_string_not_equal(a, b);
	assert_true(life_same_place(a, b));
	assert_false(life_same_place(a, topic));
	assert_false(life_same_place(a, group));
	assert_false(life_same_place(a, joined));
	assert_false(life_same_place("", a));
	for (const char *c = a; *c; c++)
		assert_true((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'f') || *c == '-');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(round_trip), cmocka_unit_test(longest), cmocka_unit_test(foreign),
	        cmocka_unit_test(damaged),    cmocka_unit_test(lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
