/*
 * Which addresses are this machine's own (in a pod: the pod's): 127.0.0.0/8, ::1, and those of its interfaces, which
 * are asked for at most once in OWN_FRESH_MS. IPv4 is the same in IPv6's form (::ffff:a.b.c.d). One thread.
 */
#ifndef STREAMJOB_PROBE_OWN_H
#define STREAMJOB_PROBE_OWN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OWN_ADDRESSES_MAX 256 /* those beyond are others' */
#define OWN_FRESH_MS      10000

/* All zeros before. */
struct own {
	struct in6_addr addresses[OWN_ADDRESSES_MAX];
	size_t count;
	bool known;
	int64_t since_ms;
};

bool own_is(struct own *own, const struct sockaddr *peer, int64_t now_ms);

#endif
