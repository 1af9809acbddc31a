#include "runtime/port/result.h"

#include "lib/base/text.h"
#include "lib/data/civil.h"

static void append_time(struct buffer *out, int64_t ms)
{
	buffer_append_char(out, '"');
	civil_format(out, ms);
	buffer_append_char(out, '"');
}

void result_value_text(struct value value, struct buffer *out)
{
	if (value.null)
		return;
	switch (value.type) {
	case TYPE_NULL:
		break;
	case TYPE_BOOLEAN:
		buffer_append_text(out, value.boolean ? "true" : "false");
		break;
	case TYPE_INT:
	case TYPE_BIGINT:
		text_bigint(out, value.bigint);
		break;
	case TYPE_DOUBLE:
		text_double(out, value.real);
		break;
	case TYPE_STRING:
		buffer_append_slice(out, value.string);
		break;
	case TYPE_TIMESTAMP:
		civil_format(out, value.bigint);
		break;
	}
}

static void append_json(struct buffer *out, struct value value)
{
	if (value.null || value.type == TYPE_NULL)
		buffer_append_text(out, "null");
	else if (value.type == TYPE_DOUBLE)
		text_json_double(out, value.real);
	else if (value.type == TYPE_STRING)
		text_json_string(out, value.string);
	else if (value.type == TYPE_TIMESTAMP)
		append_time(out, value.bigint);
	else
		result_value_text(value, out);
}

static void append_columns(const struct window_result *result, size_t row, size_t count, bool first, struct buffer *out)
{
	for (size_t c = 0; c < count; c++) {
		if (!first || c)
			buffer_append_char(out, ',');
		text_json_string(out, slice_of(result->schema->columns[c].name));
		buffer_append_char(out, ':');
		append_json(out, column_value(&result->rows.columns[c], row));
	}
}

void result_row_json(const struct window_result *result, size_t row, struct buffer *out)
{
	buffer_append_text(out, "{\"window_start\":");
	append_time(out, result->start_ms);
	buffer_append_text(out, ",\"window_end\":");
	append_time(out, result->end_ms);
	append_columns(result, row, result->schema->count, false, out);
	buffer_append_char(out, '}');
}

void result_key_json(const struct window_result *result, size_t row, struct buffer *out)
{
	buffer_append_char(out, '{');
	append_columns(result, row, result->keys_count, true, out);
	buffer_append_char(out, '}');
}
