/*
 * Families as delimited protocol buffers (io.prometheus.client.MetricFamily), which every Pushgateway takes. A body of
 * the text format that is cut off at the beginning of a line, or before its first byte, is a whole one to gateways up
 * to 1.5 at least: they put what came in the group's place. One of these that is cut off anywhere is refused. Inside
 * runtime/pushgateway only.
 */
#ifndef STREAMJOB_PUSHGATEWAY_MESSAGE_H
#define STREAMJOB_PUSHGATEWAY_MESSAGE_H

#include <stdbool.h>

#include "lib/base/buffer.h"

#define MESSAGE_CONTENT_TYPE                                                                                           \
	"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"

#define MESSAGE_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct message {
	struct buffer *out;
	bool text; /* the text format instead, for who takes nothing else */
	const char *name;
	bool counter;
	size_t samples;
	struct buffer family, sample, label, value; /* what is being written, innermost last */
};

void message_init(struct message *message, bool text, struct buffer *out);
void message_release(struct message *message);
/* Then its samples, then its end. A family without any is left out, as the text format has it. */
void message_family(struct message *message, const char *name, bool counter, const char *help);
/* `labels` as metrics_label writes them: a="x",b="y". */
void message_sample(struct message *message, struct slice labels, double value);
void message_family_end(struct message *message);

#endif
