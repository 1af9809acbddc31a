/*
 * The fence: a transactional producer whose id is a constant of the job. Who takes it last has the job; the broker
 * refuses every later commit of whoever took it before. Inside runtime/kafka only; one thread at a time.
 *
 * A commit is one transaction that holds offset commits alone, in parts below the broker's limit of a request, so all
 * partitions move together or none does.
 */
#ifndef STREAMJOB_KAFKA_FENCE_H
#define STREAMJOB_KAFKA_FENCE_H

#include "runtime/kafka/client.h"

#define TRANSACTION_TIMEOUT_MS "10000" /* an open one is ended by the broker after that */

enum fence_outcome {
	FENCE_DONE,
	FENCE_RETRY,  /* call again with the same arguments: it goes on where it was */
	FENCE_DENIED, /* the same, once somebody has granted a right that is missing */
	FENCE_LOST,   /* this producer is at its end: another process took the fence, or the broker forgot this one */
	FENCE_NONE    /* the broker has no transactions */
};

struct fence;
/* NULL: a property or a secret is wrong. */
/* `answer_ms`: librdkafka waits that long at least for the broker, whatever time a call is given. */
struct fence *fence_new(const struct kafka_client *spec, const char *group, const char *secrets_dir, int answer_ms,
                        struct error *err);
void fence_free(struct fence *fence);

enum fence_outcome fence_take(struct fence *fence, int timeout_ms, struct error *err);
enum fence_outcome fence_commit(struct fence *fence, const rd_kafka_topic_partition_list_t *offsets, int timeout_ms,
                                struct error *err);

#endif
