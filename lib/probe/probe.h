/*
 * The HTTP server of both programs, on libmicrohttpd: GET /healthz, /readyz, /metrics, /status.
 *
 * HEAD is answered too, other methods with 405, other paths with 404, a request with a body with 413. Pages are
 * rendered on the server's own thread and must not block. At most PROBE_CONNECTIONS_MAX connections, each closed
 * after PROBE_IDLE_S seconds of silence.
 */
#ifndef STREAMJOB_PROBE_H
#define STREAMJOB_PROBE_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"

#define PROBE_CONNECTIONS_MAX 64
#define PROBE_IDLE_S          30

struct probe_page {
	const char *path; /* "/status" */
	const char *content_type;
	/* Appends the body; returns the HTTP status: 200 or 503. */
	int (*render)(void *context, struct buffer *out);
};

struct probe;

/* `listen`: "127.0.0.1:8080", ":8080", "[::1]:8080"; port 0 takes a free one. `pages` and `context` outlive the probe.
 */
struct probe *probe_start(const char *listen, const struct probe_page *pages, size_t pages_count, void *context,
                          struct error *err);
int probe_port(const struct probe *probe);
void probe_stop(struct probe *probe);

#endif
