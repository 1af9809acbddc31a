/* Any bytes as a text. */
#include "lib/base/text.h"

void text_hex(struct buffer *out, struct slice bytes)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes.size; i++) {
		unsigned char c = (unsigned char)bytes.data[i];

		buffer_append_char(out, digits[c >> 4]);
		buffer_append_char(out, digits[c & 15]);
	}
}

void text_base64(struct buffer *out, struct slice bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *from = (const unsigned char *)bytes.data;

	for (size_t i = 0; i < bytes.size; i += 3) {
		size_t left = bytes.size - i;
		uint32_t three = (uint32_t)from[i] << 16 | (left > 1 ? (uint32_t)from[i + 1] << 8 : 0) |
		                 (left > 2 ? from[i + 2] : 0);
		const char four[] = {digits[three >> 18], digits[three >> 12 & 63],
		                     left > 1 ? digits[three >> 6 & 63] : '=', left > 2 ? digits[three & 63] : '='};

		buffer_append(out, four, sizeof(four));
	}
}
