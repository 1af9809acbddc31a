/* The reference as Markdown, from the field table: a section an object, a row a field. */
#include <ctype.h>
#include <stdio.h>

#include "lib/base/exit_code.h"
#include "lib/base/text.h"
#include "lib/spec/field/tables.h"
#include "lib/spec/out/catalog.h"
#include "lib/spec/out/out.h"

#define SECTIONS_MAX     64
#define SECTION_PATH_MAX 128
#define PLACES_MAX       16

struct section {
	const struct object *object;
	char places[PLACES_MAX][SECTION_PATH_MAX]; /* an object may stand in several */
	size_t places_count;
};

struct sections {
	struct section items[SECTIONS_MAX];
	size_t count;
};

static struct section *find_section(struct sections *sections, const struct object *object)
{
	for (size_t i = 0; i < sections->count; i++)
		if (sections->items[i].object == object)
			return &sections->items[i];
	if (sections->count == SECTIONS_MAX)
		return NULL;
	sections->items[sections->count].object = object;
	return &sections->items[sections->count++];
}

static void collect(struct sections *sections, const struct object *object, const char *place)
{
	struct section *section = find_section(sections, object);

	if (section && section->places_count < PLACES_MAX)
		snprintf(section->places[section->places_count++], SECTION_PATH_MAX, "%s", place);
	for (const struct field *field = object->fields; field->name; field++) {
		char inner[SECTION_PATH_MAX];

		if (!field->object)
			continue;
		snprintf(inner, sizeof(inner), "%s.%s%s", place, field->name,
		         field->kind == FIELD_OBJECTS         ? "[]"
		         : field->kind == FIELD_KEYED_OBJECTS ? ".NAME"
		                                              : "");
		collect(sections, field->object, inner);
	}
}

static void write_link(const struct object *object, struct buffer *out)
{
	buffer_printf(out, "[%s](#", object->title);
	for (const char *p = object->title; *p; p++)
		buffer_append_char(out, *p == ' ' ? '-' : (char)tolower((unsigned char)*p));
	buffer_append_char(out, ')');
}

static void write_type(const struct field *field, struct buffer *out)
{
	static const char *const names[] = {
	        [FIELD_STRING] = "string",
	        [FIELD_EXPRESSION] = "SQL",
	        [FIELD_BOOLEAN] = "boolean",
	        [FIELD_JSON] = "object",
	        [FIELD_INTEGER] = "integer",
	        [FIELD_DOUBLE] = "number",
	        [FIELD_DURATION] = "duration",
	        [FIELD_BYTES] = "bytes",
	        [FIELD_STRINGS] = "list of string",
	        [FIELD_STRING_MAP] = "map of string",
	        [FIELD_DOUBLES] = "list of number",
	        [FIELD_OBJECTS] = "list of ",
	        [FIELD_OBJECT] = "",
	        [FIELD_KEYED_OBJECTS] = "map of ",
	};

	if (field->kind == FIELD_ENUM || field->kind == FIELD_WORD) {
		for (const struct choice *choice = field->choices; choice->name; choice++)
			buffer_printf(out, "%s`%s`", choice == field->choices ? "" : ", ", choice->name);
		return;
	}
	buffer_append_text(out, names[field->kind]);
	if (field->object)
		write_link(field->object, out);
}

static void write_default(const struct field *field, struct buffer *out)
{
	if (field->required)
		buffer_append_text(out, "required");
	else if (field->variant)
		buffer_append_text(out, "one of");
	else if (field->initial || field->computed)
		buffer_printf(out, "`%s`", field->initial ? field->initial : field->computed);
}

static void write_range(const struct field *field, void (*append)(struct buffer *out, int64_t value),
                        struct buffer *out)
{
	append(out, field->min);
	buffer_append_text(out, " to ");
	append(out, field->max);
}

static void write_bounds(const struct field *field, struct buffer *out)
{
	switch (field->kind) {
	case FIELD_STRING:
	case FIELD_EXPRESSION:
		buffer_printf(out, "%lld to %lld characters", (long long)field->min, (long long)field->max);
		if (field->pattern)
			buffer_printf(out, "; %s", field->pattern->what);
		break;
	case FIELD_INTEGER:
		write_range(field, text_bigint, out);
		break;
	case FIELD_DURATION:
		write_range(field, text_duration, out);
		break;
	case FIELD_BYTES:
		write_range(field, text_bytes, out);
		break;
	case FIELD_DOUBLE:
		if (field->high < FIELD_DOUBLE_MAX)
			buffer_printf(out, "%.15g to %.15g", field->low, field->high);
		break;
	case FIELD_STRINGS:
	case FIELD_DOUBLES:
	case FIELD_OBJECTS:
	case FIELD_STRING_MAP:
	case FIELD_KEYED_OBJECTS:
		buffer_printf(out, "%lld to %lld entries", (long long)field->min, (long long)field->max);
		break;
	case FIELD_WORD:
	case FIELD_ENUM:
	case FIELD_BOOLEAN:
	case FIELD_JSON:
	case FIELD_OBJECT:
		break;
	}
}

static void write_rules(const struct object *object, struct buffer *out)
{
	struct buffer names;

	buffer_init(&names);
	object_names(object, true, " and ", &names);
	if (names.size)
		buffer_printf(out, "Exactly one of %s is given.\n\n", names.data);
	buffer_release(&names);
	if (!object->rules)
		return;
	buffer_append_text(out, "Refused:\n\n");
	for (const struct rule *rule = object->rules; rule->wrong; rule++)
		buffer_printf(out, "- `%s`: %s; %s.\n", rule->field, rule->wrong, rule->right);
	buffer_append_char(out, '\n');
}

static void write_section(const struct section *section, struct buffer *out)
{
	const struct object *object = section->object;

	buffer_printf(out, "\n## %s\n\n", object->title);
	for (size_t i = 0; i < section->places_count; i++)
		buffer_printf(out, "%s`%s`", i ? ", " : "", section->places[i]);
	buffer_append_text(out, "\n\n");
	write_rules(object, out);
	if (!object->fields->name) {
		buffer_append_text(out, "No fields: write `{}`.\n");
		return;
	}
	buffer_append_text(out, "| field | type | default | bounds | meaning |\n|---|---|---|---|---|\n");
	for (const struct field *field = object->fields; field->name; field++) {
		buffer_printf(out, "| `%s` | ", field->name);
		write_type(field, out);
		buffer_append_text(out, " | ");
		write_default(field, out);
		buffer_append_text(out, " | ");
		write_bounds(field, out);
		buffer_printf(out, " | %s |\n", field->doc);
	}
}

void jobspec_reference(struct buffer *out)
{
	struct sections sections = {.count = 0};

	buffer_append_text(
	        out,
	        "<!-- Made by `streamjob schema --reference` from the field table. -->\n"
	        "# The job file\n\n"
	        "```yaml\n"
	        "apiVersion: " JOB_API_VERSION "\n"
	        "kind: " JOB_KIND "\n"
	        "metadata: {name: NAME, namespace: NAMESPACE}   # namespace: default, where there is none\n"
	        "spec: {...}\n"
	        "```\n\n"
	        "YAML or JSON; several documents a file; documents of other kinds are left alone. Anchors and aliases "
	        "are fine, keys that are there twice are not. `streamjob validate FILE` says everything that is wrong, "
	        "each with its line and column.\n\n"
	        "Durations are like `500ms`, `30s`, `1m30s`, `2h` or `1d`; sizes like `4096`, `512Mi` or `1G`. Names "
	        "of "
	        "columns are used in SQL expressions: one with capital letters, or that is a word of SQL's own (user, "
	        "order, "
	        "end), needs double quotes there.\n");
	buffer_append_text(out, "\n## Exit codes\n\nOf `streamjob` and `streamjob-operator`, all commands:\n\n");
	exit_codes_table(out);
	catalog_reference(out);
	collect(&sections, &spec_object, "spec");
	for (size_t i = 0; i < sections.count; i++)
		write_section(&sections.items[i], out);
}
