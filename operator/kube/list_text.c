#include "operator/kube/list_text.h"

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

bool list_text_find(struct slice text, struct list_text *ret_list)
{
	const char *end = text.data + text.size, *at = skip_blanks(text.data, end), *key, *value;

	if (at == end || *at != '{')
		return false;
	at = skip_blanks(at + 1, end);
	while (at < end && *at == '"') {
		bool is_items;

		key = at;
		at = skip_string(at, end);
		is_items = at && at - key == 7 && memcmp(key, "\"items\"", 7) == 0;
		at = at ? skip_blanks(at, end) : end;
		if (at == end || *at != ':')
			return false;
		value = skip_blanks(at + 1, end);
		at = value < end ? skip_value(value, end) : NULL;
		if (!at)
			return false;
		if (is_items && *value == '[') {
			set_list(text, value, at, ret_list);
			return true;
		}
		at = skip_blanks(at, end);
		if (at < end && *at == ',')
			at = skip_blanks(at + 1, end);
	}
	set_list(text, end, end, ret_list);
	return at < end && *at == '}';
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
