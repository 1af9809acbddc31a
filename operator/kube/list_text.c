#include "operator/kube/list_text.h"

#define EVENT_OBJECT "object" /* of an event of a watch */

/* All that an object may hold whose keys and depth the API server leaves to who writes it. */
static const char *const free_members[] = {"spec", "data", "status"};

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
		at++;
	return at;
}

/* From a quote to behind its match; NULL: there is none. */
static const char *skip_string(const char *at, const char *end)
{
	for (at++; at < end; at++) {
		if (*at == '\\')
			at++;
		else if (*at == '"')
			return at + 1;
	}
	return NULL;
}

/* From the first byte of a value to behind its last. */
static const char *skip_value(const char *at, const char *end)
{
	const char *begin = at;
	size_t depth = 0;

	while (at < end) {
		char c = *at;

		if (c == '"') {
			at = skip_string(at, end);
			if (!at)
				return NULL;
		} else if (depth == 0 && at > begin && strchr(",]} \n\r\t", c)) {
			return at; /* the end of a number or word */
		} else {
			depth += c == '{' || c == '[';
			if (c == '}' || c == ']') {
				if (depth == 0)
					return NULL;
				depth--;
			}
			at++;
		}
		if (depth == 0 && (c == '"' || c == '}' || c == ']'))
			return at;
	}
	return NULL;
}

static void set_list(struct slice text, const char *begin, const char *end, struct list_text *list)
{
	list->before = (struct slice){text.data, (size_t)(begin - text.data)};
	list->items = (struct slice){begin, (size_t)(end - begin)};
	list->after = (struct slice){end, (size_t)(text.data + text.size - end)};
}

enum member { MEMBER_FOUND, MEMBER_ABSENT, MEMBER_BROKEN };

/* The value at a key of an object. What is behind it is not looked at. */
static enum member find_member(struct slice object, struct slice key, struct slice *ret_value)
{
	const char *end = object.data + object.size, *at = skip_blanks(object.data, end), *name, *value;

	if (at == end || *at != '{')
		return MEMBER_BROKEN;
	at = skip_blanks(at + 1, end);
	while (at < end && *at == '"') {
		bool is_key;

		name = at + 1;
		at = skip_string(at, end);
		is_key = at && slice_equal(key, (struct slice){name, (size_t)(at - 1 - name)});
		at = at ? skip_blanks(at, end) : end;
		if (at == end || *at != ':')
			return MEMBER_BROKEN;
		value = skip_blanks(at + 1, end);
		at = value < end ? skip_value(value, end) : NULL;
		if (!at)
			return MEMBER_BROKEN;
		if (is_key) {
			*ret_value = (struct slice){value, (size_t)(at - value)};
			return MEMBER_FOUND;
		}
		at = skip_blanks(at, end);
		if (at < end && *at == ',')
			at = skip_blanks(at + 1, end);
	}
	return at < end && *at == '}' ? MEMBER_ABSENT : MEMBER_BROKEN;
}

bool list_text_find(struct slice text, struct list_text *ret_list)
{
	const char *end = text.data + text.size;
	struct slice items;
	enum member found = find_member(text, SLICE_LITERAL("items"), &items);

	if (found == MEMBER_BROKEN)
		return false;
	if (found == MEMBER_FOUND && *items.data == '[')
		set_list(text, items.data, items.data + items.size, ret_list);
	else
		set_list(text, end, end, ret_list);
	return true;
}

/* The text with null in the place of a member's value; false: there is none, and nothing is written. */
static bool blank_member(struct slice text, const char *const *path, struct buffer *out)
{
	struct slice value = text;
	size_t depth = 0;

	while (path[depth] && find_member(value, slice_of(path[depth]), &value) == MEMBER_FOUND)
		depth++;
	if (path[depth])
		return false;
	buffer_clear(out);
	buffer_append(out, text.data, (size_t)(value.data - text.data));
	buffer_append_text(out, "null");
	buffer_append(out, value.data + value.size, (size_t)(text.data + text.size - value.data - value.size));
	return true;
}

static void drop_member(json_t *object, const char *const *path)
{
	for (; path[1]; path++)
		object = json_object_get(object, path[0]);
	json_object_del(object, path[0]);
}

static json_t *parse_without(struct slice text, const char *const *path, struct buffer *scratch, json_error_t *why)
{
	bool blank = blank_member(text, path, scratch);
	json_t *object = blank ? json_loadb(scratch->data, scratch->size, JSON_ALLOW_NUL, why)
	                       : json_loadb(text.data, text.size, JSON_ALLOW_NUL, why);

	if (blank)
		drop_member(object, path);
	return object;
}

/* What the API server takes, and this parser does not. */
static bool is_beyond_parser(const json_error_t *why)
{
	enum json_error_code code = json_error_code(why);

	return code == json_error_stack_overflow || code == json_error_null_byte_in_key ||
	       code == json_error_numeric_overflow;
}

json_t *object_text_parse(struct slice text, const char *const *without, struct buffer *scratch, json_error_t *why)
{
	json_t *object = parse_without(text, without, scratch, why);
	bool is_event = !strcmp(without[0], EVENT_OBJECT);

	for (size_t i = 0; i < sizeof(free_members) / sizeof(free_members[0]); i++) {
		const char *const path[] = {is_event ? EVENT_OBJECT : free_members[i],
		                            is_event ? free_members[i] : NULL, NULL};
		struct buffer less;

		if (object || !is_beyond_parser(why))
			return object;
		buffer_init(&less);
		if (blank_member(text, path, &less))
			object = parse_without(buffer_slice(&less), without, scratch, why);
		buffer_release(&less);
		drop_member(object, path);
	}
	return object;
}

int list_text_next(struct slice *items, struct slice *ret_item)
{
	const char *end = items->data + items->size, *at, *behind;

	if (items->size < 2)
		return -1;
	at = skip_blanks(items->data + 1, end); /* behind the bracket, or the comma */
	if (at == end)
		return -1;
	if (*at == ']')
		return *items->data == '[' ? 0 : -1; /* a comma has no item behind it */
	behind = skip_value(at, end);
	if (!behind)
		return -1;
	*ret_item = (struct slice){at, (size_t)(behind - at)};
	behind = skip_blanks(behind, end);
	if (behind == end || (*behind != ',' && *behind != ']'))
		return -1;
	/* The last item leaves "]" alone, which begins an array that is over. */
	*items = *behind == ']' ? (struct slice){"[]", 2} : (struct slice){behind, (size_t)(end - behind)};
	return 1;
}
