/* One record and what each kind of column gets from it; bad rows with their reasons; policies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/text.h"
#include "lib/data/civil.h"
#include "runtime/decode/json.h"

#define RECORD_BYTES 100000
#define MILLIS       TIMESTAMP_EPOCH_MILLIS
#define SECONDS      TIMESTAMP_EPOCH_SECONDS
#define MICROS       TIMESTAMP_EPOCH_MICROS
#define NANOS        TIMESTAMP_EPOCH_NANOS
#define ISO          TIMESTAMP_ISO8601

static struct record_batch records;
static struct bad_rows bad;
static uint32_t good_rows[BATCH_ROWS_MAX];

static const struct json_format nulls = {BAD_SKIP, BAD_NULL, BAD_NULL, TOMBSTONE_SKIP};
static const struct json_format loud = {BAD_DEAD_LETTER, BAD_SKIP_ROW, BAD_FAIL, TOMBSTONE_ROW};

/* Decodes `texts` into one column; the caller releases the batch. Returns how many rows are good. */
static size_t decode(const struct column_spec *column, const struct json_format *format, const struct slice *texts,
                     size_t count, struct batch *batch)
{
	const struct schema_column named = {column->name, column->type};
	const bool read = true;
	struct json_decoder *decoder = json_decoder_new(column, 1, &read, format, RECORD_BYTES);
	size_t good;

	batch_init(batch, &(struct schema){&named, 1}, &read, BATCH_ROWS_MAX);
	records.count = count;
	for (size_t i = 0; i < count; i++)
		records.records[i] = (struct record){.value = texts[i]};
	good = json_decode(decoder, &records, batch, good_rows, &bad);
	json_decoder_free(decoder);
	return good;
}

static void append_value(struct buffer *out, struct value value)
{
	if (value.null)
		buffer_append_text(out, "NULL");
	else if (value.type == TYPE_BOOLEAN)
		buffer_append_text(out, value.boolean ? "true" : "false");
	else if (value.type == TYPE_DOUBLE)
		text_double(out, value.real);
	else if (value.type == TYPE_STRING)
		text_json_string(out, value.string);
	else if (value.type == TYPE_TIMESTAMP)
		civil_format(out, value.bigint);
	else
		text_bigint(out, value.bigint);
}

/* `json` as $.v of a column of that type: the value as text, or BAD. */
static void values_test(void **state)
{
	static const struct {
		const char *name;
		enum type type;
		enum timestamp_format format;
		const char *json, *expected;
	} rows[] = {
	        {"true", TYPE_BOOLEAN, MILLIS, "true", "true"},
	        {"false", TYPE_BOOLEAN, MILLIS, "false", "false"},
	        {"1 is no boolean", TYPE_BOOLEAN, MILLIS, "1", "BAD"},
	        {"a text is no boolean", TYPE_BOOLEAN, MILLIS, "\"true\"", "BAD"},
	        {"null", TYPE_BOOLEAN, MILLIS, "null", "NULL"},
	        {"INT", TYPE_INT, MILLIS, "-7", "-7"},
	        {"INT's largest", TYPE_INT, MILLIS, "2147483647", "2147483647"},
	        {"INT's smallest", TYPE_INT, MILLIS, "-2147483648", "-2147483648"},
	        {"beyond INT", TYPE_INT, MILLIS, "2147483648", "BAD"},
	        {"below INT", TYPE_INT, MILLIS, "-2147483649", "BAD"},
	        {"1.0 is an integer", TYPE_BIGINT, MILLIS, "1.0", "1"},
	        {"1e3 is an integer", TYPE_BIGINT, MILLIS, "1e3", "1000"},
	        {"1200e-2 is an integer", TYPE_BIGINT, MILLIS, "1200e-2", "12"},
	        {"1.5 is none", TYPE_BIGINT, MILLIS, "1.5", "BAD"},
	        {"-0", TYPE_BIGINT, MILLIS, "-0", "0"},
	        {"0.000", TYPE_BIGINT, MILLIS, "0.000", "0"},
	        {"0e999999999", TYPE_BIGINT, MILLIS, "0e999999999", "0"},
	        {"next to nothing is none", TYPE_BIGINT, MILLIS, "1e-999", "BAD"},
	        {"1e999 as integer", TYPE_BIGINT, MILLIS, "1e999", "BAD"},
	        {"BIGINT's largest", TYPE_BIGINT, MILLIS, "9223372036854775807", "9223372036854775807"},
	        {"BIGINT's smallest", TYPE_BIGINT, MILLIS, "-9223372036854775808", "-9223372036854775808"},
	        {"beyond BIGINT", TYPE_BIGINT, MILLIS, "9223372036854775808", "BAD"},
	        {"below BIGINT", TYPE_BIGINT, MILLIS, "-9223372036854775809", "BAD"},
	        {"beyond 64 bits", TYPE_BIGINT, MILLIS, "18446744073709551617", "BAD"},
	        {"30 digits", TYPE_BIGINT, MILLIS, "100000000000000000000000000001", "BAD"},
	        {"above 2^53, exactly", TYPE_BIGINT, MILLIS, "9007199254740993", "9007199254740993"},
	        {"many zeros after the point", TYPE_BIGINT, MILLIS, "1.0000000000000000000000", "1"},
	        {"many zeros, then something", TYPE_BIGINT, MILLIS, "1.0000000000000000000001", "BAD"},
	        {"largest with a point", TYPE_BIGINT, MILLIS, "9223372036854775807.000", "9223372036854775807"},
	        {"many digits and an exponent", TYPE_BIGINT, MILLIS, "123456789000000000000000e-15", "123456789"},
	        {"a number as a text", TYPE_BIGINT, MILLIS, "\"7\"", "BAD"},
	        {"an array", TYPE_BIGINT, MILLIS, "[7]", "BAD"},
	        {"a truth", TYPE_BIGINT, MILLIS, "true", "BAD"},
	        {"DOUBLE", TYPE_DOUBLE, MILLIS, "31.25", "31.25"},
	        {"DOUBLE of an integer", TYPE_DOUBLE, MILLIS, "9007199254740993", "9007199254740992"},
	        {"DOUBLE of 30 digits", TYPE_DOUBLE, MILLIS, "100000000000000000000000000001", "1e+29"},
	        {"the largest double", TYPE_DOUBLE, MILLIS, "1.7976931348623157e308", "1.7976931348623157e+308"},
	        {"1e999 as double", TYPE_DOUBLE, MILLIS, "1e999", "BAD"},
	        {"-1e999 as double", TYPE_DOUBLE, MILLIS, "-1e999", "BAD"},
	        {"1e-999 as double", TYPE_DOUBLE, MILLIS, "1e-999", "0"},
	        {"a tie of 17 digits", TYPE_DOUBLE, MILLIS, "0.1234567890123456789", "0.12345678901234568"},
	        {"1e23 exactly rounded", TYPE_DOUBLE, MILLIS, "1e23", "1e+23"},
	        {"a double as a text", TYPE_DOUBLE, MILLIS, "\"1.5\"", "BAD"},
	        {"STRING", TYPE_STRING, MILLIS, "\"x\"", "\"x\""},
	        {"an empty STRING", TYPE_STRING, MILLIS, "\"\"", "\"\""},
	        {"007 stays 007", TYPE_STRING, MILLIS, "\"007\"", "\"007\""},
	        {"a number is no STRING", TYPE_STRING, MILLIS, "7", "BAD"},
	        {"an object is no STRING", TYPE_STRING, MILLIS, "{\"a\":1}", "BAD"},
	        {"escapes", TYPE_STRING, MILLIS, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
	         "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\""},
	        {"\\u of one, two and three bytes", TYPE_STRING, MILLIS, "\"\\u0041\\u00e4\\u20AC\"", "\"Aä€\""},
	        {"a pair of surrogates", TYPE_STRING, MILLIS, "\"\\ud83d\\ude00!\"", "\"😀!\""},
	        {"U+0000", TYPE_STRING, MILLIS, "\"a\\u0000b\"", "\"a\\u0000b\""},
	        {"UTF-8", TYPE_STRING, MILLIS, "\"ä€😀\"", "\"ä€😀\""},
	        {"an escape after 16 bytes", TYPE_STRING, MILLIS, "\"0123456789abcdef\\n\"", "\"0123456789abcdef\\n\""},
	        {"epochMillis", TYPE_TIMESTAMP, MILLIS, "1760000000123", "2025-10-09T08:53:20.123Z"},
	        {"epochMillis before 1970", TYPE_TIMESTAMP, MILLIS, "-1", "1969-12-31T23:59:59.999Z"},
	        {"epochMillis as a text", TYPE_TIMESTAMP, MILLIS, "\"1760000000123\"", "BAD"},
	        {"epochMillis with a fraction", TYPE_TIMESTAMP, MILLIS, "1760000000123.7", "2025-10-09T08:53:20.123Z"},
	        {"epochMillis almost the next", TYPE_TIMESTAMP, MILLIS, "1760000000123.9999999999999",
	         "2025-10-09T08:53:20.123Z"},
	        {"epochMillis with a fraction, before 1970", TYPE_TIMESTAMP, MILLIS, "-1.9",
	         "1969-12-31T23:59:59.999Z"},
	        {"epochMillis below one", TYPE_TIMESTAMP, MILLIS, "-0.9", "1970-01-01T00:00:00.000Z"},
	        {"epochMillis with an exponent", TYPE_TIMESTAMP, MILLIS, "1.7600000001237E12",
	         "2025-10-09T08:53:20.123Z"},
	        {"epochMillis cut by an exponent", TYPE_TIMESTAMP, MILLIS, "17600000001239e-1",
	         "2025-10-09T08:53:20.123Z"},
	        {"epochMillis next to nothing", TYPE_TIMESTAMP, MILLIS, "1e-999", "1970-01-01T00:00:00.000Z"},
	        {"epochMillis, the largest", TYPE_TIMESTAMP, MILLIS, "9223372036854775807",
	         "292278994-08-17T07:12:55.807Z"},
	        {"epochMillis beyond", TYPE_TIMESTAMP, MILLIS, "9223372036854775808", "BAD"},
	        {"epochMillis far beyond", TYPE_TIMESTAMP, MILLIS, "1e300", "BAD"},
	        {"epochMicros", TYPE_TIMESTAMP, MICROS, "1760000000123999", "2025-10-09T08:53:20.123Z"},
	        {"epochMicros with a fraction", TYPE_TIMESTAMP, MICROS, "1760000000123999.5",
	         "2025-10-09T08:53:20.123Z"},
	        {"epochMicros before 1970", TYPE_TIMESTAMP, MICROS, "-1999", "1969-12-31T23:59:59.999Z"},
	        {"epochMicros below one", TYPE_TIMESTAMP, MICROS, "-999", "1970-01-01T00:00:00.000Z"},
	        {"epochMicros with an exponent", TYPE_TIMESTAMP, MICROS, "1.760000000123e15",
	         "2025-10-09T08:53:20.123Z"},
	        {"epochMicros beyond 64 bits", TYPE_TIMESTAMP, MICROS, "9223372036854775808",
	         "294247-01-10T04:00:54.775Z"},
	        {"epochMicros as a text", TYPE_TIMESTAMP, MICROS, "\"1760000000123999\"", "BAD"},
	        {"epochNanos", TYPE_TIMESTAMP, NANOS, "1760000000123999999", "2025-10-09T08:53:20.123Z"},
	        {"epochNanos of 25 digits", TYPE_TIMESTAMP, NANOS, "1760000000123999999.123456",
	         "2025-10-09T08:53:20.123Z"},
	        {"epochNanos before 1970", TYPE_TIMESTAMP, NANOS, "-1000001", "1969-12-31T23:59:59.999Z"},
	        {"epochNanos with an exponent", TYPE_TIMESTAMP, NANOS, "176000000012399E4", "2025-10-09T08:53:20.123Z"},
	        {"epochNanos of 20 digits", TYPE_TIMESTAMP, NANOS, "17600000001239999990", "2527-09-21T16:53:21.239Z"},
	        {"epochNanos, a double's digits", TYPE_TIMESTAMP, NANOS, "1.76e+18", "2025-10-09T08:53:20.000Z"},
	        {"epochSeconds", TYPE_TIMESTAMP, SECONDS, "1760000000", "2025-10-09T08:53:20.000Z"},
	        {"epochSeconds with an exponent", TYPE_TIMESTAMP, SECONDS, "1.7600000001239e9",
	         "2025-10-09T08:53:20.123Z"},
	        {"epochSeconds with a fraction", TYPE_TIMESTAMP, SECONDS, "1760000000.1239",
	         "2025-10-09T08:53:20.123Z"},
	        {"epochSeconds of 25 digits", TYPE_TIMESTAMP, SECONDS, "1760000000.123456789012345",
	         "2025-10-09T08:53:20.123Z"},
	        {"epochSeconds before 1970", TYPE_TIMESTAMP, SECONDS, "-0.9999", "1969-12-31T23:59:59.001Z"},
	        {"epochSeconds beyond", TYPE_TIMESTAMP, SECONDS, "9223372036854776", "BAD"},
	        {"epochSeconds far beyond", TYPE_TIMESTAMP, SECONDS, "12345678901234567890123", "BAD"},
	        {"ISO 8601", TYPE_TIMESTAMP, ISO, "\"2026-11-24T08:00:00+02:00\"", "2026-11-24T06:00:00.000Z"},
	        {"ISO 8601 with an escape", TYPE_TIMESTAMP, ISO, "\"2026\\u002d11-24\"", "2026-11-24T00:00:00.000Z"},
	        {"no such day", TYPE_TIMESTAMP, ISO, "\"2026-02-30\"", "BAD"},
	        {"a number is no ISO 8601", TYPE_TIMESTAMP, ISO, "1760000000123", "BAD"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct column_spec column = {"v", rows[i].type, "$.v", rows[i].format};
		struct buffer text, found;
		struct slice record;
		struct batch batch;

		buffer_init(&text);
		buffer_init(&found);
		buffer_printf(&text, "{\"u\":[{}],\"v\":%s,\"w\":\"\"}", rows[i].json);
		record = buffer_slice(&text);
		if (decode(&column, &nulls, &record, 1, &batch) != 1)
			fail_msg("%s: bad row: %s", rows[i].name, bad.items[0].reason);
		if (bad.bad_fields)
			buffer_append_text(&found, "BAD");
		else
			append_value(&found, column_value(&batch.columns[0], 0));
		if (bad.bad_fields && batch.columns[0].valid[0])
			fail_msg("%s: bad, yet valid", rows[i].name);
		if (strcmp(found.data, rows[i].expected) != 0)
			fail_msg("%s: %s, expected %s", rows[i].name, found.data, rows[i].expected);
		batch_release(&batch);
		buffer_release(&text);
		buffer_release(&found);
	}
}

#define RECORD(text)                                                                                                   \
	{                                                                                                              \
		(text), sizeof(text) - 1                                                                               \
	}

/* Records that are no JSON object: where, and what was expected. */
static void bad_rows_test(void **state)
{
	static const struct {
		const char *name;
		struct slice text;
		const char *reason;
	} rows[] = {
	        {"nothing", RECORD(""), "byte 1: expected a JSON object, but the record is empty"},
	        {"spaces", RECORD("  "), "byte 3: expected a JSON object"},
	        {"an array", RECORD("[1]"), "byte 1: expected a JSON object"},
	        {"a text", RECORD("\"x\""), "byte 1: expected a JSON object"},
	        {"a byte order mark", RECORD("\xef\xbb\xbf{}"), "byte 1: expected a JSON object"},
	        {"no end", RECORD("{\"v\":1"), "byte 7: expected ',' or '}'"},
	        {"only a brace", RECORD("{"), "byte 2: expected a name in quotes"},
	        {"a comma too many", RECORD("{\"v\":1,}"), "byte 8: expected a name in quotes"},
	        {"a name without quotes", RECORD("{v:1}"), "byte 2: expected a name in quotes"},
	        {"no colon", RECORD("{\"v\" 1}"), "byte 6: expected ':'"},
	        {"no value", RECORD("{\"v\":}"), "byte 6: expected a number"},
	        {"no comma", RECORD("{\"v\":1 \"w\":2}"), "byte 8: expected ',' or '}'"},
	        {"something after it", RECORD("{} x"), "byte 4: expected the end of the record"},
	        {"two objects", RECORD("{}{}"), "byte 3: expected the end of the record"},
	        {"an array's comma", RECORD("{\"w\":[1,]}"), "byte 9: expected a number"},
	        {"an array's end", RECORD("{\"w\":[1}"), "byte 8: expected ',' or ']'"},
	        {"a wrong word", RECORD("{\"w\":nul}"), "byte 6: expected a value"},
	        {"a word in capitals", RECORD("{\"v\":True}"), "byte 6: expected a number"},
	        {"NaN", RECORD("{\"v\":NaN}"), "byte 6: expected a number"},
	        {"a leading zero", RECORD("{\"w\":007}"), "byte 6: expected a number"},
	        {"a plus", RECORD("{\"w\":+1}"), "byte 6: expected a number"},
	        {"a minus alone", RECORD("{\"w\":-}"), "byte 7: expected a number"},
	        {"a point alone", RECORD("{\"w\":1.}"), "byte 8: expected a digit after the point"},
	        {"no exponent", RECORD("{\"w\":1e+}"), "byte 9: expected a digit of the exponent"},
	        {"an open text", RECORD("{\"w\":\"x"), "byte 8: expected the end of a string"},
	        {"a text that ends in a backslash", RECORD("{\"w\":\"x\\"), "byte 8: expected a valid escape"},
	        {"an unknown escape", RECORD("{\"w\":\"\\x\"}"), "byte 7: expected a valid escape"},
	        {"half an escape", RECORD("{\"w\":\"\\u12\"}"), "byte 7: expected a valid escape"},
	        {"a high surrogate alone", RECORD("{\"w\":\"\\ud83d\"}"), "byte 7: expected a valid escape"},
	        {"a high surrogate and a letter", RECORD("{\"w\":\"\\ud83d\\u0041\"}"),
	         "byte 7: expected a valid escape"},
	        {"a low surrogate alone", RECORD("{\"w\":\"\\ude00\"}"), "byte 7: expected a valid escape"},
	        {"a tab", RECORD("{\"w\":\"\t\"}"), "byte 7: expected an escape instead of a control character"},
	        {"a zero byte", RECORD("{\"w\":\"\0\"}"), "byte 7: expected an escape instead of a control character"},
	        {"a zero byte outside", RECORD("{\"w\":1\0}"), "byte 7: expected ',' or '}'"},
	        {"a byte that is no UTF-8", RECORD("{\"w\":\"\xff\"}"), "byte 7: expected valid UTF-8"},
	        {"a name that is no UTF-8", RECORD("{\"\xff\":1}"), "byte 3: expected valid UTF-8"},
	        {"an overlong character", RECORD("{\"w\":\"\xc0\x80\"}"), "byte 7: expected valid UTF-8"},
	        {"a surrogate as UTF-8", RECORD("{\"w\":\"\xed\xa0\x80\"}"), "byte 7: expected valid UTF-8"},
	        {"beyond Unicode", RECORD("{\"w\":\"\xf4\x90\x80\x80\"}"), "byte 7: expected valid UTF-8"},
	        {"half a character", RECORD("{\"w\":\"\xe2\x82\"}"), "byte 7: expected valid UTF-8"},
	};
	const struct column_spec column = {"v", TYPE_BIGINT, "$.v", MILLIS};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* Between two good ones, which it must not touch. */
		const struct slice texts[] = {RECORD("{\"v\":1}"), rows[i].text, RECORD("{\"v\":3}")};
		struct batch batch;

		if (decode(&column, &loud, texts, 3, &batch) != 2 || bad.count != 1)
			fail_msg("%s: %zu bad rows", rows[i].name, bad.count);
		if (strcmp(bad.items[0].reason, rows[i].reason) != 0)
			fail_msg("%s: \"%s\", expected \"%s\"", rows[i].name, bad.items[0].reason, rows[i].reason);
		assert_int_equal(bad.items[0].row, 1);
		assert_int_equal(bad.items[0].policy, BAD_DEAD_LETTER);
		assert_int_equal(good_rows[0], 0);
		assert_int_equal(good_rows[1], 2);
		assert_int_equal(batch.columns[0].bigints[0], 1);
		assert_int_equal(batch.columns[0].bigints[2], 3);
		batch_release(&batch);
	}
}

static void depth_test(void **state)
{
	const struct column_spec column = {"v", TYPE_BIGINT, "$.v", MILLIS};

	(void)state;
	for (int depth = 1; depth < 200; depth++) {
		struct buffer text;
		struct slice record;
		struct batch batch;
		size_t good;

		buffer_init(&text);
		for (int i = 0; i < depth; i++)
			buffer_append_text(&text, i % 2 ? "[" : "{\"w\":");
		buffer_append_text(&text, "1");
		for (int i = depth; i-- > 0;)
			buffer_append_char(&text, i % 2 ? ']' : '}');
		record = buffer_slice(&text);
		good = decode(&column, &nulls, &record, 1, &batch);
		if ((good == 1) != (depth <= JSON_DEPTH_MAX))
			fail_msg("depth %d: %zu good rows", depth, good);
		if (!good && !strstr(bad.items[0].reason, "expected less nesting (at most 64 deep)"))
			fail_msg("depth %d: %s", depth, bad.items[0].reason);
		batch_release(&batch);
		buffer_release(&text);
	}
}

/* The last of several members of one name counts, with all that it has and has not. */
static void duplicates_test(void **state)
{
	static const struct {
		const char *name, *path;
		struct slice text;
		const char *expected;
	} rows[] = {
	        {"last wins", "$.v", RECORD("{\"v\":1,\"v\":2}"), "2"},
	        {"null wins", "$.v", RECORD("{\"v\":1,\"v\":null}"), "NULL"},
	        {"bad wins", "$.v", RECORD("{\"v\":1,\"v\":\"x\"}"), "BAD"},
	        {"good wins over bad", "$.v", RECORD("{\"v\":\"x\",\"v\":3}"), "3"},
	        {"an escaped name is the same name", "$.v", RECORD("{\"v\":1,\"\\u0076\":4}"), "4"},
	        {"an object replaces the whole one", "$.a.v", RECORD("{\"a\":{\"v\":1},\"a\":{\"w\":2}}"), "MISSING"},
	        {"a scalar replaces an object", "$.a.v", RECORD("{\"a\":{\"v\":1},\"a\":7}"), "MISSING"},
	        {"an array replaces an array", "$.a[1]", RECORD("{\"a\":[1,2],\"a\":[3]}"), "MISSING"},
	        {"inside the last", "$.a.v", RECORD("{\"a\":{\"v\":1,\"v\":2},\"a\":{\"v\":3,\"v\":4}}"), "4"},
	};
	static const struct json_format fails = {BAD_SKIP, BAD_NULL, BAD_FAIL, TOMBSTONE_SKIP};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct column_spec column = {"v", TYPE_BIGINT, rows[i].path, MILLIS};
		const struct slice texts[] = {rows[i].text, rows[i].text};
		struct buffer found;
		struct batch batch;

		buffer_init(&found);
		decode(&column, &fails, texts, 2, &batch);
		if (bad.count)
			buffer_append_text(&found, "MISSING");
		else if (bad.bad_fields)
			buffer_append_text(&found, "BAD");
		else
			append_value(&found, column_value(&batch.columns[0], 1));
		if (strcmp(found.data, rows[i].expected) != 0)
			fail_msg("%s: %s, expected %s", rows[i].name, found.data, rows[i].expected);
		batch_release(&batch);
		buffer_release(&found);
	}
}

static void paths_test(void **state)
{
	static const struct {
		const char *path;
		struct slice text;
		const char *expected;
	} rows[] = {
	        {"$.a.b[0]", RECORD("{\"a\":{\"b\":[5,6]}}"), "5"},
	        {"$.a.b[1]", RECORD("{\"a\":{\"b\":[5,6]}}"), "6"},
	        {"$.a.b[2]", RECORD("{\"a\":{\"b\":[5,6]}}"), "NULL"},
	        {"$.a.b[0]", RECORD("{\"a\":{\"b\":{\"0\":5}}}"), "NULL"},
	        {"$.a.b[0]", RECORD("{\"a\":[{\"b\":[5]}]}"), "NULL"},
	        {"$.a[0][1].b", RECORD("{\"a\":[[1,{\"b\":9}]]}"), "9"},
	        {"$['odd name']", RECORD("{\"odd name\":3}"), "3"},
	        {"$['a.b']", RECORD("{\"a\":{\"b\":1},\"a.b\":2}"), "2"},
	        {"$['\xc3\xa4']", RECORD("{\"\\u00e4\":4}"), "4"},
	        {"$.a", RECORD("{\"A\":1,\"aa\":2,\"b\":{\"a\":3}}"), "NULL"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct column_spec column = {"v", TYPE_BIGINT, rows[i].path, MILLIS};
		struct buffer found;
		struct batch batch;

		buffer_init(&found);
		assert_int_equal(decode(&column, &nulls, &rows[i].text, 1, &batch), 1);
		append_value(&found, column_value(&batch.columns[0], 0));
		if (strcmp(found.data, rows[i].expected) != 0)
			fail_msg("%s: %s, expected %s", rows[i].path, found.data, rows[i].expected);
		batch_release(&batch);
		buffer_release(&found);
	}
}

/* Which policy a row gets, and the words that the dead letter will have. */
static void policies_test(void **state)
{
	static const struct {
		const char *name;
		struct json_format format;
		struct slice text;
		const char *reason; /* NULL: a good row */
		enum bad_policy policy;
	} rows[] = {
	        {"a bad row is skipped",
	         {BAD_SKIP, BAD_NULL, BAD_NULL, TOMBSTONE_SKIP},
	         RECORD("{"),
	         "byte 2: expected a name in quotes",
	         BAD_SKIP},
	        {"a bad row fails",
	         {BAD_FAIL, BAD_NULL, BAD_NULL, TOMBSTONE_SKIP},
	         RECORD("{"),
	         "byte 2: expected a name in quotes",
	         BAD_FAIL},
	        {"a bad field is NULL",
	         {BAD_FAIL, BAD_NULL, BAD_FAIL, TOMBSTONE_SKIP},
	         RECORD("{\"v\":\"x\"}"),
	         NULL,
	         BAD_NULL},
	        {"a bad field's row is skipped",
	         {BAD_FAIL, BAD_SKIP_ROW, BAD_FAIL, TOMBSTONE_SKIP},
	         RECORD("{\"v\":\"x\"}"),
	         "column v: \"x\" is not a BIGINT",
	         BAD_SKIP_ROW},
	        {"a bad field is a dead letter",
	         {BAD_FAIL, BAD_DEAD_LETTER, BAD_FAIL, TOMBSTONE_SKIP},
	         RECORD("{\"v\":1.5}"),
	         "column v: 1.5 is not a BIGINT",
	         BAD_DEAD_LETTER},
	        {"a bad field fails",
	         {BAD_SKIP, BAD_FAIL, BAD_NULL, TOMBSTONE_SKIP},
	         RECORD("{\"v\":[1, 2]}"),
	         "column v: [1, 2] is not a BIGINT",
	         BAD_FAIL},
	        {"a long value is cut at a character",
	         {BAD_SKIP, BAD_FAIL, BAD_NULL, TOMBSTONE_SKIP},
	         RECORD("{\"v\":\"0123456789012345678901234567890123456789012345\xc3\xa4\"}"),
	         "column v: \"0123456789012345678901234567890123456789012345... is not a BIGINT",
	         BAD_FAIL},
	        {"a missing field is NULL",
	         {BAD_FAIL, BAD_FAIL, BAD_NULL, TOMBSTONE_SKIP},
	         RECORD("{}"),
	         NULL,
	         BAD_NULL},
	        {"a missing field's row is skipped",
	         {BAD_FAIL, BAD_FAIL, BAD_SKIP_ROW, TOMBSTONE_SKIP},
	         RECORD("{}"),
	         "column v: $.v is missing",
	         BAD_SKIP_ROW},
	        {"null is not missing",
	         {BAD_FAIL, BAD_FAIL, BAD_FAIL, TOMBSTONE_SKIP},
	         RECORD("{\"v\":null}"),
	         NULL,
	         BAD_NULL},
	        {"a bad row comes before a bad field",
	         {BAD_SKIP, BAD_FAIL, BAD_FAIL, TOMBSTONE_SKIP},
	         RECORD("{\"v\":\"x\""),
	         "byte 9: expected ',' or '}'",
	         BAD_SKIP},
	};
	const struct column_spec column = {"v", TYPE_BIGINT, "$.v", MILLIS};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct batch batch;
		size_t good = decode(&column, &rows[i].format, &rows[i].text, 1, &batch);

		if (good + bad.count != 1 || (good == 1) != (rows[i].reason == NULL))
			fail_msg("%s: %zu good, %zu bad", rows[i].name, good, bad.count);
		if (rows[i].reason && strcmp(bad.items[0].reason, rows[i].reason) != 0)
			fail_msg("%s: \"%s\", expected \"%s\"", rows[i].name, bad.items[0].reason, rows[i].reason);
		if (rows[i].reason && bad.items[0].policy != rows[i].policy)
			fail_msg("%s: policy %d", rows[i].name, (int)bad.items[0].policy);
		if (!rows[i].reason && batch.columns[0].valid[0])
			fail_msg("%s: not NULL", rows[i].name);
		batch_release(&batch);
	}
}

/* What nobody reads is skipped, but must be well formed all the same. */
static void unread_test(void **state)
{
	static const struct column_spec columns[] = {{"a", TYPE_BIGINT, "$.a", MILLIS},
	                                             {"b", TYPE_BIGINT, "$.b", MILLIS}};
	static const struct schema_column named[] = {{"a", TYPE_BIGINT}, {"b", TYPE_BIGINT}};
	static const bool read[] = {false, true};
	struct json_decoder *decoder = json_decoder_new(columns, 2, read, &loud, RECORD_BYTES);
	struct batch batch;

	(void)state;
	batch_init(&batch, &(struct schema){named, 2}, read, BATCH_ROWS_MAX);
	records.count = 3;
	records.records[0].value = SLICE_LITERAL("{\"a\":\"no number\",\"b\":1}");
	records.records[1].value = SLICE_LITERAL("{\"a\":1e999,\"b\":2}");
	records.records[2].value = SLICE_LITERAL("{\"a\":01,\"b\":3}");
	assert_int_equal(json_decode(decoder, &records, &batch, good_rows, &bad), 2);
	assert_int_equal(batch.columns[1].bigints[1], 2);
	assert_null(batch.columns[0].values);
	assert_string_equal(bad.items[0].reason, "byte 6: expected a number");
	batch_release(&batch);
	json_decoder_free(decoder);
	json_decoder_free(NULL);
}

/* A record without a value is no bad row, and nothing is missing from it; an empty one is one. */
static void tombstones_test(void **state)
{
	static const struct json_format skip = {BAD_FAIL, BAD_FAIL, BAD_FAIL, TOMBSTONE_SKIP},
	                                row = {BAD_FAIL, BAD_FAIL, BAD_FAIL, TOMBSTONE_ROW};
	const struct column_spec column = {"v", TYPE_BIGINT, "$.v", MILLIS};
	const struct slice texts[] = {SLICE_LITERAL("{\"v\":1}"), {NULL, 0}, SLICE_LITERAL("{\"v\":2}")};
	const struct slice others[] = {SLICE_LITERAL(""), SLICE_LITERAL("null"), SLICE_LITERAL(" ")};
	struct batch batch;

	(void)state;
	assert_int_equal(decode(&column, &skip, texts, 3, &batch), 2);
	assert_int_equal(bad.count, 0);
	assert_int_equal(bad.tombstones, 1);
	assert_int_equal(good_rows[1], 2);
	batch_release(&batch);
	assert_int_equal(decode(&column, &row, texts, 3, &batch), 3);
	assert_int_equal(bad.count, 0);
	assert_int_equal(bad.tombstones, 1);
	assert_int_equal(batch.columns[0].valid[0], 1);
	assert_int_equal(batch.columns[0].valid[1], 0);
	assert_int_equal(batch.columns[0].bigints[2], 2);
	batch_release(&batch);
	assert_int_equal(decode(&column, &row, others, 3, &batch), 0);
	assert_int_equal(bad.count, 3);
	assert_int_equal(bad.tombstones, 0);
	batch_release(&batch);
}

/* A record of more than limits.recordBytes, and one that its source could not give whole. */
static void long_records_test(void **state)
{
	const struct column_spec column = {"v", TYPE_STRING, "$.v", MILLIS};
	struct buffer text;
	struct batch batch;

	(void)state;
	buffer_init(&text);
	buffer_printf(&text, "{\"v\":\"%0*d\"}", RECORD_BYTES - 8, 1);
	for (int longer = 0; longer < 2; longer++) {
		const struct slice whole = buffer_slice(&text);

		assert_int_equal(text.size, RECORD_BYTES + longer);
		assert_int_equal(decode(&column, &loud, &whole, 1, &batch), 1 - longer);
		batch_release(&batch);
		buffer_append_char(&text, ' ');
	}
	assert_string_equal(bad.items[0].reason, "longer than 100000, which limits.recordBytes allows");
	assert_int_equal(bad.items[0].policy, BAD_DEAD_LETTER);
	buffer_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(values_test),       cmocka_unit_test(bad_rows_test),
	        cmocka_unit_test(depth_test),        cmocka_unit_test(duplicates_test),
	        cmocka_unit_test(paths_test),        cmocka_unit_test(policies_test),
	        cmocka_unit_test(unread_test),       cmocka_unit_test(tombstones_test),
	        cmocka_unit_test(long_records_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
