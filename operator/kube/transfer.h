/*
 * One attempt at a request: libcurl's handles, set up, driven and judged. Inside operator/kube only.
 */
#ifndef STREAMJOB_KUBE_TRANSFER_H
#define STREAMJOB_KUBE_TRANSFER_H

#include <pthread.h>

#include <curl/curl.h>

#include "operator/kube/client.h"

struct kube_client {
	struct kube_cluster *cluster;
	pthread_mutex_t lock; /* held to replace the handles, and to wake them from another thread */
	CURLM *multi;
	CURL *easy;
	char message[CURL_ERROR_SIZE];
	_Atomic bool cancelled, interrupted;
	int64_t timeout_ms;
	int64_t (*writable_ms)(void *context);
	void *gate_context;
};

struct attempt {
	struct kube_client *client;
	const struct request *request;
	struct credentials *credentials;
	struct curl_slist *headers, *route;
	struct buffer refusal; /* the body of an answer that is no success */
	int64_t heard_ms, deadline_ms;
	bool opened, stopped;
	bool dead; /* its connection cannot be trusted any more */
};

void attempt_init(struct attempt *attempt, struct kube_client *client, const struct request *request,
                  struct credentials *credentials);
void attempt_release(struct attempt *attempt);
/* 0, 1 where the receiver ended it, or -1. timeout_ms 0: none. */
int attempt_perform(struct attempt *attempt, int64_t timeout_ms, struct kube_error *err);

#endif
