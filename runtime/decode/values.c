/* Scalars as the columns' types. */
#include "lib/data/civil.h"
#include "runtime/decode/decoder.h"

void set_found(struct json_decoder *decoder, size_t column, bool good, struct slice culprit)
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

/* A number of the format's unit as milliseconds; what is finer is cut off towards zero. */
static bool epoch_ms(const struct scanned_number *number, enum timestamp_format format, int64_t *ret_ms)
{
	static const int32_t powers[] = {[TIMESTAMP_EPOCH_SECONDS] = 3,
	                                 [TIMESTAMP_EPOCH_MILLIS] = 0,
	                                 [TIMESTAMP_EPOCH_MICROS] = -3,
	                                 [TIMESTAMP_EPOCH_NANOS] = -6};
	struct scanned_number scaled = *number;
	int32_t power;

	scaled.exponent += powers[format];
	if (scaled.count > DIGITS_KEPT) { /* what `digits` does not have is finer still, or makes it too large */
		scaled.fraction -= scaled.count - DIGITS_KEPT;
		scaled.count = DIGITS_KEPT;
	}
	for (power = scaled.exponent - scaled.fraction; power < 0 && scaled.digits; power++) {
		scaled.digits /= 10;
		scaled.fraction--;
	}
	return number_integer(&scaled, ret_ms);
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
		good = spec->format != TIMESTAMP_ISO8601 && epoch_ms(number, spec->format, &column->bigints[row]);
		break;
	case TYPE_NULL:
	case TYPE_BOOLEAN:
	case TYPE_STRING:
		break;
	}
	set_found(decoder, index, good, number->text);
}

bool parse_text(struct json_decoder *decoder, const struct path_node *node)
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

bool parse_number(struct json_decoder *decoder, const struct path_node *node)
{
	struct scanned_number number;

	if (!scan_number(&decoder->scan, &number))
		return false;
	for (size_t i = 0; i < node->columns_count; i++)
		set_number(decoder, node->columns[i], &number);
	return true;
}

bool parse_word(struct json_decoder *decoder, const struct path_node *node, const char *word, size_t size)
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
