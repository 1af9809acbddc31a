/* Strings, numbers, durations, sizes and choices of a document, with their bounds. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/text.h"
#include "lib/spec/read/read.h"

#define CHOICES_MAX      16
#define SHOWN_TEXT_CHARS 40

static void show(struct slice text, struct error *ret_text)
{
	struct buffer out;
	size_t size = text.size;

	while (size > SHOWN_TEXT_CHARS || (size < text.size && ((unsigned char)text.data[size] & 0xc0) == 0x80))
		size--;
	buffer_init(&out);
	text_json_string(&out, (struct slice){text.data, size});
	error_set(ret_text, "%s%s", out.data, size < text.size ? "..." : "");
	buffer_release(&out);
}

void describe_node(const struct node *node, struct error *ret_text)
{
	struct error shown;

	if (node->kind != NODE_SCALAR) {
		error_set(ret_text, node->kind == NODE_LIST ? "a list" : "an object");
		return;
	}
	show(node->text, &shown);
	switch (node_scalar_type(node)) {
	case SCALAR_NULL:
		error_set(ret_text, "null");
		break;
	case SCALAR_BOOL:
		error_set(ret_text, "the boolean %.*s", SLICE_ARG(node->text));
		break;
	case SCALAR_INTEGER:
		error_set(ret_text, "the integer %.40s", node->text.data);
		break;
	case SCALAR_FLOAT:
		error_set(ret_text, "the number %.40s", node->text.data);
		break;
	case SCALAR_STRING:
		error_set(ret_text, "the string %s", shown.text);
		break;
	}
}

static void expected(const struct field *field, const struct node *node, struct error *ret_text)
{
	struct buffer names;

	switch (field->kind) {
	case FIELD_WORD:
	case FIELD_ENUM:
		buffer_init(&names);
		choice_names(field->choices, " or ", &names);
		error_set(ret_text, "expected %.*s", SLICE_ARG(buffer_slice(&names)));
		buffer_release(&names);
		break;
	case FIELD_BOOLEAN:
		error_set(ret_text, "expected true or false");
		break;
	case FIELD_INTEGER:
		error_set(ret_text, "expected an integer");
		break;
	case FIELD_DOUBLE:
		error_set(ret_text, "expected a number");
		break;
	case FIELD_DURATION:
		error_set(ret_text, "expected %s", duration_pattern.what);
		break;
	case FIELD_BYTES:
		error_set(ret_text, "expected %s", bytes_pattern.what);
		break;
	case FIELD_STRING:
	case FIELD_EXPRESSION:
	case FIELD_STRINGS:
	case FIELD_STRING_MAP:
	case FIELD_DOUBLES:
	case FIELD_JSON:
	case FIELD_OBJECT:
	case FIELD_OBJECTS:
	case FIELD_KEYED_OBJECTS:
		if (node->kind == NODE_SCALAR && node_scalar_type(node) != SCALAR_NULL)
			error_set(ret_text, "expected a string: quote it, \"%.40s\"", node->text.data);
		else
			error_set(ret_text, "expected a string");
		break;
	}
}

static bool takes(const struct field *field, enum scalar_type type)
{
	switch (field->kind) {
	case FIELD_ENUM:
		if (type == SCALAR_NULL)
			for (const struct choice *choice = field->choices; choice->name; choice++)
				if (!strcmp(choice->name, "null"))
					return true;
		return type == SCALAR_STRING;
	case FIELD_BOOLEAN:
		return type == SCALAR_BOOL;
	case FIELD_INTEGER:
		return type == SCALAR_INTEGER;
	case FIELD_DOUBLE:
		return type == SCALAR_INTEGER || type == SCALAR_FLOAT;
	case FIELD_BYTES:
		return type == SCALAR_INTEGER || type == SCALAR_STRING;
	case FIELD_STRING:
	case FIELD_EXPRESSION:
	case FIELD_WORD:
	case FIELD_DURATION:
	case FIELD_STRINGS:
	case FIELD_STRING_MAP:
	case FIELD_DOUBLES:
	case FIELD_JSON:
	case FIELD_OBJECT:
	case FIELD_OBJECTS:
	case FIELD_KEYED_OBJECTS:
		break;
	}
	return type == SCALAR_STRING;
}

static size_t characters(struct slice text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.size; i++)
		count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
	return count;
}

static int store_string(struct reader *reader, const struct field *field, struct slice text, void *member,
                        struct error *wrong, struct error *right)
{
	size_t count = characters(text);
	struct error shown;
	const char *copy;

	if (!text.size && field->min > 0)
		return error_set(wrong, "is empty");
	if (memchr(text.data, '\0', text.size))
		return error_set(wrong, "has a NUL character");
	if ((int64_t)count < field->min || (int64_t)count > field->max) {
		error_set(right, (int64_t)count < field->min ? "at least %" PRId64 : "at most %" PRId64,
		          (int64_t)count < field->min ? field->min : field->max);
		return error_set(wrong, "has %zu character%s", count, count == 1 ? "" : "s");
	}
	if (field->pattern == &path_pattern) {
		if (jobspec_path_check(text, right) < 0) {
			show(text, &shown);
			return error_set(wrong, "%s is not a path", shown.text);
		}
	} else if (field->pattern && !field->pattern->matches(text)) {
		show(text, &shown);
		error_set(right, "expected %s", field->pattern->what);
		return error_set(wrong, "found %s", shown.text);
	}
	copy = arena_string(reader->arena, text);
	memcpy(member, &copy, sizeof(copy));
	return 0;
}

static int store_choice(const struct field *field, struct slice text, void *member, struct error *wrong,
                        struct error *right)
{
	const char *names[CHOICES_MAX] = {NULL}, *nearest;
	struct buffer all;
	struct error shown;
	size_t count = 0;

	for (const struct choice *choice = field->choices; choice->name; choice++) {
		names[count++] = choice->name;
		if (!slice_equal(slice_of(choice->name), text))
			continue;
		if (member && field->kind == FIELD_WORD)
			memcpy(member, &choice->name, sizeof(choice->name));
		else if (member)
			memcpy(member, &choice->value, sizeof(choice->value));
		return 0;
	}
	nearest = text_nearest(text, names, count);
	buffer_init(&all);
	choice_names(field->choices, " or ", &all);
	if (nearest && count > 1)
		error_set(right, "did you mean %s? It can be %.*s", nearest, SLICE_ARG(buffer_slice(&all)));
	else
		error_set(right, "it can %sbe %.*s", count == 1 ? "only " : "", SLICE_ARG(buffer_slice(&all)));
	buffer_release(&all);
	show(text, &shown);
	return error_set(wrong, "unknown value %s", shown.text);
}

static void append_amount(const struct field *field, int64_t value, struct buffer *out)
{
	if (field->kind == FIELD_DURATION)
		text_duration(out, value);
	else if (field->kind == FIELD_BYTES)
		text_bytes(out, value);
	else
		text_bigint(out, value);
}

static int out_of_range(const struct field *field, struct slice text, int64_t value, struct error *wrong,
                        struct error *right)
{
	struct buffer bound;

	buffer_init(&bound);
	buffer_append_text(&bound, value < field->min ? "at least " : "at most ");
	append_amount(field, value < field->min ? field->min : field->max, &bound);
	error_set(right, "%s", bound.data);
	buffer_release(&bound);
	return error_set(wrong, "%.40s is too %s", text.data, value < field->min ? "small" : "large");
}

static int store_amount(const struct field *field, struct slice text, void *member, struct error *wrong,
                        struct error *right)
{
	int64_t value;

	if (field->kind == FIELD_DURATION) {
		if (text_parse_duration(text, &value, wrong) < 0)
			return -1;
	} else if (field->kind == FIELD_BYTES) {
		if (text_parse_bytes(text, &value, wrong) < 0)
			return -1;
	} else if (!text_parse_bigint(text, &value)) {
		error_set(right, "write decimal digits, at most 9223372036854775807");
		return error_set(wrong, "%.40s is not an integer that is read here", text.data);
	}
	if (value < field->min || value > field->max)
		return out_of_range(field, text, value, wrong, right);
	memcpy(member, &value, sizeof(value));
	return 0;
}

static int store_double(const struct field *field, struct slice text, void *member, struct error *wrong,
                        struct error *right)
{
	double value;

	if (!text_parse_double(text, &value)) {
		error_set(right, "write it like 1, 0.5 or 1e6");
		return error_set(wrong, "%.40s is not a number that is read here", text.data);
	}
	if (!(value >= field->low && value <= field->high)) {
		error_set(right, value < field->low ? "at least %.15g" : "at most %.15g",
		          value < field->low ? field->low : field->high);
		return error_set(wrong, "%.40s is too %s", text.data, value < field->low ? "small" : "large");
	}
	memcpy(member, &value, sizeof(value));
	return 0;
}

int store_text(struct reader *reader, const struct field *field, struct slice text, void *member, struct error *wrong,
               struct error *right)
{
	switch (field->kind) {
	case FIELD_WORD:
	case FIELD_ENUM:
		return store_choice(field, text, member, wrong, right);
	case FIELD_BOOLEAN:
		*(bool *)member = node_truth(text);
		return 0;
	case FIELD_INTEGER:
	case FIELD_DURATION:
	case FIELD_BYTES:
		return store_amount(field, text, member, wrong, right);
	case FIELD_DOUBLE:
		return store_double(field, text, member, wrong, right);
	case FIELD_STRING:
	case FIELD_EXPRESSION:
	case FIELD_STRINGS:
	case FIELD_STRING_MAP:
	case FIELD_DOUBLES:
	case FIELD_JSON:
	case FIELD_OBJECT:
	case FIELD_OBJECTS:
	case FIELD_KEYED_OBJECTS:
		break;
	}
	return store_string(reader, field, text, member, wrong, right);
}

void read_scalar(struct reader *reader, const struct field *field, const struct node *node, const char *path,
                 void *member)
{
	struct error wrong, right = {""}, found;
	bool null = node->kind == NODE_SCALAR && node_scalar_type(node) == SCALAR_NULL;

	if (node->kind == NODE_SCALAR && takes(field, node_scalar_type(node))) {
		struct slice text = null ? SLICE_LITERAL("null") : node->text;

		if (store_text(reader, field, text, member, &wrong, &right) < 0)
			read_problem(reader, node, path, wrong.text, right.text);
		return;
	}
	describe_node(node, &found);
	expected(field, node, &right);
	if (null)
		error_set(&wrong, "has no value");
	else
		error_set(&wrong, "found %s", found.text);
	read_problem(reader, node, path, wrong.text, right.text);
}
