#include "runtime/kafka/letter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"

#define CUT_HEADER     "streamjob.cut"
#define CUT_KEY_HEADER "streamjob.cut-key"

static const size_t cuts[] = {512 * 1024, 64 * 1024, 4 * 1024, 0};

static const char *header_text(const rd_kafka_headers_t *headers, const char *name)
{
	const void *value;
	size_t size;

	return headers && rd_kafka_header_get_last(headers, name, &value, &size) == 0 ? value : NULL;
}

void letter_header(rd_kafka_headers_t *headers, const char *name, const char *value)
{
	rd_kafka_header_add(headers, name, -1, value, -1);
}

void letter_number(rd_kafka_headers_t *headers, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	letter_header(headers, name, text);
}

void letter_place(const rd_kafka_headers_t *headers, struct buffer *out)
{
	const char *topic = header_text(headers, "streamjob.topic"), *sink = header_text(headers, "streamjob.sink");

	if (sink)
		buffer_printf(out, "a row of window %s of sink %s", header_text(headers, "streamjob.sequence"), sink);
	else
		buffer_printf(out, "the record of topic %s, partition %s, offset %s",
		              topic && topic[0] ? topic : "(none)", header_text(headers, "streamjob.partition"),
		              header_text(headers, "streamjob.offset"));
}

static struct slice copied(const void *data, size_t size)
{
	char *copy;

	if (!data)
		return (struct slice){NULL, 0};
	copy = xmalloc(size + 1);
	memcpy(copy, data, size);
	return (struct slice){copy, size};
}

struct letter *letter_of(const rd_kafka_message_t *message, rd_kafka_headers_t *headers)
{
	struct letter *letter = xcalloc(1, sizeof(*letter));

	letter->headers = headers ? rd_kafka_headers_copy(headers) : rd_kafka_headers_new(1);
	letter->key = copied(message->key, message->key_len);
	letter->value = copied(message->payload, message->len);
	letter->alone = message->_private != NULL;
	return letter;
}

void letter_free(struct letter *letter)
{
	if (letter->headers)
		rd_kafka_headers_destroy(letter->headers);
	free((char *)(uintptr_t)letter->key.data);
	free((char *)(uintptr_t)letter->value.data);
	free(letter);
}

static void cut_bytes(struct letter *letter, struct slice *bytes, size_t most, const char *header)
{
	if (bytes->size <= most)
		return;
	if (!header_text(letter->headers, header))
		letter_number(letter->headers, header, (int64_t)bytes->size);
	bytes->size = most;
}

bool letter_cut(struct letter *letter)
{
	bool whole = !header_text(letter->headers, CUT_HEADER) && !header_text(letter->headers, CUT_KEY_HEADER);
	size_t largest = letter->key.size > letter->value.size ? letter->key.size : letter->value.size, i = 0;

	while (cuts[i] >= largest && cuts[i])
		i++;
	cut_bytes(letter, &letter->value, cuts[i], CUT_HEADER);
	cut_bytes(letter, &letter->key, cuts[i], CUT_KEY_HEADER);
	return whole;
}
