/*
 * What the broker's error codes mean for a record that is written: whether waiting can mend it. Inside runtime/kafka
 * only.
 */
#ifndef STREAMJOB_KAFKA_REFUSAL_H
#define STREAMJOB_KAFKA_REFUSAL_H

#include <stdbool.h>

#include <librdkafka/rdkafka.h>

enum refusal {
	REFUSAL_NONE,   /* it may pass: no broker, no leader, a time-out, … */
	REFUSAL_RECORD, /* this record can never be written */
	REFUSAL_ALL     /* none can, until somebody changes something */
};

enum refusal refusal_of(rd_kafka_resp_err_t code);
/* Too large: also where a batch of several is, of which each would be taken. */
bool refusal_is_size(rd_kafka_resp_err_t code);
/* What to do about it, or "". */
const char *refusal_cure(rd_kafka_resp_err_t code);
/* Another producer of this transactional id took over, or the broker has ended this one. */
bool is_fenced(rd_kafka_resp_err_t code);

#endif
