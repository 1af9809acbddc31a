#include "runtime/kafka/fence.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"

/* Kafka refuses an offset commit that is larger than offsets.topic's message.max.bytes (1,048,588 by default). */
#define PART_BYTES_MAX     (512 * 1024)
#define PARTITION_BYTES    64 /* of a partition beside its metadata, in the broker's log */
#define TRANSACTION_ID_MAX 300

/* A commit that follows another one within a few milliseconds is refused until the broker has ended that one, and asked
 * for again after so long: by librdkafka's default 100. */
#define RETRY_BACKOFF_MS "10"

struct fence {
	rd_kafka_t *producer;
	rd_kafka_consumer_group_metadata_t *group;
	const struct kafka_client *spec;
	const char *peer;
	char id[TRANSACTION_ID_MAX];
	bool begun;
	bool aborting; /* the open transaction is to be given up and made anew */
	int sent;      /* offsets of the open transaction that the broker has */
};

struct fence *fence_new(const struct kafka_client *spec, const char *group, const char *secrets_dir, int answer_ms,
                        struct error *err)
{
	char answer[16];
	struct fence *fence = xcalloc(1, sizeof(*fence));
	const struct setting settings[] = {
	        {"transactional.id", fence->id},        {"transaction.timeout.ms", TRANSACTION_TIMEOUT_MS},
	        {"socket.timeout.ms", answer},          {"reconnect.backoff.max.ms", "2000"},
	        {"retry.backoff.ms", RETRY_BACKOFF_MS}, {NULL, NULL},
	};
	rd_kafka_conf_t *conf;

	snprintf(answer, sizeof(answer), "%d", answer_ms);
	snprintf(fence->id, sizeof(fence->id), "streamjob.source.%s", group);
	conf = client_conf(spec, secrets_dir, settings, err);
	fence->producer = conf ? client_new(RD_KAFKA_PRODUCER, conf, err) : NULL;
	if (!fence->producer) {
		free(fence);
		return NULL;
	}
	fence->group = rd_kafka_consumer_group_metadata_new(group);
	fence->spec = spec;
	fence->peer = client_peer(spec);
	return fence;
}

void fence_free(struct fence *fence)
{
	if (!fence)
		return;
	rd_kafka_consumer_group_metadata_destroy(fence->group);
	client_end(fence->producer, WATCH_SOURCE, fence->spec, 0);
	free(fence);
}

/* The broker was away or slow in the middle of a transaction: the producer is as good as before. */
static bool passes(rd_kafka_resp_err_t code)
{
	switch ((int)code) {
	case RD_KAFKA_RESP_ERR__TIMED_OUT:
	case RD_KAFKA_RESP_ERR__TRANSPORT:
	case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
	case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
	case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
	case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
	case RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS:
		return true;
	default:
		return false;
	}
}

/* Takes the error's words and destroys it. */
static enum fence_outcome judge(struct fence *fence, rd_kafka_error_t *error, const char *doing, struct error *err)
{
	rd_kafka_resp_err_t code = rd_kafka_error_code(error);
	enum fence_outcome outcome = FENCE_LOST;

	if (code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE || code == RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION)
		outcome = FENCE_NONE;
	else if (rd_kafka_error_is_retriable(error) && !rd_kafka_error_is_fatal(error))
		outcome = FENCE_RETRY;
	else if (rd_kafka_error_txn_requires_abort(error) && client_cure(code)[0])
		outcome = FENCE_DENIED;
	else if (rd_kafka_error_txn_requires_abort(error) && passes(code))
		outcome = FENCE_RETRY;
	fence->aborting = fence->aborting || rd_kafka_error_txn_requires_abort(error);
	error_set(err, "%s (transactional id %s): %s%s", doing, fence->id, rd_kafka_error_string(error),
	          client_cure(code));
	rd_kafka_error_destroy(error);
	return outcome;
}

enum fence_outcome fence_take(struct fence *fence, int timeout_ms, struct error *err)
{
	rd_kafka_error_t *error = watched(WATCH_SOURCE, "the taking of the job from", fence->peer,
	                                  client_limit_ms(fence->producer, timeout_ms),
	                                  rd_kafka_init_transactions(fence->producer, timeout_ms));

	return error ? judge(fence, error, "cannot take the job over", err) : FENCE_DONE;
}

/* The next offsets that fit into one request. */
static rd_kafka_topic_partition_list_t *part(const rd_kafka_topic_partition_list_t *offsets, int from)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(offsets->cnt - from);
	size_t bytes = 0;

	for (int i = from; i < offsets->cnt; i++) {
		const rd_kafka_topic_partition_t *item = &offsets->elems[i];
		rd_kafka_topic_partition_t *copy;

		bytes += item->metadata_size + strlen(item->topic) + PARTITION_BYTES;
		if (bytes > PART_BYTES_MAX && list->cnt)
			break;
		copy = rd_kafka_topic_partition_list_add(list, item->topic, item->partition);
		copy->offset = item->offset;
		copy->metadata = xmalloc(item->metadata_size + 1);
		memcpy(copy->metadata, item->metadata, item->metadata_size);
		copy->metadata_size = item->metadata_size;
	}
	return list;
}

static rd_kafka_error_t *send_offsets(struct fence *fence, const rd_kafka_topic_partition_list_t *offsets,
                                      int timeout_ms)
{
	while (fence->sent < offsets->cnt) {
		rd_kafka_topic_partition_list_t *list = part(offsets, fence->sent);
		rd_kafka_error_t *error = watched(
		        WATCH_SOURCE, "the commit to", fence->peer, client_limit_ms(fence->producer, timeout_ms),
		        rd_kafka_send_offsets_to_transaction(fence->producer, list, fence->group, timeout_ms));

		if (!error)
			fence->sent += list->cnt;
		rd_kafka_topic_partition_list_destroy(list);
		if (error)
			return error;
	}
	return NULL;
}

enum fence_outcome fence_commit(struct fence *fence, const rd_kafka_topic_partition_list_t *offsets, int timeout_ms,
                                struct error *err)
{
	rd_kafka_error_t *error;

	if (fence->aborting) {
		error = watched(WATCH_SOURCE, "the commit to", fence->peer,
		                client_limit_ms(fence->producer, timeout_ms),
		                rd_kafka_abort_transaction(fence->producer, timeout_ms));
		if (error)
			return judge(fence, error, "cannot give an unfinished commit up", err);
		fence->aborting = fence->begun = false;
	}
	if (!fence->begun) {
		error = rd_kafka_begin_transaction(fence->producer);
		if (error)
			return judge(fence, error, "cannot begin a commit", err);
		fence->begun = true;
		fence->sent = 0;
	}
	error = send_offsets(fence, offsets, timeout_ms);
	if (error)
		return judge(fence, error, "cannot commit the offsets", err);
	error = watched(WATCH_SOURCE, "the commit to", fence->peer, client_limit_ms(fence->producer, timeout_ms),
	                rd_kafka_commit_transaction(fence->producer, timeout_ms));
	if (error)
		return judge(fence, error, "cannot end a commit", err);
	fence->begun = false;
	return FENCE_DONE;
}
