#include "tests/unit/runtime/pushgateway/message_text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/metrics/metrics.h"

struct field {
	unsigned number;
	uint64_t varint;
	struct slice bytes; /* also of a double */
};

static bool take_varint(struct slice *in, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (unsigned shift = 0; in->size && shift < 64; shift += 7) {
		unsigned char byte = (unsigned char)*in->data;

		*in = (struct slice){in->data + 1, in->size - 1};
		number |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret_number = number;
			return true;
		}
	}
	return false;
}

static bool take_field(struct slice *in, struct field *ret_field)
{
	uint64_t tag = 0, size = 8;

	*ret_field = (struct field){0};
	if (!take_varint(in, &tag))
		return false;
	ret_field->number = (unsigned)(tag >> 3);
	if ((tag & 7) == 0)
		return take_varint(in, &ret_field->varint);
	if (((tag & 7) == 2 && !take_varint(in, &size)) || size > in->size)
		return false;
	ret_field->bytes = (struct slice){in->data, size};
	*in = (struct slice){in->data + size, in->size - size};
	return true;
}

static void add_label(struct slice label, bool first, struct buffer *out)
{
	struct slice name = {"", 0}, value = {"", 0};
	struct field field;
	char text[128];

	while (take_field(&label, &field))
		*(field.number == 1 ? &name : &value) = field.bytes;
	snprintf(text, sizeof(text), "%.*s", SLICE_ARG(name));
	metrics_label(out, first, text, value);
}

static void add_metric(struct slice metric, struct slice name, struct buffer *out)
{
	struct field field, value;
	double number = 0;
	bool labels = false;

	buffer_append_slice(out, name);
	while (take_field(&metric, &field)) {
		if (field.number == 1) {
			buffer_append_text(out, labels ? "" : "{");
			add_label(field.bytes, !labels, out);
			labels = true;
		} else if (take_field(&field.bytes, &value) && value.bytes.size == sizeof(number)) {
			memcpy(&number, value.bytes.data, sizeof(number));
		}
	}
	buffer_append_text(out, labels ? "}" : "");
	metrics_number(out, number);
}

static void add_family(struct slice family, struct buffer *out)
{
	struct slice name = {"", 0}, help = {"", 0};
	struct field field;

	while (take_field(&family, &field)) {
		if (field.number == 1)
			name = field.bytes;
		else if (field.number == 2)
			help = field.bytes;
		else if (field.number == 3)
			buffer_printf(out, "# HELP %.*s %.*s\n# TYPE %.*s %s\n", SLICE_ARG(name), SLICE_ARG(help),
			              SLICE_ARG(name), field.varint ? "gauge" : "counter");
		else
			add_metric(field.bytes, name, out);
	}
}

size_t message_text(struct slice body, struct buffer *out)
{
	struct slice rest = body;
	size_t whole = 0;
	uint64_t size;

	while (take_varint(&rest, &size) && size <= rest.size) {
		add_family((struct slice){rest.data, size}, out);
		rest = (struct slice){rest.data + size, rest.size - size};
		whole = body.size - rest.size;
	}
	return whole;
}
