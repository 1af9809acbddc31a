/*
 * Who is connected to the HTTP server, and whose connection ends so that others are served.
 *
 * A connection has PROBE_REQUEST_MS from its begin, and from the end of each answer, to the end of the next; then it is
 * ended, whatever came and went. A peer (an address) has at most PROBE_PEER_CONNECTIONS_MAX, all together
 * PROBE_CONNECTIONS_MAX; this machine with all its addresses is one peer, for in a pod that is a user's function. The
 * newest takes the place of the oldest of the same peer, or, where all together are too many, of the peer that has
 * most. So who asks and reads at once is always served, also beside a peer of the same address that holds all it can.
 *
 * "Ended" is shutdown(2): the server sees the end and closes the descriptor, which stays its own. One thread.
 */
#ifndef STREAMJOB_PROBE_CLIENTS_H
#define STREAMJOB_PROBE_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/probe/probe.h"

/* With those that are ended and not closed yet. */
#define CLIENTS_MAX   (2 * PROBE_CONNECTIONS_MAX)
#define ADDRESS_BYTES 16

struct client {
	int fd;
	unsigned char address[ADDRESS_BYTES]; /* IPv4 as ::ffff:a.b.c.d */
	int64_t since_ms;
	bool ended;
};

/* At most CLIENTS_MAX; the first that came is the first. */
struct clients {
	struct client *list[CLIENTS_MAX];
	size_t count;
	int64_t request_ms;
};

/* Owned by the table until clients_remove. `address` may be NULL; `own`: it is this machine's. */
struct client *clients_add(struct clients *clients, int fd, const struct sockaddr *address, bool own, int64_t now_ms);
void clients_remove(struct clients *clients, struct client *client);
/* Its answer has been sent. */
void clients_answered(struct client *client, int64_t now_ms);
/* Ends who is over time; returns milliseconds until the next is, or -1 without any. */
int64_t clients_expire(struct clients *clients, int64_t now_ms);

#endif
