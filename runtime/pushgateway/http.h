/*
 * One request to the gateway, by libcurl. Inside runtime/pushgateway only; one thread.
 */
#ifndef STREAMJOB_PUSHGATEWAY_HTTP_H
#define STREAMJOB_PUSHGATEWAY_HTTP_H

#include "lib/base/buffer.h"
#include "lib/jobspec/jobspec.h"
#include "runtime/port/port.h"

#define ANSWER_BYTES_MAX ((size_t)256 * 1024 * 1024) /* of the list of all groups */

struct http;

struct http *http_new(const struct pushgateway_sink *spec, const char *secrets_dir, struct stop *stop);
void http_free(struct http *http);
/*
 * "GET", "PUT" or "DELETE". Returns the HTTP status, or 0 and why there was none. The answer's body is in `answer`;
 * *ret_retry_after_ms is what the server asked for, or 0. The connection is kept for the next request unless this
 * failed.
 */
int http_request(struct http *http, const char *method, const char *url, struct slice body, struct buffer *answer,
                 int64_t *ret_retry_after_ms, struct error *err);

#endif
