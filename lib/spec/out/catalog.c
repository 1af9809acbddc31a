#include "lib/spec/out/catalog.h"

#include <string.h>

#include "lib/expr/aggregate_catalog.h"
#include "lib/expr/function_catalog.h"
#include "lib/spec/field/tables.h"

#define NAME_WIDTH   36
#define RESULT_WIDTH 18

/* Of one row: what is written for it, in the text or the reference. */
typedef void row_writer(struct buffer *out, const char *signature, const char *result, const char *meaning);

/* A column of text; letters beyond ASCII are one wide. */
static void pad(struct buffer *out, const char *text, size_t width)
{
	size_t length = 0;

	for (const char *p = text; *p; p++)
		length += (*p & 0xc0) != 0x80;
	buffer_append_text(out, text);
	do
		buffer_append_char(out, ' ');
	while (++length < width);
}

static void text_row(struct buffer *out, const char *signature, const char *result, const char *meaning)
{
	buffer_append_text(out, "  ");
	pad(out, signature, NAME_WIDTH);
	pad(out, result, RESULT_WIDTH);
	buffer_printf(out, "%s\n", meaning);
}

static void reference_row(struct buffer *out, const char *signature, const char *result, const char *meaning)
{
	buffer_printf(out, "| `%s` | %s | %s |\n", signature, result, meaning);
}

static void aggregates(struct buffer *out, row_writer *write)
{
	for (enum aggregate_kind kind = 0; kind < AGGREGATE_KINDS; kind++) {
		const struct aggregate_entry *entry = aggregate_entry(kind);
		struct buffer signature;

		buffer_init(&signature);
		aggregate_signature(entry, &signature);
		write(out, signature.data, aggregate_result_words(entry), entry->meaning);
		buffer_release(&signature);
	}
}

static void functions(struct buffer *out, row_writer *write)
{
	const struct function *function;

	for (size_t i = 0; (function = function_row(i)); i++) {
		struct buffer signature;

		buffer_init(&signature);
		function_signature(function, &signature);
		write(out, signature.data,
		      function_result(function) == TYPE_NULL ? "as the first" : type_name(function_result(function)),
		      function_meaning(function));
		buffer_release(&signature);
	}
}

/* The fields that must be given, or that one of which must. */
static void signature_of(const struct field *member, struct buffer *out)
{
	const char *between = "";

	buffer_printf(out, "%s: {", member->name);
	for (const struct field *field = member->object->fields; field->name; field++) {
		if (!field->required && !field->variant)
			continue;
		buffer_printf(out, "%s%s", between, field->name);
		between = field->variant ? " | " : ", ";
	}
	buffer_append_char(out, '}');
}

/* The members of a family: the objects of which a job has one, or some. */
static void members(const struct object *family, struct buffer *out)
{
	for (const struct field *member = family->fields; member->name; member++) {
		struct buffer signature;

		buffer_init(&signature);
		signature_of(member, &signature);
		text_row(out, signature.data, "", member->doc);
		buffer_release(&signature);
	}
}

void catalog_text(struct buffer *out)
{
	static const struct {
		const char *title;
		const struct object *family;
	} families[] = {{"source", &source_object},
	                {"format", &format_object},
	                {"window", &window_object},
	                {"sinks", &sink_object},
	                {"deadLetter", &dead_letter_object}};

	buffer_append_text(out, "aggregates, in spec.aggregates, each with FILTER (WHERE ...) if need be\n");
	aggregates(out, text_row);
	buffer_append_text(out, "\nfunctions, in every expression\n");
	functions(out, text_row);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		buffer_printf(out, "\n%s, in spec.%s; with what must be given\n", families[i].title, families[i].title);
		members(families[i].family, out);
	}
}

void catalog_reference(struct buffer *out)
{
	buffer_append_text(out,
	                   "\n## Aggregates\n\n"
	                   "In `spec.aggregates`, each with `FILTER (WHERE …)` if need be; what they do with NULLs and "
	                   "at the edges of types: [expressions.md](expressions.md). `streamjob explain --catalog` "
	                   "prints them, the functions and everything else that a job can be made of.\n\n"
	                   "| call | type | value |\n|---|---|---|\n");
	aggregates(out, reference_row);
	buffer_append_text(out,
	                   "\n## Functions\n\nIn every expression, beside PostgreSQL's operators, CASE and CAST.\n\n"
	                   "| call | type | value |\n|---|---|---|\n");
	functions(out, reference_row);
}
