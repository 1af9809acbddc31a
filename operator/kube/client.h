/*
 * One request over a client's connection. Inside operator/kube only.
 */
#ifndef STREAMJOB_KUBE_CLIENT_H
#define STREAMJOB_KUBE_CLIENT_H

#include "operator/kube/cluster_parts.h"
#include "operator/kube/kube.h"

struct request {
	enum kube_method method;
	const char *path; /* with its query */
	const char *content_type;
	struct slice body;
	bool writes;                   /* the gate is asked */
	size_t bytes_max;              /* of a success, for client_text and client_json; 0: KUBE_ANSWER_BYTES_MAX */
	int64_t timeout_ms;            /* for the whole; 0: none */
	int64_t idle_ms;               /* of silence; 0: none */
	bool stream;                   /* a watch: its time is not measured */
	bool metadata_only;            /* PartialObjectMetadata is asked for */
	void (*opened)(void *context); /* a success's first bytes or its end are there; may be NULL */
	/* Bytes of a success; false ends the transfer. The transfer's failure is then the receiver's to say. */
	bool (*receive)(void *context, const char *data, size_t size);
	void *context;
};

/* -1 with *err set, but where `receive` ended it: then 1. */
int client_perform(struct kube_client *client, const struct request *request, struct kube_error *err);
/* The whole answer, into an empty buffer. */
int client_text(struct kube_client *client, struct request *request, struct buffer *answer, struct kube_error *err);
/* The same as JSON. */
int64_t client_timeout_ms(const struct kube_client *client);
/* "GET /api/v1/pods": for sentences; the query is left out. */

#endif
