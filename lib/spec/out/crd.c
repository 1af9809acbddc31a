/*
 * The CustomResourceDefinition, from the field table: a structural schema with types, bounds, defaults and
 * descriptions, and CEL rules for what a schema cannot say. Every list, map and string is bounded: the API server
 * estimates what a rule may cost from these bounds and refuses the CRD otherwise.
 */
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/text.h"
#include "lib/spec/out/crd.h"
#include "lib/spec/field/tables.h"
#include "lib/spec/out/out.h"

#define SCHEMA_INDENT   8 /* of openAPIV3Schema's members */
#define AMOUNT_TEXT_MAX 32

static void write_object(const struct object *object, const char *doc, int indent, struct buffer *out);

static void line(struct buffer *out, int indent, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void line(struct buffer *out, int indent, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	buffer_printf(out, "%*s%s\n", indent, "", text);
}

/* `key: "text"`; a JSON string is a YAML string. */
static void text_line(struct buffer *out, int indent, const char *key, const char *text)
{
	buffer_printf(out, "%*s%s: ", indent, "", key);
	text_json_string(out, slice_of(text));
	buffer_append_char(out, '\n');
}

static void write_rule(const char *cel, const char *wrong, const char *right, int indent, struct buffer *out)
{
	char message[512];

	snprintf(message, sizeof(message), "%s; %s", wrong, right);
	text_line(out, indent, "- rule", cel);
	text_line(out, indent, "  message", message);
}

static void write_one_of(const struct object *object, int indent, struct buffer *out)
{
	struct buffer cel, names;
	bool first = true;

	buffer_init(&cel);
	buffer_init(&names);
	buffer_append_char(&cel, '[');
	for (const struct field *field = object->fields; field->name; field++) {
		if (!field->variant)
			continue;
		buffer_printf(&cel, "%shas(self.%s)", first ? "" : ", ", field->name);
		first = false;
	}
	buffer_append_text(&cel, "].filter(given, given).size() == 1");
	buffer_append_text(&names, "give exactly one of ");
	object_names(object, true, " and ", &names);
	text_line(out, indent, "- rule", cel.data);
	text_line(out, indent, "  message", names.data);
	buffer_release(&cel);
	buffer_release(&names);
}

static bool has_variants(const struct object *object)
{
	for (const struct field *field = object->fields; field->name; field++)
		if (field->variant)
			return true;
	return false;
}

static void write_rules(const struct object *object, int indent, struct buffer *out)
{
	bool any = has_variants(object);

	for (const struct rule *rule = object->rules; rule && rule->wrong; rule++)
		any = any || rule->cel;
	if (!any)
		return;
	line(out, indent, "x-kubernetes-validations:");
	if (has_variants(object))
		write_one_of(object, indent, out);
	for (const struct rule *rule = object->rules; rule && rule->wrong; rule++)
		if (rule->cel)
			write_rule(rule->cel, rule->wrong, rule->right, indent, out);
}

static void write_choices(const struct field *field, int indent, struct buffer *out)
{
	line(out, indent, "type: string");
	line(out, indent, "enum:");
	for (const struct choice *choice = field->choices; choice->name; choice++)
		line(out, indent, "- \"%s\"", choice->name);
}

static void write_string(int64_t min, int64_t max, const struct pattern *pattern, int indent, struct buffer *out)
{
	line(out, indent, "type: string");
	if (min > 0)
		line(out, indent, "minLength: %lld", (long long)min);
	line(out, indent, "maxLength: %lld", (long long)max);
	if (pattern)
		text_line(out, indent, "pattern", pattern->regex);
}

static void write_number(const struct field *field, int indent, struct buffer *out)
{
	line(out, indent, "type: number");
	if (field->low > -FIELD_DOUBLE_MAX)
		line(out, indent, "minimum: %.0f", field->low);
	if (field->high < FIELD_DOUBLE_MAX)
		line(out, indent, "maximum: %.0f", field->high);
}

static void write_list(const struct field *field, int indent, struct buffer *out)
{
	line(out, indent, "type: array");
	if (field->min > 0)
		line(out, indent, "minItems: %lld", (long long)field->min);
	line(out, indent, "maxItems: %lld", (long long)field->max);
	if (field->kind == FIELD_OBJECTS && field->object->named) {
		line(out, indent, "x-kubernetes-list-type: map");
		line(out, indent, "x-kubernetes-list-map-keys: [name]");
	} else {
		line(out, indent, "x-kubernetes-list-type: %s", field->set ? "set" : "atomic");
	}
	line(out, indent, "items:");
	if (field->kind == FIELD_OBJECTS)
		write_object(field->object, field->object->doc, indent + 2, out);
	else if (field->kind == FIELD_DOUBLES)
		write_number(field, indent + 2, out);
	else
		write_string(0, field->item_max, field->pattern, indent + 2, out);
}

static void write_map(const struct field *field, int indent, struct buffer *out)
{
	line(out, indent, "type: object");
	if (field->min > 0)
		line(out, indent, "minProperties: %lld", (long long)field->min);
	line(out, indent, "maxProperties: %lld", (long long)field->max);
	line(out, indent, "additionalProperties:");
	if (field->kind == FIELD_KEYED_OBJECTS)
		write_object(field->object, field->object->doc, indent + 2, out);
	else
		write_string(0, field->item_max, NULL, indent + 2, out);
}

static void write_bytes(int indent, struct buffer *out)
{
	line(out, indent, "x-kubernetes-int-or-string: true");
	line(out, indent, "anyOf:");
	line(out, indent, "- type: integer");
	line(out, indent, "- type: string");
	line(out, indent, "maxLength: %d", AMOUNT_TEXT_MAX);
	text_line(out, indent, "pattern", bytes_pattern.regex);
}

static void write_integer(const struct field *field, int indent, struct buffer *out)
{
	line(out, indent, "type: integer");
	line(out, indent, "format: int64");
	line(out, indent, "minimum: %lld", (long long)field->min);
	line(out, indent, "maximum: %lld", (long long)field->max);
}

static void write_kind(const struct field *field, int indent, struct buffer *out)
{
	switch (field->kind) {
	case FIELD_WORD:
	case FIELD_ENUM:
		write_choices(field, indent, out);
		break;
	case FIELD_BOOLEAN:
		line(out, indent, "type: boolean");
		break;
	case FIELD_JSON:
		line(out, indent, "type: object");
		line(out, indent, "x-kubernetes-preserve-unknown-fields: true");
		break;
	case FIELD_INTEGER:
		write_integer(field, indent, out);
		break;
	case FIELD_DOUBLE:
		write_number(field, indent, out);
		break;
	case FIELD_DURATION:
		write_string(2, AMOUNT_TEXT_MAX, &duration_pattern, indent, out);
		break;
	case FIELD_BYTES:
		write_bytes(indent, out);
		break;
	case FIELD_STRINGS:
	case FIELD_DOUBLES:
	case FIELD_OBJECTS:
		write_list(field, indent, out);
		break;
	case FIELD_STRING_MAP:
	case FIELD_KEYED_OBJECTS:
		write_map(field, indent, out);
		break;
	case FIELD_STRING:
	case FIELD_EXPRESSION:
		write_string(field->min, field->max, field->pattern, indent, out);
		break;
	case FIELD_OBJECT: /* the caller writes its fields */
		break;
	}
}

/* So that a field's default shows also where its object was left out. */
static bool defaults_to_empty(const struct field *field)
{
	bool any = false;

	if (field->variant || field->required || has_variants(field->object))
		return false;
	for (const struct field *inner = field->object->fields; inner->name; inner++) {
		if (inner->required)
			return false;
		any = any || inner->initial || (inner->kind == FIELD_OBJECT && defaults_to_empty(inner));
	}
	return any;
}

static void write_default(const struct field *field, int indent, struct buffer *out)
{
	if (field->kind == FIELD_OBJECT) {
		if (defaults_to_empty(field))
			line(out, indent, "default: {}");
		return;
	}
	if (!field->initial)
		return;
	if (field->kind == FIELD_INTEGER || field->kind == FIELD_DOUBLE || field->kind == FIELD_BOOLEAN)
		line(out, indent, "default: %s", field->initial);
	else
		text_line(out, indent, "default", field->initial);
}

static void write_object(const struct object *object, const char *doc, int indent, struct buffer *out)
{
	bool required = false;

	line(out, indent, "type: object");
	if (doc)
		text_line(out, indent, "description", doc);
	for (const struct field *field = object->fields; field->name; field++) {
		if (field->required && !required)
			line(out, indent, "required:");
		required = required || field->required;
		if (field->required)
			line(out, indent, "- %s", field->name);
	}
	write_rules(object, indent, out);
	if (object->fields->name)
		line(out, indent, "properties:");
	for (const struct field *field = object->fields; field->name; field++) {
		line(out, indent + 2, "%s:", field->name);
		if (field->kind == FIELD_OBJECT) {
			write_object(field->object, field->doc, indent + 4, out);
		} else {
			text_line(out, indent + 4, "description", field->doc);
			write_kind(field, indent + 4, out);
		}
		write_default(field, indent + 4, out);
	}
}

void jobspec_crd(struct buffer *out)
{
	int indent = SCHEMA_INDENT;

	buffer_append_text(out, crd_head);
	line(out, indent, "type: object");
	text_line(out, indent, "description", "A stream job: events in, aggregated per group and window, results out.");
	line(out, indent, "required:");
	line(out, indent, "- spec");
	line(out, indent, "properties:");
	line(out, indent + 2, "apiVersion:");
	line(out, indent + 4, "type: string");
	text_line(out, indent + 4, "description", JOB_API_VERSION);
	line(out, indent + 2, "kind:");
	line(out, indent + 4, "type: string");
	text_line(out, indent + 4, "description", JOB_KIND);
	line(out, indent + 2, "metadata:");
	line(out, indent + 4, "type: object");
	line(out, indent + 2, "spec:");
	write_object(&spec_object, "What the job does.", indent + 4, out);
	buffer_append_text(out, crd_status);
}
