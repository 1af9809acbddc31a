/* The canonical job file: struct to JSON by the field table. Equal jobs have equal bytes, whatever their YAML. */
#include "lib/base/text.h"
#include "lib/spec/field/tables.h"
#include "lib/spec/out/out.h"

static void write_object(const struct object *object, const char *members, struct buffer *out);

static void write_text(const char *text, struct buffer *out)
{
	text_json_string(out, slice_of(text));
}

static int64_t int64_at(const char *member)
{
	int64_t value;

	memcpy(&value, member, sizeof(value));
	return value;
}

static size_t size_at(const char *member)
{
	size_t value;

	memcpy(&value, member, sizeof(value));
	return value;
}

static const void *pointer_at(const char *member)
{
	const void *value;

	memcpy(&value, member, sizeof(value));
	return value;
}

static void write_choice(const struct field *field, const char *member, struct buffer *out)
{
	int value;

	memcpy(&value, member, sizeof(value));
	for (const struct choice *choice = field->choices; choice->name; choice++) {
		if (choice->value == value) {
			write_text(choice->name, out);
			return;
		}
	}
}

static void write_strings(const struct names *names, struct buffer *out)
{
	buffer_append_char(out, '[');
	for (size_t i = 0; i < names->count; i++) {
		buffer_append_text(out, i ? "," : "");
		write_text(names->items[i], out);
	}
	buffer_append_char(out, ']');
}

static void write_pairs(const struct pairs *pairs, struct buffer *out)
{
	buffer_append_char(out, '{');
	for (size_t i = 0; i < pairs->count; i++) {
		buffer_append_text(out, i ? "," : "");
		write_text(pairs->items[i].key, out);
		buffer_append_char(out, ':');
		write_text(pairs->items[i].value, out);
	}
	buffer_append_char(out, '}');
}

static void write_doubles(const double *values, size_t count, struct buffer *out)
{
	buffer_append_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		buffer_append_text(out, i ? "," : "");
		text_json_double(out, values[i]);
	}
	buffer_append_char(out, ']');
}

static void write_objects(const struct field *field, const char *items, size_t count, struct buffer *out)
{
	bool keyed = field->kind == FIELD_KEYED_OBJECTS;

	buffer_append_char(out, keyed ? '{' : '[');
	for (size_t i = 0; i < count; i++) {
		const char *item = items + i * field->object->size;

		buffer_append_text(out, i ? "," : "");
		if (keyed) {
			write_text(pointer_at(item + field->object->key_offset), out);
			buffer_append_char(out, ':');
		}
		write_object(field->object, item, out);
	}
	buffer_append_char(out, keyed ? '}' : ']');
}

static void write_amount(const struct field *field, const char *member, struct buffer *out)
{
	buffer_append_char(out, '"');
	if (field->kind == FIELD_DURATION)
		text_duration(out, int64_at(member));
	else
		text_bytes(out, int64_at(member));
	buffer_append_char(out, '"');
}

static void write_value(const struct field *field, const char *members, struct buffer *out)
{
	const char *member = members + field->offset;
	double real;

	switch (field->kind) {
	case FIELD_STRING:
	case FIELD_EXPRESSION:
	case FIELD_WORD:
		write_text(pointer_at(member), out);
		break;
	case FIELD_ENUM:
		write_choice(field, member, out);
		break;
	case FIELD_BOOLEAN:
		buffer_append_text(out, *(const bool *)member ? "true" : "false");
		break;
	case FIELD_INTEGER:
		text_bigint(out, int64_at(member));
		break;
	case FIELD_DOUBLE:
		memcpy(&real, member, sizeof(real));
		text_json_double(out, real);
		break;
	case FIELD_DURATION:
	case FIELD_BYTES:
		write_amount(field, member, out);
		break;
	case FIELD_STRINGS:
		write_strings((const void *)member, out);
		break;
	case FIELD_STRING_MAP:
		write_pairs((const void *)member, out);
		break;
	case FIELD_DOUBLES:
		write_doubles(pointer_at(member), size_at(members + field->count_offset), out);
		break;
	case FIELD_JSON:
		buffer_append_text(out, pointer_at(member));
		break;
	case FIELD_OBJECT:
		write_object(field->object, member, out);
		break;
	case FIELD_OBJECTS:
	case FIELD_KEYED_OBJECTS:
		write_objects(field, pointer_at(member), size_at(members + field->count_offset), out);
		break;
	}
}

static bool is_set(const struct object *object, const struct field *field, const char *members)
{
	const char *member = members + field->offset;
	int tag;

	if (field->variant) {
		memcpy(&tag, members + object->tag_offset, sizeof(tag));
		return tag == field->tag;
	}
	switch (field->kind) {
	case FIELD_STRING:
	case FIELD_EXPRESSION:
	case FIELD_WORD:
	case FIELD_DOUBLES:
	case FIELD_JSON:
		return pointer_at(member) != NULL;
	case FIELD_STRINGS:
		return ((const struct names *)(const void *)member)->count > 0;
	case FIELD_STRING_MAP:
		return ((const struct pairs *)(const void *)member)->count > 0;
	case FIELD_OBJECTS:
	case FIELD_KEYED_OBJECTS:
		return size_at(members + field->count_offset) > 0;
	case FIELD_OBJECT:
		for (const struct field *inner = field->object->fields; inner->name; inner++)
			if (inner->offset == FIELD_NOT_STORED || is_set(field->object, inner, member))
				return true;
		return false;
	case FIELD_ENUM:
	case FIELD_BOOLEAN:
	case FIELD_INTEGER:
	case FIELD_DOUBLE:
	case FIELD_DURATION:
	case FIELD_BYTES:
		break;
	}
	return true;
}

/* The format of a column that is no TIMESTAMP would be refused when read again. */
static bool is_idle(const struct object *object, const struct field *field, const char *members)
{
	return object == &column_object && !strcmp(field->name, "format") &&
	       ((const struct column_spec *)(const void *)members)->type != TYPE_TIMESTAMP;
}

static void write_object(const struct object *object, const char *members, struct buffer *out)
{
	bool first = true;

	buffer_append_char(out, '{');
	for (const struct field *field = object->fields; field->name; field++) {
		bool stored = field->offset != FIELD_NOT_STORED;

		if (field->cluster || (stored && (!is_set(object, field, members) || is_idle(object, field, members))))
			continue;
		buffer_printf(out, "%s\"%s\":", first ? "" : ",", field->name);
		first = false;
		if (stored)
			write_value(field, members, out);
		else
			write_text(field->initial, out);
	}
	buffer_append_char(out, '}');
}

void jobspec_canonical(const struct jobspec *job, struct buffer *out)
{
	buffer_append_text(out,
	                   "{\"apiVersion\":\"" JOB_API_VERSION "\",\"kind\":\"" JOB_KIND "\",\"metadata\":{\"name\":");
	write_text(job->name, out);
	buffer_append_text(out, ",\"namespace\":");
	write_text(job->namespace, out);
	buffer_append_text(out, "},\"spec\":");
	write_object(&spec_object, (const char *)job, out);
	buffer_append_char(out, '}');
}
