/* Text of anybody on one line. */
#include "lib/base/text.h"

/* Of a character of two or three bytes; longer ones are never escaped. */
static uint32_t code_point(const unsigned char *p, size_t length)
{
	if (length == 2)
		return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
	if (length == 3)
		return (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	return length == 1 ? p[0] : UINT32_MAX;
}

static bool needs_escape(uint32_t c)
{
	return c < 0x20 || c == '"' || c == '\\' || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e ||
	       c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void text_quote(struct buffer *out, struct slice text, size_t bytes_max)
{
	const unsigned char *p = (const unsigned char *)text.data;
	struct buffer character;
	size_t i = 0, length;

	buffer_init(&character);
	buffer_append_char(out, '"');
	for (size_t used = 0; i < text.size; i += length) {
		uint32_t c;

		length = text_utf8_length(p + i, text.size - i);
		c = code_point(p + i, length);
		buffer_clear(&character);
		if (!length)
			buffer_append_text(&character, "\xef\xbf\xbd");
		else if (needs_escape(c))
			text_escape(&character, c);
		else
			buffer_append(&character, p + i, length);
		used += character.size;
		if (used > bytes_max)
			break;
		buffer_append_slice(out, buffer_slice(&character));
		length += !length;
	}
	if (i < text.size)
		buffer_printf(out, "… (%zu more bytes)", text.size - i);
	buffer_append_char(out, '"');
	buffer_release(&character);
}
