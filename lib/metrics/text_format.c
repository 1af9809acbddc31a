/* The Prometheus text format 0.0.4. */
#include <math.h>

#include "lib/base/text.h"
#include "lib/metrics/metrics.h"

/* HELP escapes backslash and LF; a label's value also the quote. */
static void append_escaped(struct buffer *out, struct slice text, bool quote)
{
	size_t plain = 0;

	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		if (c != '\\' && c != '\n' && !(quote && c == '"'))
			continue;
		buffer_append(out, text.data + plain, i - plain);
		buffer_append_text(out, c == '\n' ? "\\n" : c == '"' ? "\\\"" : "\\\\");
		plain = i + 1;
	}
	buffer_append(out, text.data + plain, text.size - plain);
}

void metrics_family(struct buffer *out, const char *name, const char *type, const char *help)
{
	buffer_printf(out, "# HELP %s ", name);
	append_escaped(out, slice_of(help ? help : ""), false);
	buffer_printf(out, "\n# TYPE %s %s\n", name, type);
}

void metrics_label(struct buffer *out, bool first, const char *name, struct slice value)
{
	if (!first)
		buffer_append_char(out, ',');
	buffer_append_text(out, name);
	buffer_append_text(out, "=\"");
	append_escaped(out, value, true);
	buffer_append_char(out, '"');
}

void metrics_number(struct buffer *out, double value)
{
	buffer_append_char(out, ' ');
	text_double(out, value);
	buffer_append_char(out, '\n');
}
