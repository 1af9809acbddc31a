/*
 * The HTTP server of both programs, on libmicrohttpd: GET /healthz, /readyz, /metrics, /status.
 *
 * HEAD is answered too, other methods with 405, other paths with 404, a request with a body with 413. Two threads: one
 * answers connections and renders pages of health, which must not block; the other renders the rest, one at a time
 * (lib/probe/renderer.h); who finds too many waiting gets 503. Who is slow, or holds many connections, keeps nobody
 * from being served (lib/probe/clients.h).
 */
#ifndef STREAMJOB_PROBE_H
#define STREAMJOB_PROBE_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"

#define PROBE_CONNECTIONS_MAX      64
#define PROBE_PEER_CONNECTIONS_MAX 16
#define PROBE_REQUEST_MS           10000

struct probe_page {
	const char *path; /* "/status" */
	const char *content_type;
	/* Appends the body; returns the HTTP status: 200 or 503. */
	int (*render)(void *context, struct buffer *out);
	bool health; /* rendered at once, whatever other pages do */
};

/* What it points to outlives the probe. */
struct probe_options {
	const char *listen; /* "127.0.0.1:8080", ":8080", "[::1]:8080"; port 0 takes a free one */
	const struct probe_page *pages;
	size_t pages_count;
	void *context;
	int request_ms; /* 0: PROBE_REQUEST_MS */
};

struct probe;

struct probe *probe_start(const struct probe_options *options, struct error *err);
int probe_port(const struct probe *probe);
void probe_stop(struct probe *probe);

#endif
