#include "runtime/kafka/refusal.h"

#include <stddef.h>

#define CODE(name) RD_KAFKA_RESP_ERR_##name

static const struct {
	rd_kafka_resp_err_t code;
	enum refusal refusal;
	bool size;
	const char *cure;
} refusals[] = {
        {CODE(MSG_SIZE_TOO_LARGE), REFUSAL_RECORD, true, "raise max.message.bytes of the topic"},
        {CODE(RECORD_LIST_TOO_LARGE), REFUSAL_RECORD, true, "raise segment.bytes of the topic"},
        {CODE(INVALID_MSG_SIZE), REFUSAL_RECORD, true, "raise max.message.bytes of the topic"},
        {CODE(INVALID_RECORD), REFUSAL_RECORD, false, "see what the topic's settings ask of its records"},
        {CODE(INVALID_TIMESTAMP), REFUSAL_RECORD, false, "raise the topic's bounds of message timestamps"},
        {CODE(UNKNOWN_TOPIC_OR_PART), REFUSAL_ALL, false, "create the topic"},
        {CODE(_UNKNOWN_TOPIC), REFUSAL_ALL, false, "create the topic"},
        {CODE(TOPIC_EXCEPTION), REFUSAL_ALL, false, "choose another topic"},
        {CODE(TOPIC_AUTHORIZATION_FAILED), REFUSAL_ALL, false, "grant Describe and Write on the topic"},
        {CODE(GROUP_AUTHORIZATION_FAILED), REFUSAL_ALL, false, "grant Read on the sink's group"},
        {CODE(TRANSACTIONAL_ID_AUTHORIZATION_FAILED), REFUSAL_ALL, false,
         "grant Describe and Write on the sink's transactional id"},
        {CODE(CLUSTER_AUTHORIZATION_FAILED), REFUSAL_ALL, false, "grant IdempotentWrite on the cluster"},
        {CODE(SECURITY_DISABLED), REFUSAL_ALL, false, "see the brokers' security settings"},
        {CODE(POLICY_VIOLATION), REFUSAL_ALL, false, "see the brokers' policies"},
        {CODE(UNSUPPORTED_FOR_MESSAGE_FORMAT), REFUSAL_ALL, false, "raise the topic's message format"},
        {CODE(UNSUPPORTED_COMPRESSION_TYPE), REFUSAL_ALL, false, "choose another compression.type"},
        {CODE(INVALID_TRANSACTION_TIMEOUT), REFUSAL_ALL, false, "raise the brokers' transaction.max.timeout.ms"},
        {CODE(UNSUPPORTED_VERSION), REFUSAL_ALL, false, "the brokers need transactions: Kafka 0.11 or later"},
        {CODE(_UNSUPPORTED_FEATURE), REFUSAL_ALL, false, "the brokers need transactions: Kafka 0.11 or later"},
};
#define REFUSALS (sizeof(refusals) / sizeof(refusals[0]))

static size_t find(rd_kafka_resp_err_t code)
{
	size_t i = 0;

	while (i < REFUSALS && refusals[i].code != code)
		i++;
	return i;
}

enum refusal refusal_of(rd_kafka_resp_err_t code)
{
	size_t i = find(code);

	return i < REFUSALS ? refusals[i].refusal : REFUSAL_NONE;
}

bool refusal_is_size(rd_kafka_resp_err_t code)
{
	size_t i = find(code);

	return i < REFUSALS && refusals[i].size;
}

const char *refusal_cure(rd_kafka_resp_err_t code)
{
	size_t i = find(code);

	return i < REFUSALS ? refusals[i].cure : "";
}

bool is_fenced(rd_kafka_resp_err_t code)
{
	return code == CODE(_FENCED) || code == CODE(PRODUCER_FENCED) || code == CODE(INVALID_PRODUCER_EPOCH);
}
