#include "lib/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"

#define BUFFER_BYTES_MIN 256

void buffer_init(struct buffer *buffer)
{
	*buffer = (struct buffer){.max = BUFFER_BYTES_MAX};
}

void buffer_release(struct buffer *buffer)
{
	free(buffer->data);
	buffer_init(buffer);
}

void buffer_clear(struct buffer *buffer)
{
	buffer->size = 0;
	buffer->overflow = false;
	if (buffer->data)
		buffer->data[0] = '\0';
}

/* Room for `more` bytes and a NUL; false past the cap. */
static bool reserve(struct buffer *buffer, size_t more)
{
	size_t needed = buffer->size + more + 1, capacity = buffer->capacity;

	if (more > buffer->max || buffer->size + more > buffer->max) {
		buffer->overflow = true;
		return false;
	}
	if (needed <= capacity)
		return true;
	capacity = capacity ? capacity : BUFFER_BYTES_MIN;
	while (capacity < needed)
		capacity *= 2;
	buffer->data = xrealloc(buffer->data, capacity);
	buffer->capacity = capacity;
	return true;
}

void buffer_append(struct buffer *buffer, const void *data, size_t size)
{
	if (!reserve(buffer, size))
		return;
	if (size)
		memcpy(buffer->data + buffer->size, data, size);
	buffer->size += size;
	buffer->data[buffer->size] = '\0';
}

void buffer_append_slice(struct buffer *buffer, struct slice slice)
{
	buffer_append(buffer, slice.data, slice.size);
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

void buffer_append_char(struct buffer *buffer, char c)
{
	buffer_append(buffer, &c, 1);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list arguments, again;
	int size;

	va_start(arguments, format);
	va_copy(again, arguments);
	size = vsnprintf(NULL, 0, format, arguments);
	if (size >= 0 && reserve(buffer, (size_t)size)) {
		vsnprintf(buffer->data + buffer->size, (size_t)size + 1, format, again);
		buffer->size += (size_t)size;
	}
	va_end(again);
	va_end(arguments);
}

char *buffer_take(struct buffer *buffer)
{
	char *data = buffer->data ? buffer->data : xcalloc(1, 1);

	buffer->data = NULL;
	buffer_release(buffer);
	return data;
}
