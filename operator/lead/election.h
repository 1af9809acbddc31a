/*
 * What to do about a Lease, given how it looks: no clock, no request. Inside operator/lead only.
 *
 * A record of another holder is judged by how long this process has seen it unchanged, never by its renewTime.
 */
#ifndef STREAMJOB_ELECTION_H
#define STREAMJOB_ELECTION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct election {
	const char *identity;
	int64_t duration_ms;
	char *seen; /* the record seen last, as text; NULL: none */
	int64_t seen_ms;
};

enum election_move { ELECTION_CREATE, ELECTION_TAKE, ELECTION_RENEW, ELECTION_WAIT };

void election_release(struct election *election);
/* `lease` NULL: there is none. RENEW: it is ours already. now_ms: monotonic. */
enum election_move election_look(struct election *election, const json_t *lease, int64_t now_ms);
/* "" where nobody holds it. */
const char *election_holder(const json_t *lease);
/* The object to write for CREATE, TAKE and RENEW; what others put into the lease stays. */
json_t *election_record(const struct election *election, const json_t *lease, const char *namespace, const char *name,
                        int64_t wall_ms);
/* The object that gives the lease up. */
json_t *election_give_up(const json_t *lease, int64_t wall_ms);

#endif
