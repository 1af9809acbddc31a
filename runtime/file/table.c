/* A window as a table for people: the window in the first line, then aligned columns; numbers to the right. */
#include <math.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/data/civil.h"
#include "runtime/file/file.h"

#define GAP "  "

static bool is_number(enum type type)
{
	return type == TYPE_INT || type == TYPE_BIGINT || type == TYPE_DOUBLE;
}

static bool rounds_well(double number)
{
	return isfinite(number) && fabs(number) >= 1e-3 && fabs(number) < 1e12;
}

/* Doubles rounded for reading: four decimals below 1, two from there on; those that are tiny or huge are whole. */
static void append_cell(struct buffer *out, struct value value)
{
	if (value.null)
		buffer_append_char(out, '-');
	else if (value.type == TYPE_DOUBLE && rounds_well(value.real))
		buffer_printf(out, fabs(value.real) < 1 ? "%.4f" : "%.2f", value.real);
	else
		result_value_text(value, out);
}

static size_t characters(struct slice text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.size; i++)
		count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
	return count;
}

static void append_padded(struct buffer *out, struct slice text, size_t width, bool right)
{
	size_t padding = width > characters(text) ? width - characters(text) : 0;

	if (right)
		buffer_printf(out, "%*s", (int)padding, "");
	buffer_append_slice(out, text);
	if (!right)
		buffer_printf(out, "%*s", (int)padding, "");
}

static void append_window(struct buffer *out, const struct window_result *result)
{
	buffer_append_text(out, "window ");
	civil_format(out, result->start_ms);
	buffer_append_text(out, " to ");
	civil_format(out, result->end_ms);
	buffer_printf(out, "  (%llu)\n", (unsigned long long)result->sequence);
}

static void append_line(struct buffer *out, const struct window_result *result, const struct buffer *cells,
                        const size_t *widths)
{
	for (size_t c = 0; c < result->schema->count; c++) {
		bool last = c + 1 == result->schema->count, right = is_number(result->schema->columns[c].type);

		append_padded(out, buffer_slice(&cells[c]), last && !right ? 0 : widths[c], right);
		buffer_append_text(out, last ? "\n" : GAP);
	}
}

void table_render(const struct window_result *result, struct buffer *out)
{
	size_t columns = result->schema->count, lines = result->rows.rows + 1;
	struct buffer *cells = xcalloc(columns * lines, sizeof(*cells));
	size_t *widths = xcalloc(columns, sizeof(*widths));

	for (size_t i = 0; i < columns * lines; i++) {
		size_t c = i % columns, line = i / columns, width;

		buffer_init(&cells[i]);
		if (line == 0)
			buffer_append_text(&cells[i], result->schema->columns[c].name);
		else
			append_cell(&cells[i], column_value(&result->rows.columns[c], line - 1));
		width = characters(buffer_slice(&cells[i]));
		widths[c] = width > widths[c] ? width : widths[c];
	}
	append_window(out, result);
	for (size_t line = 0; line < lines; line++)
		append_line(out, result, cells + line * columns, widths);
	for (size_t i = 0; i < columns * lines; i++)
		buffer_release(&cells[i]);
	free(cells);
	free(widths);
}
