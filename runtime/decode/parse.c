/*
 * The grammatical half: one pass over the record, down the tree of wanted paths where it leads, over everything else.
 */
#include "runtime/decode/decoder.h"

static bool skip_value(struct json_decoder *decoder, unsigned depth);
static bool parse_value(struct json_decoder *decoder, struct path_node *node, unsigned depth);

/* Nothing that stood below this node in an earlier duplicate counts any more. */
static void forget(struct json_decoder *decoder, struct path_node *node)
{
	for (size_t i = 0; i < node->columns_count; i++)
		decoder->found[node->columns[i]] = FOUND_MISSING;
	for (size_t i = 0; i < node->children_count; i++)
		forget(decoder, &node->children[i]);
}

static struct path_node *find_member(struct path_node *node, struct slice name)
{
	for (size_t i = 0, child = node->next; i < node->children_count; i++, child++) {
		child = child >= node->children_count ? 0 : child;
		if (!node->children[child].is_index && slice_equal(node->children[child].name, name)) {
			node->next = child + 1;
			return &node->children[child];
		}
	}
	return NULL;
}

static struct path_node *find_element(struct path_node *node, uint32_t index)
{
	for (size_t i = 0; i < node->children_count; i++)
		if (node->children[i].is_index && node->children[i].index == index)
			return &node->children[i];
	return NULL;
}

/* The member's name and colon; `node` NULL: nothing below is wanted. */
static bool parse_name(struct json_decoder *decoder, struct path_node *node, struct path_node **ret_child)
{
	struct scan *scan = &decoder->scan;
	struct slice name;
	bool escaped;

	if (scan->at == scan->end || *scan->at != '"')
		return wrong(decoder, "a name in quotes");
	scan->at++;
	if (!scan_string(scan, &name, &escaped))
		return false;
	if (node && escaped)
		name = unescape(name, &decoder->keys);
	*ret_child = node ? find_member(node, name) : NULL;
	skip_space(scan);
	if (scan->at == scan->end || *scan->at != ':')
		return wrong(decoder, "':'");
	scan->at++;
	skip_space(scan);
	return true;
}

/* After a member or element: true with *ret_more at ',', false with it at the closing byte. */
static bool parse_separator(struct json_decoder *decoder, char close, const char *expected, bool *ret_more)
{
	struct scan *scan = &decoder->scan;

	skip_space(scan);
	if (scan->at == scan->end || (*scan->at != ',' && *scan->at != close))
		return wrong(decoder, expected);
	*ret_more = *scan->at++ == ',';
	skip_space(scan);
	return true;
}

static bool parse_child(struct json_decoder *decoder, struct path_node *child, unsigned depth)
{
	if (!child)
		return skip_value(decoder, depth);
	if (child->row == decoder->row_count)
		forget(decoder, child);
	child->row = decoder->row_count;
	return parse_value(decoder, child, depth);
}

/* Into an object or array; out of it again, with *ret_more false, where it is empty. */
static bool parse_opening(struct json_decoder *decoder, char close, unsigned depth, bool *ret_more)
{
	struct scan *scan = &decoder->scan;

	if (depth >= JSON_DEPTH_MAX)
		return wrong(decoder, "less nesting (at most 64 deep)");
	scan->at++;
	skip_space(scan);
	*ret_more = scan->at == scan->end || *scan->at != close;
	scan->at += !*ret_more;
	return true;
}

static bool parse_object(struct json_decoder *decoder, struct path_node *node, unsigned depth)
{
	bool more;

	if (!parse_opening(decoder, '}', depth, &more))
		return false;
	if (node)
		node->next = 0;
	while (more) {
		struct path_node *child = NULL;

		if (!parse_name(decoder, node, &child) || !parse_child(decoder, child, depth + 1) ||
		    !parse_separator(decoder, '}', "',' or '}'", &more))
			return false;
	}
	return true;
}

static bool parse_array(struct json_decoder *decoder, struct path_node *node, unsigned depth)
{
	bool more;

	if (!parse_opening(decoder, ']', depth, &more))
		return false;
	for (uint32_t index = 0; more; index++) {
		struct path_node *child = node ? find_element(node, index) : NULL;

		if (!parse_child(decoder, child, depth + 1) || !parse_separator(decoder, ']', "',' or ']'", &more))
			return false;
	}
	return true;
}

static bool skip_value(struct json_decoder *decoder, unsigned depth)
{
	struct scan *scan = &decoder->scan;
	struct scanned_number number;
	struct slice text;
	bool escaped;

	if (scan->at == scan->end)
		return wrong(decoder, "a value");
	switch (*scan->at) {
	case '{':
		return parse_object(decoder, NULL, depth);
	case '[':
		return parse_array(decoder, NULL, depth);
	case '"':
		scan->at++;
		return scan_string(scan, &text, &escaped);
	case 't':
		return scan_word(scan, "true", 4);
	case 'f':
		return scan_word(scan, "false", 5);
	case 'n':
		return scan_word(scan, "null", 4);
	default:
		return scan_number(scan, &number);
	}
}

/* A value that columns want, or something below it. */
static bool parse_value(struct json_decoder *decoder, struct path_node *node, unsigned depth)
{
	struct scan *scan = &decoder->scan;
	const char *begin = scan->at;
	bool good;

	if (scan->at == scan->end)
		return wrong(decoder, "a value");
	switch (*scan->at) {
	case '"':
		return parse_text(decoder, node);
	case 't':
		return parse_word(decoder, node, "true", 4);
	case 'f':
		return parse_word(decoder, node, "false", 5);
	case 'n':
		return parse_word(decoder, node, "null", 4);
	case '{':
		good = parse_object(decoder, node, depth);
		break;
	case '[':
		good = parse_array(decoder, node, depth);
		break;
	default:
		return parse_number(decoder, node);
	}
	for (size_t i = 0; good && i < node->columns_count; i++)
		set_found(decoder, node->columns[i], false, (struct slice){begin, (size_t)(scan->at - begin)});
	return good;
}

bool parse_row(struct json_decoder *decoder, struct slice record)
{
	struct scan *scan = &decoder->scan;

	*scan = (struct scan){record.data, record.data, record.data + record.size, NULL};
	skip_space(scan);
	if (scan->at == scan->end || *scan->at != '{')
		return wrong(decoder, record.size ? "a JSON object" : "a JSON object, but the record is empty");
	if (!parse_object(decoder, &decoder->root, 0))
		return false;
	skip_space(scan);
	return scan->at == scan->end || wrong(decoder, "the end of the record");
}
