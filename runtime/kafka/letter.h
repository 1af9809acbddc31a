/*
 * A dead letter as a Kafka record: its headers say where it is of, and whether it was cut. Inside runtime/kafka only.
 */
#ifndef STREAMJOB_KAFKA_LETTER_H
#define STREAMJOB_KAFKA_LETTER_H

#include <stdbool.h>

#include <librdkafka/rdkafka.h>

#include "lib/base/buffer.h"

struct letter { /* refused for its size; owns everything */
	struct letter *next;
	rd_kafka_headers_t *headers;
	struct slice key, value; /* data NULL: none */
	bool alone;              /* it was the only one of its batch */
};

void letter_header(rd_kafka_headers_t *headers, const char *name, const char *value);
void letter_number(rd_kafka_headers_t *headers, const char *name, int64_t value);
/* Where it is of, in words. */
void letter_place(const rd_kafka_headers_t *headers, struct buffer *out);

/* A copy of the message and its headers. */
struct letter *letter_of(const rd_kafka_message_t *message, rd_kafka_headers_t *headers);
void letter_free(struct letter *letter);
/* To the next smaller size: 512 KiB of value and key each, 64 KiB, 4 KiB, nothing. The headers streamjob.cut and
 * streamjob.cut-key say of how many bytes. Whether it was whole before. */
bool letter_cut(struct letter *letter);

#endif
