#include "operator/reconcile/told.h"

#include <stdlib.h>
#include <string.h>

/* All that is read of /status beside the partitions. */
static const char *const wanted[] = {"name",     "namespace",    "specHash",       "version",       "phase",
                                     "ready",    "notReadyPart", "notReadyReason", "uptimeSeconds", "rows",
                                     "input",    "lastWindow",   "sinks",          "owner",         "life",
                                     "sequence", "functions",    "lastError",      "recent",        "lag"};
#define COUNTED      "partitions"
#define PARTITION_AT 3 /* the depth of a partition's members */

void told_init(struct told *told)
{
	*told = (struct told){.mode = TOLD_SKIPS};
	buffer_init(&told->kept);
	told->kept.max = TOLD_BYTES_MAX;
	buffer_append_char(&told->kept, '{');
}

void told_release(struct told *told)
{
	buffer_release(&told->kept);
}

static bool is_key(const struct told *told, const char *key)
{
	return told->key_size == strlen(key) && !memcmp(told->key, key, told->key_size);
}

/* What becomes of the member of the answer whose key was read. */
static void begin_member(struct told *told)
{
	told->mode = is_key(told, COUNTED) ? TOLD_COUNTS : TOLD_SKIPS;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (is_key(told, wanted[i]))
			told->mode = TOLD_KEEPS;
	if (told->mode != TOLD_KEEPS)
		return;
	told->says_lag = told->says_lag || is_key(told, "lag");
	buffer_printf(&told->kept, "%s\"%.*s\"", told->kept.size > 1 ? "," : "", (int)told->key_size, told->key);
}

static void end_number(struct told *told)
{
	if (!told->in_number)
		return;
	told->in_number = false;
	told->number[told->number_size] = '\0';
	if (!told->number_size)
		return;
	told->has_lag = true;
	if (__builtin_add_overflow(told->lag, strtoll(told->number, NULL, 10), &told->lag))
		told->lag = INT64_MAX;
}

static void take_text(struct told *told, char c)
{
	if (told->escaped) {
		told->escaped = false;
	} else if (c == '\\') {
		told->escaped = true;
	} else if (c == '"') {
		told->in_text = false;
		told->wants_key = told->wants_key && !told->in_key;
		told->in_key = false;
		return;
	}
	if (told->in_key && told->key_size < TOLD_KEY_MAX)
		told->key[told->key_size++] = c;
}

static void open_value(struct told *told, char c)
{
	if (++told->depth > TOLD_DEPTH_MAX) {
		told->failed = true;
		return;
	}
	told->is_object[told->depth] = told->wants_key = c == '{';
}

static void close_value(struct told *told)
{
	end_number(told);
	told->wants_key = false;
	told->ended = --told->depth == 0;
	if (told->ended)
		told->mode = TOLD_SKIPS;
}

static void next_member(struct told *told)
{
	end_number(told);
	told->wants_key = told->is_object[told->depth];
	if (told->depth == 1)
		told->mode = TOLD_SKIPS;
}

static void begin_text(struct told *told)
{
	told->in_text = true;
	told->in_key = told->wants_key && (told->depth == 1 || told->depth == PARTITION_AT);
	if (told->in_key)
		told->key_size = 0;
}

static void take_structure(struct told *told, char c)
{
	switch (c) {
	case '"':
		begin_text(told);
		return;
	case '{':
	case '[':
		open_value(told, c);
		return;
	case '}':
	case ']':
		close_value(told);
		return;
	case ',':
		next_member(told);
		return;
	case ':':
		if (told->depth == 1)
			begin_member(told);
		told->in_number = told->mode == TOLD_COUNTS && told->depth == PARTITION_AT && is_key(told, "lag");
		told->number_size = 0;
		return;
	default:
		if (told->in_number && strchr("-0123456789", c) && told->number_size < sizeof(told->number) - 1)
			told->number[told->number_size++] = c;
	}
}

static void take(struct told *told, char c)
{
	bool was_text = told->in_text;

	if (!was_text && (c == ' ' || c == '\n' || c == '\r' || c == '\t'))
		return;
	if (told->depth == 0 && (told->ended || c != '{')) {
		told->failed = true;
		return;
	}
	if (was_text)
		take_text(told, c);
	else
		take_structure(told, c);
	if (told->mode == TOLD_KEEPS)
		buffer_append_char(&told->kept, c);
}

bool told_feed(struct told *told, const char *data, size_t size)
{
	for (size_t i = 0; i < size && !told->failed; i++)
		take(told, data[i]);
	told->failed = told->failed || told->kept.overflow;
	return !told->failed;
}

bool told_is_enough(const struct told *told)
{
	return told->mode == TOLD_COUNTS && told->says_lag && told->depth > 1;
}

json_t *told_take(struct told *told)
{
	json_t *json;

	if (told->failed || !(told->ended || told_is_enough(told)))
		return NULL;
	if (told->has_lag && !told->says_lag)
		buffer_printf(&told->kept, "%s\"lag\":%lld", told->kept.size > 1 ? "," : "", (long long)told->lag);
	buffer_append_char(&told->kept, '}');
	json = told->kept.overflow ? NULL : json_loadb(told->kept.data, told->kept.size, JSON_ALLOW_NUL, NULL);
	if (json_is_object(json))
		return json;
	json_decref(json);
	return NULL;
}
