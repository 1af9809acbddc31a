/* Values of a window's result: as plain text, and in JSON. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "runtime/port/result.h"

static const struct row {
	const char *name;
	struct value value;
	const char *text, *json;
} rows[] = {
        {"NULL", {.type = TYPE_STRING, .null = true}, "", "null"},
        {"no type", {.type = TYPE_NULL, .null = true}, "", "null"},
        {"true", {.type = TYPE_BOOLEAN, .boolean = true}, "true", "true"},
        {"false", {.type = TYPE_BOOLEAN, .boolean = false}, "false", "false"},
        {"INT", {.type = TYPE_INT, .bigint = -7}, "-7", "-7"},
        {"BIGINT", {.type = TYPE_BIGINT, .bigint = INT64_MIN}, "-9223372036854775808", "-9223372036854775808"},
        {"DOUBLE", {.type = TYPE_DOUBLE, .real = 0.1}, "0.1", "0.1"},
        {"NaN", {.type = TYPE_DOUBLE, .real = NAN}, "NaN", "null"},
        {"STRING", {.type = TYPE_STRING, .string = {"a \"b\"\n", 6}}, "a \"b\"\n", "\"a \\\"b\\\"\\n\""},
        {"TIMESTAMP",
         {.type = TYPE_TIMESTAMP, .bigint = 86400123},
         "1970-01-02T00:00:00.123Z",
         "\"1970-01-02T00:00:00.123Z\""},
};

static void values_test(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct schema_column column = {"v", row->value.type};
		struct schema schema = {&column, 1};
		struct window_result result = {.schema = &schema, .keys_count = 1};
		struct buffer text, json;
		size_t size;

		buffer_init(&text);
		buffer_init(&json);
		result_value_text(row->value, &text);
		batch_init(&result.rows, &schema, NULL, 1);
		column_set(&result.rows.columns[0], 0, row->value);
		result.rows.rows = 1;
		result_key_json(&result, 0, &json);
		size = strlen(row->json);
		if (strcmp(buffer_slice(&text).data, row->text) != 0)
			fail_msg("%s: text %s", row->name, buffer_slice(&text).data);
		if (json.size != size + 6 || memcmp(json.data, "{\"v\":", 5) != 0 ||
		    memcmp(json.data + 5, row->json, size) != 0)
			fail_msg("%s: JSON %s", row->name, json.data);
		batch_release(&result.rows);
		buffer_release(&json);
		buffer_release(&text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(values_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
