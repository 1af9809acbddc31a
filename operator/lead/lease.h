/*
 * Leader election by a Lease (coordination.k8s.io/v1), as client-go does it.
 *
 * A Lease does not fence: a leader that is cut off finds out only by its own clock. So writes are allowed until the
 * lease's duration, less a margin, after the last renewal was *sent*; every client that writes has lease_writable_ms as
 * its gate, which also cuts its requests' time-outs. Another's lease counts as expired when its record has not changed
 * for its own duration by our monotonic clock: nobody's wall clock is compared.
 *
 * The lease is released on lease_stop. A leader that cannot renew within renew_ms is done: `lost` is called once, and
 * the process should end.
 */
#ifndef STREAMJOB_LEASE_H
#define STREAMJOB_LEASE_H

#include "operator/kube/kube.h"

/* Zeros mean the values that stand here; duration_ms > renew_ms > retry_ms. */
struct lease_limits {
	int64_t duration_ms; /* 15000, whole seconds */
	int64_t renew_ms;    /* 10000: give up when no renewal succeeded for so long */
	int64_t retry_ms;    /* 2000, and up to a fifth more by jitter */
	int64_t margin_ms;   /* 1000: writes end so long before the lease does */
};

struct lease_options {
	struct kube_cluster *cluster;
	const char *namespace, *name;
	const char *identity; /* of this process alone: the Pod's name and something random */
	struct lease_limits limits;
	const struct clock *clock;
	void (*acquired)(void *context);
	void (*lost)(void *context);                                     /* not after lease_stop */
	void (*trouble)(void *context, const struct kube_error *why);    /* an attempt failed; may be NULL */
	void (*leader)(void *context, const char *identity, bool is_us); /* another holder was seen; may be NULL */
	void *context; /* the callbacks run on the lease's thread and must not block: renewals wait for them */
};

struct lease;
/* Texts are copied; cluster and clock outlive it. -1: limits that cannot work. */
int lease_start(const struct lease_options *options, struct lease **ret_lease, struct error *err);
/* For how long writing is still allowed; 0: not at all. The gate of kube_client_set_gate (context: the lease). */
int64_t lease_writable_ms(void *lease);
bool lease_is_leader(struct lease *lease);
/* Ends the thread. All writers have stopped: `release` gives the lease up, so that the next leader need not wait. */
void lease_stop(struct lease *lease, bool release);

#endif
