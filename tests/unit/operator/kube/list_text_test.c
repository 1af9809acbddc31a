#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "operator/kube/list_text.h"

struct list_case {
	const char *name, *text;
	const char *items;  /* each in parentheses, `!` where the array ends wrongly; NULL: no object */
	const char *around; /* what is before and behind, with `@` between; NULL: not looked at */
};

static const struct list_case cases[] = {
        {"items in the middle", "{\"a\":1,\"items\":[{\"b\":2},{\"c\":3}],\"z\":{}}", "({\"b\":2})({\"c\":3})",
         "{\"a\":1,\"items\":@,\"z\":{}}"},
        {"blanks everywhere", " { \"items\" : [ { } , [ 1 , 2 ] , 7 , \"x\" ] } \n", "({ })([ 1 , 2 ])(7)(\"x\")",
         " { \"items\" : @ } \n"},
        {"no items", "{\"items\":[]}", "", "{\"items\":@}"},
        {"null", "{\"items\":null}", "!", "{\"items\":null}@"},
        {"none at all", "{\"a\":{\"items\":[1]},\"b\":[{\"items\":[2]}]}", "!", NULL},
        {"the key in a text", "{\"a\":\"\\\"items\\\":[1]\",\"items\":[2]}", "(2)", NULL},
        {"brackets in texts", "{\"items\":[\"]\",{\"a\":\"}\\\\\"},\"\\\"]\"]}",
         "(\"]\")({\"a\":\"}\\\\\"})(\"\\\"]\")", NULL},
        {"nested", "{\"items\":[[[{\"a\":[1,{\"b\":[]}]}]],-1.5e3]}", "([[{\"a\":[1,{\"b\":[]}]}]])(-1.5e3)", NULL},
        {"a comma too many", "{\"items\":[1,]}", "(1)!", NULL},
        {"a comma too few", "{\"items\":[1 2]}", "!", NULL},
        {"cut off in an item", "{\"items\":[{\"a\":1},{\"b\"", NULL, NULL},
        {"cut off in a text", "{\"items\":[\"abc", NULL, NULL},
        {"cut off behind the key", "{\"items\"", NULL, NULL},
        {"cut off before a value", "{\"items\":", NULL, NULL},
        {"an array", "[1]", NULL, NULL},
        {"a text", "\"items\"", NULL, NULL},
        {"nothing", "", NULL, NULL},
};

static void write_items(struct slice items, char *out, size_t size)
{
	struct slice item;
	int more;

	while ((more = list_text_next(&items, &item)) > 0)
		snprintf(out + strlen(out), size - strlen(out), "(%.*s)", SLICE_ARG(item));
	if (more < 0)
		strcat(out, "!");
}

static void list_test(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char items[256] = "", around[256];
		struct list_text list;
		bool found = list_text_find(slice_of(cases[i].text), &list);

		if (found != (cases[i].items != NULL))
			fail_msg("%s: %s", cases[i].name, found ? "is an object" : "is no object");
		if (!found)
			continue;
		write_items(list.items, items, sizeof(items) - 2);
		if (strcmp(items, cases[i].items) != 0)
			fail_msg("%s: %s, not %s", cases[i].name, items, cases[i].items);
		snprintf(around, sizeof(around), "%.*s@%.*s", SLICE_ARG(list.before), SLICE_ARG(list.after));
		if (cases[i].around && strcmp(around, cases[i].around) != 0)
			fail_msg("%s: around it %s, not %s", cases[i].name, around, cases[i].around);
	}
}

struct parse_case {
	const char *name, *text;
	const char *object; /* as it was parsed, with sorted keys; NULL: no JSON */
};

/* What is parsed without metadata.managedFields. */
static void parse_test(void **state)
{
	static const char *const path[] = {"metadata", "managedFields", NULL};
	static const struct parse_case parses[] = {
	        {"in the middle", "{\"metadata\":{\"a\":1,\"managedFields\":[{\"f:x\":{}}],\"b\":2},\"c\":3}",
	         "{\"c\":3,\"metadata\":{\"a\":1,\"b\":2}}"},
	        {"alone", " { \"metadata\" : { \"managedFields\" : [ ] } } ", "{\"metadata\":{}}"},
	        {"what is in it is not looked at", "{\"metadata\":{\"managedFields\":[nonsense]}}",
	         "{\"metadata\":{}}"},
	        {"none", "{\"metadata\":{\"a\":\"managedFields\"}}", "{\"metadata\":{\"a\":\"managedFields\"}}"},
	        {"elsewhere", "{\"managedFields\":1,\"metadata\":{\"x\":{\"managedFields\":2}}}",
	         "{\"managedFields\":1,\"metadata\":{\"x\":{\"managedFields\":2}}}"},
	        {"metadata is no object", "{\"metadata\":[\"managedFields\"]}", "{\"metadata\":[\"managedFields\"]}"},
	        {"brackets in texts", "{\"metadata\":{\"managedFields\":\"}]\\\"\",\"a\":1}}",
	         "{\"metadata\":{\"a\":1}}"},
	        {"an array", "[1]", "[1]"},
	        {"cut off in it", "{\"metadata\":{\"managedFields\":[{\"a\"", NULL},
	        {"cut off behind it", "{\"metadata\":{\"managedFields\":[]", NULL},
	        {"nonsense behind it", "{\"metadata\":{\"managedFields\":[]},x}", NULL},
	        {"nothing", "", NULL},
	};
	struct buffer scratch;

	(void)state;
	buffer_init(&scratch);
	for (size_t i = 0; i < sizeof(parses) / sizeof(parses[0]); i++) {
		json_error_t why;
		json_t *object = object_text_parse(slice_of(parses[i].text), path, &scratch, &why);
		char *text = object ? json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

		if (!text != !parses[i].object || (text && strcmp(text, parses[i].object) != 0))
			fail_msg("%s: %s", parses[i].name, text ? text : "no JSON");
		free(text);
		json_decref(object);
	}
	buffer_release(&scratch);
}

static void append_nested(struct buffer *text, const char *open, const char *close, size_t depth)
{
	for (size_t i = 0; i < depth; i++)
		buffer_append_text(text, open);
	buffer_append_text(text, "1");
	for (size_t i = 0; i < depth; i++)
		buffer_append_text(text, close);
}

/* What the API server takes is nested up to 10,000 deep. */
static void deep_test(void **state)
{
	static const struct {
		const char *path[4];
		const char *before, *behind, *object;
	} rows[] = {
	        {{"metadata", "managedFields", NULL},
	         "{\"metadata\":{\"name\":\"a\",\"managedFields\":",
	         "",
	         "{\"metadata\":{\"name\":\"a\"}}"},
	        {{"object", "metadata", "managedFields", NULL},
	         "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\",\"managedFields\":",
	         "}",
	         "{\"object\":{\"metadata\":{\"name\":\"a\"}},\"type\":\"ADDED\"}"},
	};
	struct buffer scratch, text;

	(void)state;
	buffer_init(&scratch);
	buffer_init(&text);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_error_t why;
		json_t *object;
		char *got;

		buffer_clear(&text);
		buffer_append_text(&text, rows[i].before);
		append_nested(&text, "{\"f:x\":", "}", 9000);
		buffer_append_text(&text, "},\"spec\":");
		append_nested(&text, "{\"x\":[", "]}", 4500);
		buffer_append_text(&text, "}");
		buffer_append_text(&text, rows[i].behind);
		object = object_text_parse(buffer_slice(&text), rows[i].path, &scratch, &why);
		if (!object)
			fail_msg("%s: %s", rows[i].before, why.text);
		got = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
		assert_string_equal(got, rows[i].object);
		free(got);
		json_decref(object);
	}
	buffer_release(&scratch);
	buffer_release(&text);
}

/* Keys, numbers and depths that the API server keeps as they are; of a ControllerRevision in its data. */
static void beyond_parser_test(void **state)
{
	static const struct {
		const char *text, *object;
	} rows[] = {
	        {"{\"metadata\":{\"name\":\"a\"},\"spec\":{\"podTemplate\":{\"a\\u0000b\":1}}}",
	         "{\"metadata\":{\"name\":\"a\"}}"},
	        {"{\"metadata\":{\"name\":\"a\"},\"data\":{\"\\u0000\":1},\"revision\":3}",
	         "{\"metadata\":{\"name\":\"a\"},\"revision\":3}"},
	        {"{\"metadata\":{\"name\":\"a\"},\"spec\":{\"x\":1},\"data\":{\"n\":99999999999999999999}}",
	         "{\"metadata\":{\"name\":\"a\"},\"spec\":{\"x\":1}}"},
	        {"{\"metadata\":{\"name\":\"a\"},\"status\":{\"\\u0000\":1}}", "{\"metadata\":{\"name\":\"a\"}}"},
	        {"{\"metadata\":{\"name\":\"a\"},\"spec\":{\"x\":tru}}", NULL},
	};
	static const char *const item[] = {"metadata", "managedFields", NULL}, *const event[] = {"object", "metadata",
	                                                                                         "managedFields", NULL};
	struct buffer scratch, text;

	(void)state;
	buffer_init(&scratch);
	buffer_init(&text);
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		bool is_event = i % 2;
		json_error_t why;
		json_t *object;
		char *got;

		buffer_clear(&text);
		buffer_printf(&text, is_event ? "{\"type\":\"ADDED\",\"object\":%s}" : "%s", rows[i / 2].text);
		object = object_text_parse(buffer_slice(&text), is_event ? event : item, &scratch, &why);
		got = object ? json_dumps(is_event ? json_object_get(object, "object") : object,
		                          JSON_COMPACT | JSON_SORT_KEYS)
		             : NULL;
		if (!got != !rows[i / 2].object || (got && strcmp(got, rows[i / 2].object) != 0))
			fail_msg("%s: %s", text.data, got ? got : why.text);
		free(got);
		json_decref(object);
	}
	buffer_release(&scratch);
	buffer_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(list_test), cmocka_unit_test(parse_test),
	                                   cmocka_unit_test(deep_test), cmocka_unit_test(beyond_parser_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
