/*
 * The grammatical half: one pass over the record, down the tree of wanted paths where it leads, over everything else.
 * What a column got is noted in `found`, so that a later duplicate of a key replaces it; policies are applied when the
 * whole record has proved to be well formed.
 */
#include "runtime/decode/json.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/data/civil.h"
#include "runtime/decode/path.h"
#include "runtime/decode/scan.h"

enum found { FOUND_MISSING, FOUND_NULL, FOUND_VALUE, FOUND_BAD };

struct json_decoder {
	const struct column_spec *columns;
	struct json_format format;
	struct path_node root;
	size_t *read; /* the columns that are read */
	size_t read_count;
	uint8_t *found;        /* of each column, in this row */
	struct slice *culprit; /* of FOUND_BAD: the value as it stood */
	struct arena arena;    /* paths */
	struct arena keys;     /* names with escapes, of this row */
	struct batch *batch;
	uint32_t row;
	uint64_t row_count; /* of all rows so far, from 1 */
	struct scan scan;
};

struct json_decoder *json_decoder_new(const struct column_spec *columns, size_t columns_count, const bool *read,
                                      const struct json_format *format)
{
	struct json_decoder *decoder = xcalloc(1, sizeof(*decoder));

	decoder->columns = columns;
	decoder->format = *format;
	arena_init(&decoder->arena);
	arena_init(&decoder->keys);
	decoder->read = xcalloc(columns_count, sizeof(size_t));
	decoder->found = xcalloc(columns_count, 1);
	decoder->culprit = xcalloc(columns_count, sizeof(struct slice));
	for (size_t i = 0; i < columns_count; i++) {
		if (!read[i])
			continue;
		decoder->read[decoder->read_count++] = i;
		path_add(&decoder->root, slice_of(columns[i].path), i, &decoder->arena);
	}
	return decoder;
}

void json_decoder_free(struct json_decoder *decoder)
{
	if (!decoder)
		return;
	arena_release(&decoder->arena);
	arena_release(&decoder->keys);
	free(decoder->read);
	free(decoder->found);
	free(decoder->culprit);
	free(decoder);
}

static bool wrong(struct json_decoder *decoder, const char *expected)
{
	decoder->scan.wrong = expected;
	return false;
}

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

static bool parse_object(struct json_decoder *decoder, struct path_node *node, unsigned depth)
{
	struct scan *scan = &decoder->scan;
	bool more = true;

	if (depth >= JSON_DEPTH_MAX)
		return wrong(decoder, "less nesting (at most 64 deep)");
	scan->at++;
	skip_space(scan);
	if (scan->at < scan->end && *scan->at == '}') {
		scan->at++;
		return true;
	}
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
	struct scan *scan = &decoder->scan;
	bool more = true;

	if (depth >= JSON_DEPTH_MAX)
		return wrong(decoder, "less nesting (at most 64 deep)");
	scan->at++;
	skip_space(scan);
	if (scan->at < scan->end && *scan->at == ']') {
		scan->at++;
		return true;
	}
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

static void set_found(struct json_decoder *decoder, size_t column, bool good, struct slice culprit)
{
	decoder->found[column] = good ? FOUND_VALUE : FOUND_BAD;
	if (!good)
		decoder->culprit[column] = culprit;
}

static void set_text(struct json_decoder *decoder, size_t index, struct slice text, bool escaped, struct slice whole)
{
	const struct column_spec *spec = &decoder->columns[index];
	struct column *column = &decoder->batch->columns[index];
	bool good = false;

	if (spec->type == TYPE_STRING || spec->type == TYPE_TIMESTAMP)
		text = escaped ? unescape(text, &decoder->batch->arena) : text;
	if (spec->type == TYPE_STRING) {
		column->strings[decoder->row] = text;
		good = true;
	} else if (spec->type == TYPE_TIMESTAMP && spec->format == TIMESTAMP_ISO8601) {
		good = civil_parse(text, &column->bigints[decoder->row]);
	}
	set_found(decoder, index, good, whole);
}

/* Seconds with a fraction as milliseconds, what is finer cut off towards zero. */
static bool seconds_to_ms(const struct scanned_number *number, int64_t *ret_ms)
{
	struct scanned_number scaled = *number;
	int32_t power;

	scaled.exponent += 3;
	for (power = scaled.exponent - scaled.fraction; power < 0 && scaled.digits; power++) {
		scaled.digits /= 10;
		scaled.fraction--;
	}
	return scaled.count <= 19 && number_integer(&scaled, ret_ms);
}

static void set_number(struct json_decoder *decoder, size_t index, const struct scanned_number *number)
{
	const struct column_spec *spec = &decoder->columns[index];
	struct column *column = &decoder->batch->columns[index];
	uint32_t row = decoder->row;
	bool good = false;
	int64_t integer;

	switch (spec->type) {
	case TYPE_DOUBLE:
		good = number_double(number, &column->doubles[row]);
		break;
	case TYPE_BIGINT:
		good = number_integer(number, &column->bigints[row]);
		break;
	case TYPE_INT:
		good = number_integer(number, &integer) && integer >= INT32_MIN && integer <= INT32_MAX;
		if (good)
			column->ints[row] = (int32_t)integer;
		break;
	case TYPE_TIMESTAMP:
		if (spec->format == TIMESTAMP_EPOCH_MILLIS)
			good = number_integer(number, &column->bigints[row]);
		else if (spec->format == TIMESTAMP_EPOCH_SECONDS)
			good = seconds_to_ms(number, &column->bigints[row]);
		break;
	default:
		break;
	}
	set_found(decoder, index, good, number->text);
}

static bool parse_text(struct json_decoder *decoder, const struct path_node *node)
{
	const char *begin = decoder->scan.at++;
	struct slice text;
	bool escaped;

	if (!scan_string(&decoder->scan, &text, &escaped))
		return false;
	for (size_t i = 0; i < node->columns_count; i++)
		set_text(decoder, node->columns[i], text, escaped, (struct slice){begin, text.size + 2});
	return true;
}

static bool parse_number(struct json_decoder *decoder, const struct path_node *node)
{
	struct scanned_number number;

	if (!scan_number(&decoder->scan, &number))
		return false;
	for (size_t i = 0; i < node->columns_count; i++)
		set_number(decoder, node->columns[i], &number);
	return true;
}

static bool parse_word(struct json_decoder *decoder, const struct path_node *node, const char *word, size_t size)
{
	if (!scan_word(&decoder->scan, word, size))
		return false;
	for (size_t i = 0; i < node->columns_count; i++) {
		size_t column = node->columns[i];

		if (*word == 'n') {
			decoder->found[column] = FOUND_NULL;
			continue;
		}
		if (decoder->columns[column].type == TYPE_BOOLEAN)
			decoder->batch->columns[column].booleans[decoder->row] = *word == 't';
		set_found(decoder, column, decoder->columns[column].type == TYPE_BOOLEAN, (struct slice){word, size});
	}
	return true;
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

static bool parse_row(struct json_decoder *decoder, struct slice record)
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

static struct bad_row *add_bad(struct json_decoder *decoder, struct bad_rows *bad, enum bad_policy policy)
{
	struct bad_row *row = &bad->items[bad->count++];

	row->row = decoder->row;
	row->policy = policy;
	return row;
}

#define CULPRIT_BYTES_MAX 48

static void bad_field_reason(struct json_decoder *decoder, size_t column, struct bad_row *row)
{
	struct slice culprit = decoder->culprit[column];
	bool cut = culprit.size > CULPRIT_BYTES_MAX;

	culprit.size = cut ? CULPRIT_BYTES_MAX : culprit.size;
	while (cut && culprit.size && ((unsigned char)culprit.data[culprit.size] & 0xc0) == 0x80)
		culprit.size--;
	snprintf(row->reason, sizeof(row->reason), "column %.64s: %.*s%s is not a %s", decoder->columns[column].name,
	         SLICE_ARG(culprit), cut ? "..." : "", type_name(decoder->columns[column].type));
}

/* Validity and policies of a well-formed row; false where the row is out. */
static bool settle_row(struct json_decoder *decoder, struct bad_rows *bad)
{
	size_t nulled = 0;

	for (size_t i = 0; i < decoder->read_count; i++) {
		size_t column = decoder->read[i];
		enum bad_policy policy;

		decoder->batch->columns[column].valid[decoder->row] = decoder->found[column] == FOUND_VALUE;
		if (decoder->found[column] == FOUND_VALUE || decoder->found[column] == FOUND_NULL)
			continue;
		policy = decoder->found[column] == FOUND_BAD ? decoder->format.on_bad_field
		                                             : decoder->format.on_missing_field;
		if (policy == BAD_NULL) {
			nulled += decoder->found[column] == FOUND_BAD;
			continue;
		}
		if (decoder->found[column] == FOUND_BAD)
			bad_field_reason(decoder, column, add_bad(decoder, bad, policy));
		else
			snprintf(add_bad(decoder, bad, policy)->reason, JSON_REASON_TEXT_MAX,
			         "column %.64s: %.64s is missing", decoder->columns[column].name,
			         decoder->columns[column].path);
		return false;
	}
	bad->bad_fields += nulled;
	return true;
}

static bool decode_row(struct json_decoder *decoder, struct slice record, struct bad_rows *bad)
{
	decoder->row_count++;
	for (size_t i = 0; i < decoder->read_count; i++)
		decoder->found[decoder->read[i]] = FOUND_MISSING;
	if (parse_row(decoder, record))
		return settle_row(decoder, bad);
	snprintf(add_bad(decoder, bad, decoder->format.on_bad_row)->reason, JSON_REASON_TEXT_MAX,
	         "byte %zu: expected %s", (size_t)(decoder->scan.at - decoder->scan.begin) + 1, decoder->scan.wrong);
	return false;
}

size_t json_decode(struct json_decoder *decoder, const struct record_batch *records, struct batch *batch,
                   uint32_t *ret_rows, struct bad_rows *bad)
{
	size_t good = 0;

	decoder->batch = batch;
	bad->count = 0;
	bad->bad_fields = 0;
	batch->rows = records->count;
	arena_reset(&decoder->keys);
	for (uint32_t row = 0; row < records->count; row++) {
		decoder->row = row;
		if (decode_row(decoder, records->records[row].value, bad))
			ret_rows[good++] = row;
	}
	return good;
}
