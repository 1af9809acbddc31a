/*
 * The part of the canonical spec that decides what rows become of a window: not where they come from or go to. What is
 * as by default is left out, so that a later version, which knows more fields, gives a job file the hash that it had.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "lib/base/hash.h"
#include "lib/base/memory.h"
#include "lib/spec/out/out.h"
#include "lib/spec/field/tables.h"

static bool is_default(const struct field *field, const json_t *value)
{
	char number[32];

	if (!field->initial)
		return false;
	switch (json_typeof(value)) {
	case JSON_STRING:
		return !strcmp(json_string_value(value), field->initial);
	case JSON_INTEGER:
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return !strcmp(number, field->initial);
	case JSON_REAL:
		return json_real_value(value) == strtod(field->initial, NULL);
	case JSON_TRUE:
	case JSON_FALSE:
		return !strcmp(json_is_true(value) ? "true" : "false", field->initial);
	case JSON_OBJECT:
	case JSON_ARRAY:
	case JSON_NULL:
		break;
	}
	return false;
}

static void drop_defaults(const struct object *object, json_t *json);

static void drop_in_member(const struct field *field, json_t *member)
{
	const char *key;
	json_t *item;
	size_t i;

	if (field->kind == FIELD_OBJECT)
		drop_defaults(field->object, member);
	else if (field->kind == FIELD_OBJECTS)
		json_array_foreach(member, i, item) drop_defaults(field->object, item);
	else if (field->kind == FIELD_KEYED_OBJECTS)
		json_object_foreach(member, key, item) drop_defaults(field->object, item);
}

/* An object in which nothing is left goes too, unless it says which variant it is. */
static void drop_defaults(const struct object *object, json_t *json)
{
	for (const struct field *field = object->fields; field->name; field++) {
		json_t *member = json_object_get(json, field->name);

		if (!member)
			continue;
		drop_in_member(field, member);
		if (is_default(field, member) ||
		    (field->kind == FIELD_OBJECT && !field->variant && !json_object_size(member)))
			json_object_del(json, field->name);
	}
}

void jobspec_query_hash(const struct jobspec *job, char ret_hash[JOBSPEC_QUERY_HASH_BYTES])
{
	static const char *const parts[] = {"format",  "columns",   "filter",     "select", "lateral", "window",
	                                    "groupBy", "functions", "aggregates", "having", "limits"};
	static const char *const of_kafka[] = {"keyEncoding", "headerEncoding"};
	char hex[HASH_SHA256_HEX];
	json_t *root, *query = json_object();
	json_t *spec;
	const json_t *kafka;
	struct buffer text;
	char *dump;

	buffer_init(&text);
	jobspec_canonical(job, &text);
	root = json_loadb(text.data, text.size, 0, NULL);
	buffer_release(&text);
	spec = json_object_get(root, "spec");
	drop_defaults(&spec_object, spec);
	json_object_del(json_object_get(spec, "limits"), "badRowShare"); /* says when to complain, and changes no row */
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		json_object_set(query, parts[i], json_object_get(spec, parts[i]));
	kafka = json_object_get(json_object_get(spec, "source"), "kafka");
	for (size_t i = 0; i < sizeof(of_kafka) / sizeof(of_kafka[0]); i++)
		json_object_set(query, of_kafka[i], json_object_get(kafka, of_kafka[i]));
	dump = json_dumps(query, JSON_COMPACT | JSON_SORT_KEYS);
	if (!dump)
		abort(); /* no memory */
	hash_sha256_hex(slice_of(dump), hex);
	memcpy(ret_hash, hex, JOBSPEC_QUERY_HASH_BYTES - 1);
	ret_hash[JOBSPEC_QUERY_HASH_BYTES - 1] = '\0';
	free(dump);
	json_decref(query);
	json_decref(root);
}
