/*
 * The objects of one kind as last seen: by namespace and name, and by the UID of their owner.
 *
 * Objects are held as compact JSON, deflated against a dictionary of the first ones (packed.h): about a tenth of their
 * text, which is several times smaller than its tree; each get parses a tree of the caller's own. Several informers may
 * fill one store, each its own namespace.
 *
 * Bounded: at bytes_max the namespace that has most gives way, so that none is kept from its fair share by another. An
 * object of that namespace is left out, or taken out for another namespace's; store_left_out says of which namespaces
 * the store does not have all. A whole list after there is room again mends it.
 *
 * Threads: any.
 */
#ifndef STREAMJOB_STORE_H
#define STREAMJOB_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#define STORE_BYTES_MAX ((size_t)1 << 30)

struct store;
struct store *store_new(size_t bytes_max); /* 0: STORE_BYTES_MAX */
void store_free(struct store *store);

/* A tree of the caller's own (json_decref), or NULL. `namespace` may be NULL. */
json_t *store_get(struct store *store, const char *namespace, const char *name);
bool store_has(struct store *store, const char *namespace, const char *name);
/* Those whose controlling ownerReference (else any ownerReference) has this UID: an array of the caller's own. */
json_t *store_owned(struct store *store, const char *owner_uid);
/* All of one namespace (NULL: of all) as "namespace/name": the keys, sorted, an array of the caller's own. */
json_t *store_keys(struct store *store, const char *namespace);
size_t store_count(struct store *store);
size_t store_bytes(struct store *store);
size_t store_bytes_max(const struct store *store);
/* Objects of the namespace (NULL: of all) that there was no room for, at least; 0: the store has all that was listed.
 */
size_t store_left_out(struct store *store, const char *namespace);

/* What follows is for informers. */
enum store_outcome {
	STORE_REFUSED = -1, /* an object without a name */
	STORE_SAME,         /* the very version that is there */
	STORE_ADDED,
	STORE_CHANGED,
	STORE_REPLACED, /* another UID: what was there is deleted, this one is new */
	STORE_LEFT_OUT  /* there is no room for it; what was there is taken out */
};
/* *ret_before: what was there (json_decref), or NULL. The object counts as seen by `round`. */
enum store_outcome store_put(struct store *store, const json_t *object, uint64_t round, json_t **ret_before,
                             struct error *err);
/* What puts took out of other namespaces, one at a time (json_decref); NULL: none is left. */
json_t *store_take_evicted(struct store *store);
/* A namespace that lacks objects since it was last asked, the caller's (free); NULL: none does. */
char *store_newly_short(struct store *store);
/* A list of the namespace (NULL: of all) begins, and has put all that there is. */
void store_list_begins(struct store *store, const char *namespace);
void store_list_ends(struct store *store, const char *namespace);
/* `uid` NULL: whatever has the name. What was there, or NULL where there was none or it had another UID. */
json_t *store_remove(struct store *store, const char *namespace, const char *name, const char *uid);
/* Takes out one object of the namespace (NULL: of all) that no put since the round began has seen; NULL: none left. */
json_t *store_take_unseen(struct store *store, const char *namespace, uint64_t round);

#endif
