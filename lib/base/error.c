#include "lib/base/error.h"

#include <stdio.h>
#include <string.h>

/* vsnprintf may cut inside a UTF-8 character: takes what it left of it off. */
static void cut_at_character(char *text, size_t size)
{
	size_t end = strlen(text), begin = end, length;
	unsigned char lead;

	if (end + 1 < size)
		return;
	while (begin > 0 && ((unsigned char)text[begin - 1] & 0xc0) == 0x80)
		begin--;
	if (begin == 0)
		return;
	lead = (unsigned char)text[begin - 1];
	length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
	if (end - (begin - 1) < length)
		text[begin - 1] = '\0';
}

void error_write(struct error *err, const char *format, ...)
{
	char text[ERROR_TEXT_MAX]; /* an argument may be err's own text */
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	cut_at_character(text, sizeof(text));
	memcpy(err->text, text, strlen(text) + 1);
}

void error_write_prefix(struct error *err, const char *format, ...)
{
	char prefix[ERROR_TEXT_MAX];
	char text[2 * ERROR_TEXT_MAX + 4];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(prefix, sizeof(prefix), format, arguments);
	va_end(arguments);
	cut_at_character(prefix, sizeof(prefix));
	snprintf(text, sizeof(text), "%s: %s", prefix, err->text);
	error_write(err, "%s", text);
}
