/* The few fields of Prometheus' metrics.proto that counters and gauges need. */
#include "runtime/pushgateway/message.h"

#include <string.h>

#include "lib/metrics/metrics.h"

enum wire { WIRE_VARINT = 0, WIRE_DOUBLE = 1, WIRE_BYTES = 2 };
enum family_field { FAMILY_NAME = 1, FAMILY_HELP = 2, FAMILY_TYPE = 3, FAMILY_METRIC = 4 };
enum metric_field { METRIC_LABEL = 1, METRIC_GAUGE = 2, METRIC_COUNTER = 3 };
enum label_field { LABEL_NAME = 1, LABEL_VALUE = 2 };
enum { VALUE_FIELD = 1, TYPE_COUNTER = 0, TYPE_GAUGE = 1 };

static void append_varint(struct buffer *out, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		buffer_append_char(out, (char)(number | 0x80));
	buffer_append_char(out, (char)number);
}

static void append_tag(struct buffer *out, unsigned field, enum wire wire)
{
	append_varint(out, field << 3 | wire);
}

static void append_bytes(struct buffer *out, unsigned field, struct slice bytes)
{
	append_tag(out, field, WIRE_BYTES);
	append_varint(out, bytes.size);
	buffer_append_slice(out, bytes);
}

/* What was written into an inner one; too large for it is too large for the outer one. */
static void append_inner(struct buffer *out, unsigned field, const struct buffer *inner)
{
	append_bytes(out, field, buffer_slice(inner));
	out->overflow = out->overflow || inner->overflow;
}

static void append_double(struct buffer *out, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	append_tag(out, VALUE_FIELD, WIRE_DOUBLE);
	for (int byte = 0; byte < 8; byte++)
		buffer_append_char(out, (char)(bits >> 8 * byte));
}

void message_init(struct message *message, bool text, struct buffer *out)
{
	*message = (struct message){.out = out, .text = text};
	buffer_init(&message->family);
	buffer_init(&message->sample);
	buffer_init(&message->label);
	buffer_init(&message->value);
	message->family.max = message->sample.max = out->max;
}

void message_release(struct message *message)
{
	buffer_release(&message->family);
	buffer_release(&message->sample);
	buffer_release(&message->label);
	buffer_release(&message->value);
}

void message_family(struct message *message, const char *name, bool counter, const char *help)
{
	buffer_clear(&message->family);
	message->samples = 0;
	message->name = name;
	message->counter = counter;
	if (message->text) {
		metrics_family(message->out, name, counter ? "counter" : "gauge", help);
		return;
	}
	append_bytes(&message->family, FAMILY_NAME, slice_of(name));
	append_bytes(&message->family, FAMILY_HELP, slice_of(help ? help : ""));
	append_tag(&message->family, FAMILY_TYPE, WIRE_VARINT);
	append_varint(&message->family, counter ? TYPE_COUNTER : TYPE_GAUGE);
}

/* The text of a value, from behind its first quote; returns how much of it was read, with the last one. */
static size_t unescape(struct slice text, struct buffer *out)
{
	size_t i = 0;

	buffer_clear(out);
	for (; i < text.size && text.data[i] != '"'; i++) {
		if (text.data[i] == '\\' && i + 1 < text.size)
			buffer_append_char(out, text.data[++i] == 'n' ? '\n' : text.data[i]);
		else
			buffer_append_char(out, text.data[i]);
	}
	return i < text.size ? i + 1 : i;
}

static void append_labels(struct message *message, struct slice labels)
{
	while (labels.size) {
		const char *equals = memchr(labels.data, '=', labels.size);
		size_t name = equals ? (size_t)(equals - labels.data) : labels.size, read = name + 2; /* ="  */

		if (read > labels.size)
			return;
		read += unescape((struct slice){labels.data + read, labels.size - read}, &message->value);
		buffer_clear(&message->label);
		append_bytes(&message->label, LABEL_NAME, (struct slice){labels.data, name});
		append_bytes(&message->label, LABEL_VALUE, buffer_slice(&message->value));
		append_inner(&message->sample, METRIC_LABEL, &message->label);
		read += read < labels.size; /* the comma */
		labels = (struct slice){labels.data + read, labels.size - read};
	}
}

static void append_text(struct message *message, struct slice labels, double value)
{
	buffer_append_text(message->out, message->name);
	if (labels.size) {
		buffer_append_char(message->out, '{');
		buffer_append_slice(message->out, labels);
		buffer_append_char(message->out, '}');
	}
	metrics_number(message->out, value);
}

void message_sample(struct message *message, struct slice labels, double value)
{
	if (message->text) {
		append_text(message, labels, value);
		return;
	}
	buffer_clear(&message->sample);
	append_labels(message, labels);
	buffer_clear(&message->value);
	append_double(&message->value, value);
	append_inner(&message->sample, message->counter ? METRIC_COUNTER : METRIC_GAUGE, &message->value);
	append_inner(&message->family, FAMILY_METRIC, &message->sample);
	message->samples++;
}

void message_family_end(struct message *message)
{
	if (!message->samples)
		return;
	append_varint(message->out, message->family.size);
	buffer_append_slice(message->out, buffer_slice(&message->family));
	message->out->overflow = message->out->overflow || message->family.overflow;
}
