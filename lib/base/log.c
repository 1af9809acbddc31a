/*
 * A line is rendered as logfmt into a buffer on the stack; the JSON form is made from the same pairs. Only the
 * installed writer touches the world.
 */
#include "lib/base/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"

#define NUMBER_DIGITS_MAX 18 /* longer ones are identities */

static struct log_output output;
static bool installed;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_install(const struct log_output *new_output)
{
	output = *new_output;
	installed = true;
}

bool log_level_parse(const char *name, enum log_level *ret_level)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*ret_level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

bool log_format_parse(const char *name, bool *ret_json)
{
	bool json = strcmp(name, "json") == 0;

	if (!json && strcmp(name, "logfmt") != 0)
		return false;
	*ret_json = json;
	return true;
}

/* How many lines of this place were kept back in the second before, or -1 when this one is to be kept back too. */
static int64_t rate_limit(struct log_site *site, int64_t second)
{
	int64_t before = atomic_exchange(&site->second, second);
	uint32_t lines;

	if (before != second) {
		lines = atomic_exchange(&site->lines, 1);
		return lines > LOG_REPEATS_MAX ? lines - LOG_REPEATS_MAX : 0;
	}
	return atomic_fetch_add(&site->lines, 1) < LOG_REPEATS_MAX ? 0 : -1;
}

static size_t digits_at(struct slice value, size_t i)
{
	size_t begin = i;

	while (i < value.size && value.data[i] >= '0' && value.data[i] <= '9')
		i++;
	return i - begin;
}

/* A number as JSON has them: an identity like 007 or +1 is not one. */
static bool plain_number(struct slice value)
{
	size_t i = value.size && value.data[0] == '-', digits = digits_at(value, i);

	if (digits == 0 || digits > NUMBER_DIGITS_MAX || (digits > 1 && value.data[i] == '0'))
		return false;
	i += digits;
	if (i < value.size && value.data[i] == '.') {
		digits = digits_at(value, i + 1);
		if (digits == 0)
			return false;
		i += 1 + digits;
	}
	return i == value.size;
}

/* " key=" or the end. */
static bool pair_ends(struct slice rest)
{
	size_t i = 1;

	if (!rest.size)
		return true;
	if (rest.data[0] != ' ')
		return false;
	while (i < rest.size && rest.data[i] != ' ' && rest.data[i] != '=' && rest.data[i] != '"')
		i++;
	return i > 1 && i < rest.size && rest.data[i] == '=';
}

/* One value of logfmt: up to the quote that another pair or the end follows, or up to a space. */
static struct slice next_value(struct slice *rest, bool *quoted)
{
	struct slice value = *rest;
	size_t i = 0;

	*quoted = rest->size && rest->data[0] == '"';
	if (*quoted) {
		for (i = 1; i < rest->size; i++)
			if (rest->data[i] == '"' && pair_ends((struct slice){rest->data + i + 1, rest->size - i - 1}))
				break;
		value = (struct slice){rest->data + 1, i - 1};
		i += i < rest->size;
	} else {
		while (i < rest->size && rest->data[i] != ' ')
			i++;
		value.size = i;
	}
	rest->data += i;
	rest->size -= i;
	return value;
}

static void json_pairs(struct buffer *out, struct slice rest)
{
	while (rest.size) {
		const char *equals = memchr(rest.data, '=', rest.size);
		struct slice key, value;
		bool quoted;

		if (rest.data[0] == ' ') {
			rest.data++;
			rest.size--;
			continue;
		}
		if (!equals)
			return;
		key = (struct slice){rest.data, (size_t)(equals - rest.data)};
		rest.data += key.size + 1;
		rest.size -= key.size + 1;
		value = next_value(&rest, &quoted);
		buffer_append_char(out, ',');
		text_json_string(out, key);
		buffer_append_char(out, ':');
		if (!quoted && plain_number(value))
			buffer_append_slice(out, value);
		else
			text_json_string(out, value);
	}
}

static void logfmt_string(struct buffer *out, struct slice text)
{
	buffer_append_char(out, '"');
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == '"' || text.data[i] == '\\')
			buffer_append_char(out, '\\');
		buffer_append_char(out, text.data[i]);
	}
	buffer_append_char(out, '"');
}

/* The pairs as they are, but for the quotes and backslashes inside of quoted values. */
static void logfmt_pairs(struct buffer *out, struct slice rest)
{
	while (rest.size) {
		const char *equals = memchr(rest.data, '=', rest.size);
		size_t key = equals ? (size_t)(equals - rest.data) + 1 : rest.size;
		struct slice value;
		bool quoted;

		buffer_append(out, rest.data, key);
		rest.data += key;
		rest.size -= key;
		value = next_value(&rest, &quoted);
		if (quoted)
			logfmt_string(out, value);
		else
			buffer_append_slice(out, value);
	}
}

static void one_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20)
			*text = ' ';
}

void log_write(struct log_site *site, enum log_level level, const char *message, const char *pairs, ...)
{
	char text[LOG_LINE_MAX / 2];
	struct buffer line;
	va_list arguments;
	int64_t now_ms, kept_back;

	if (!installed || level < output.level)
		return;
	now_ms = output.wall_ms(output.context);
	kept_back = rate_limit(site, now_ms / 1000);
	if (kept_back < 0)
		return;
	va_start(arguments, pairs);
	vsnprintf(text, sizeof(text), pairs, arguments);
	va_end(arguments);
	one_line(text);
	buffer_init(&line);
	if (output.json) {
		buffer_printf(&line, "{\"time\":%lld.%03d,\"level\":\"%s\",\"msg\":", (long long)(now_ms / 1000),
		              (int)(now_ms % 1000), level_names[level]);
		text_json_string(&line, slice_of(message));
		json_pairs(&line, slice_of(text));
		if (kept_back)
			buffer_printf(&line, ",\"repeats_kept_back\":%lld", (long long)kept_back);
		buffer_append_text(&line, "}\n");
	} else {
		buffer_printf(&line, "time=%lld.%03d level=%s msg=", (long long)(now_ms / 1000), (int)(now_ms % 1000),
		              level_names[level]);
		logfmt_string(&line, slice_of(message));
		buffer_append_text(&line, text[0] ? " " : "");
		logfmt_pairs(&line, slice_of(text));
		if (kept_back)
			buffer_printf(&line, " repeats_kept_back=%lld", (long long)kept_back);
		buffer_append_char(&line, '\n');
	}
	output.write(output.context, line.data, line.size);
	buffer_release(&line);
}
