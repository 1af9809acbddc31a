/*
 * One request to the gateway, by libcurl. Inside runtime/pushgateway only; one thread.
 */
#ifndef STREAMJOB_PUSHGATEWAY_HTTP_H
#define STREAMJOB_PUSHGATEWAY_HTTP_H

#include "lib/base/buffer.h"
#include "lib/spec/field/jobspec.h"
#include "runtime/port/port.h"

#define ANSWER_BYTES_MAX   ((size_t)256 * 1024 * 1024) /* of the list of all groups */
#define RESOLVE_MS         30000            /* that libcurl waits for the resolver after the request's own time */
#define RETRY_AFTER_MS_MAX (15 * 60 * 1000) /* the longest Retry-After that is obeyed */

struct http;

struct http *http_new(const struct pushgateway_sink *spec, const char *secrets_dir, struct stop *stop);
void http_free(struct http *http);

struct http_request {
	const char *method, *url;  /* GET, PUT or DELETE */
	struct slice body;         /* of PUT: messages, */
	bool text;                 /* or the text format */
	const struct lease *lease; /* NULL: whoever owns the job, the request may be made */
};

/*
 * Returns the HTTP status, or 0 and why there was none. The answer's body is in `answer`; *ret_retry_after_ms is what
 * the server asked for, or 0. The lease is looked at again once the connection stands, and before the first byte of the
 * body: where it has run out meanwhile, nothing is sent. The connection is kept for the next request unless this
 * failed.
 */
int http_request(struct http *http, const struct http_request *request, struct buffer *answer,
                 int64_t *ret_retry_after_ms, struct error *err);

#endif
