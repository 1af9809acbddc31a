/* Pages of the HTTP server, and a client of it over loopback, for its tests. */
#ifndef STREAMJOB_TESTS_PROBE_CLIENT_H
#define STREAMJOB_TESTS_PROBE_CLIENT_H

#include "lib/base/buffer.h"
#include "lib/probe/probe.h"

#define END " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"

#define BIG_BYTES (1 << 20)

/* Pages: {"job":"CONTEXT"}, which is counted; 503; BIG_BYTES; nothing. */
extern _Atomic unsigned rendered;
int render_ok(void *context, struct buffer *out);
int render_down(void *context, struct buffer *out);
int render_big(void *context, struct buffer *out);
int render_empty(void *context, struct buffer *out);

/* From one of the addresses of this machine: 127.0.0.`from`; -1 when nobody listens. */
int dial_from(const struct probe *probe, unsigned from);
/* Sends what the peer takes; it may close before the end. */
void send_all(int fd, const char *data, size_t size);
/* All that comes until the peer closes; -1 when it is silent too long. */
int receive_all(int fd, struct buffer *out);
const char *body_of(const struct buffer *answer);

#endif
