/* The head of a line and its limits; log_fields.c has the fields. Only the installed writer touches the world. */
#include "lib/base/log.h"

#include <stdatomic.h>
#include <string.h>

#include "lib/base/log_fields.h"
#include "lib/base/text.h"

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

void log_write(struct log_site *site, enum log_level level, const char *message, const char *fields, ...)
{
	struct buffer line;
	va_list arguments;
	int64_t now_ms, kept_back;

	if (!installed || level < output.level)
		return;
	now_ms = output.wall_ms(output.context);
	kept_back = rate_limit(site, now_ms / 1000);
	if (kept_back < 0)
		return;
	buffer_init(&line);
	buffer_printf(&line,
	              output.json ? "{\"time\":%lld.%03d,\"level\":\"%s\",\"msg\":" : "time=%lld.%03d level=%s msg=",
	              (long long)(now_ms / 1000), (int)(now_ms % 1000), level_names[level]);
	text_quote(&line, slice_of(message), LOG_VALUE_MAX);
	va_start(arguments, fields);
	log_fields_append(&line, output.json, LOG_LINE_MAX, fields, arguments);
	va_end(arguments);
	if (kept_back)
		buffer_printf(&line, output.json ? ",\"repeats_kept_back\":%lld" : " repeats_kept_back=%lld",
		              (long long)kept_back);
	buffer_append_text(&line, output.json ? "}\n" : "\n");
	output.write(output.context, line.data, line.size);
	buffer_release(&line);
}
