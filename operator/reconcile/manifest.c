#include "operator/reconcile/manifest.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "operator/reconcile/object.h"

static void write_value(const json_t *value, int indent, struct buffer *out);

/* A reader would take it for something other than a string. */
static bool is_ambiguous(const char *text, size_t size)
{
	static const char *const words[] = {"null", "~", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcasecmp(text, words[i]))
			return true;
	if (!size || text[0] == '=' || !strcmp(text, "<<"))
		return true;
	if (!isdigit((unsigned char)text[0]) && !(strchr("+-.", text[0]) && size > 1))
		return false;
	return strspn(text, "0123456789abcdefxoABCDEFinINTZ+-._:") == size;
}

static bool is_plain(const char *text, size_t size)
{
	if (!size || strchr("!&*{}[],#|>@`\"'%?:- \t", text[0]) || text[size - 1] == ' ' || text[size - 1] == ':')
		return false;
	return !strstr(text, ": ") && !strstr(text, " #");
}

/* The code point of a character that YAML takes for the end of a line, as JSON has no other than \n and \r, or 0. */
static unsigned line_break(const char *text, size_t left)
{
	if (left > 1 && !memcmp(text, "\xc2\x85", 2))
		return 0x85;
	if (left > 2 && !memcmp(text, "\xe2\x80\xa8", 3))
		return 0x2028;
	return left > 2 && !memcmp(text, "\xe2\x80\xa9", 3) ? 0x2029 : 0;
}

static bool has_control(const char *text, size_t size, bool lines)
{
	for (size_t i = 0; i < size; i++)
		if (((unsigned char)text[i] < ' ' && !(lines && text[i] == '\n')) || text[i] == 0x7f ||
		    line_break(text + i, size - i))
			return true;
	return false;
}

/* Within double quotes, where an end of a line would be a blank. */
static void write_quoted(struct slice text, struct buffer *out)
{
	struct buffer json;

	buffer_init(&json);
	text_json_string(&json, text);
	for (size_t i = 0; i < json.size; i++) {
		unsigned code = line_break(json.data + i, json.size - i);

		if (code)
			buffer_printf(out, "\\u%04x", code);
		else
			buffer_append_char(out, json.data[i]);
		i += code > 0xff ? 2 : code > 0;
	}
	buffer_release(&json);
}

static bool is_block(const char *text, size_t size)
{
	return size > 1 && strchr(text, '\n') && text[0] != ' ' && text[0] != '\n' && !strstr(text, " \n") &&
	       text[size - 1] != ' ' && !has_control(text, size, true);
}

static void write_block(const char *text, size_t size, int indent, struct buffer *out)
{
	const char *end;

	buffer_append_char(out, '|');
	if (text[size - 1] != '\n')
		buffer_append_char(out, '-');
	else if (size > 1 && text[size - 2] == '\n')
		buffer_append_char(out, '+');
	buffer_append_char(out, '\n');
	for (; *text; text = *end ? end + 1 : end) {
		end = strchr(text, '\n');
		end = end ? end : text + strlen(text);
		if (end > text)
			buffer_printf(out, "%*s%.*s", indent, "", (int)(end - text), text);
		buffer_append_char(out, '\n');
	}
}

static void write_string(const char *text, size_t size, int indent, struct buffer *out)
{
	if (is_block(text, size)) {
		write_block(text, size, indent, out);
		return;
	}
	if (strlen(text) != size || has_control(text, size, false) || is_ambiguous(text, size)) {
		write_quoted((struct slice){text, size}, out);
	} else if (is_plain(text, size)) {
		buffer_append(out, text, size);
	} else {
		buffer_append_char(out, '\'');
		for (size_t i = 0; i < size; i++)
			buffer_append(out, text[i] == '\'' ? "''" : &text[i], text[i] == '\'' ? 2 : 1);
		buffer_append_char(out, '\'');
	}
	buffer_append_char(out, '\n');
}

static void write_scalar(const json_t *value, struct buffer *out)
{
	switch (json_typeof(value)) {
	case JSON_INTEGER:
		text_bigint(out, json_integer_value(value));
		break;
	case JSON_REAL:
		text_json_double(out, json_real_value(value));
		break;
	case JSON_TRUE:
		buffer_append_text(out, "true");
		break;
	case JSON_FALSE:
		buffer_append_text(out, "false");
		break;
	case JSON_NULL:
	case JSON_STRING:
	case JSON_ARRAY:
	case JSON_OBJECT:
		buffer_append_text(out, "null");
		break;
	}
	buffer_append_char(out, '\n');
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char **sorted_keys(const json_t *object)
{
	const char **keys = xcalloc(json_object_size(object) + 1, sizeof(*keys)), *key;
	size_t count = 0;
	json_t *value;

	json_object_foreach(object_borrow(object), key, value)
	{
		keys[count++] = key;
	}
	qsort(keys, count, sizeof(*keys), compare_keys);
	return keys;
}

static bool is_nested(const json_t *value)
{
	return (json_is_object(value) && json_object_size(value)) || (json_is_array(value) && json_array_size(value));
}

/* The first line goes where the writer stands: behind "- " in a list. */
static void write_object(const json_t *object, int indent, struct buffer *out)
{
	const char **keys = sorted_keys(object);

	for (size_t i = 0; keys[i]; i++) {
		const json_t *value = json_object_get(object, keys[i]);
		size_t size = strlen(keys[i]);

		buffer_printf(out, "%*s", i ? indent : 0, "");
		if (is_plain(keys[i], size) && !is_ambiguous(keys[i], size) && !has_control(keys[i], size, false))
			buffer_append(out, keys[i], size);
		else
			write_quoted(slice_of(keys[i]), out);
		buffer_append_char(out, ':');
		if (!is_nested(value)) {
			buffer_append_char(out, ' ');
			write_value(value, indent + 2, out);
			continue;
		}
		buffer_append_char(out, '\n');
		buffer_printf(out, "%*s", json_is_array(value) ? indent : indent + 2, "");
		write_value(value, json_is_array(value) ? indent : indent + 2, out);
	}
	free(keys);
}

static void write_list(const json_t *list, int indent, struct buffer *out)
{
	size_t index;
	json_t *value;

	json_array_foreach(list, index, value)
	{
		buffer_printf(out, "%*s- ", index ? indent : 0, "");
		write_value(value, indent + 2, out);
	}
}

static void write_value(const json_t *value, int indent, struct buffer *out)
{
	if (json_is_string(value))
		write_string(json_string_value(value), json_string_length(value), indent, out);
	else if (json_is_object(value) && json_object_size(value))
		write_object(value, indent, out);
	else if (json_is_array(value) && json_array_size(value))
		write_list(value, indent, out);
	else if (json_is_object(value) || json_is_array(value))
		buffer_append_text(out, json_is_object(value) ? "{}\n" : "[]\n");
	else
		write_scalar(value, out);
}

void manifest_write(const json_t *object, struct buffer *out)
{
	write_value(object, 0, out);
}
