/*
 * The objects of one kind as last seen: by namespace and name, and by the UID of their owner.
 *
 * Objects are held as compact JSON, deflated against a dictionary of the first ones (packed.h): about a tenth of their
 * text, which is several times smaller than its tree; each get parses a tree of the caller's own. Bounded: past
 * bytes_max a put fails. Several informers may fill one store, each its own namespace.
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

/* What follows is for informers. */
enum store_outcome {
	STORE_REFUSED = -1, /* past bytes_max, or an object without a name */
	STORE_SAME,         /* the very version that is there */
	STORE_ADDED,
	STORE_CHANGED,
	STORE_REPLACED /* another UID: what was there is deleted, this one is new */
};
/* *ret_before: what was there (json_decref), or NULL. The object counts as seen by `round`. */
enum store_outcome store_put(struct store *store, const json_t *object, uint64_t round, json_t **ret_before,
                             struct error *err);
/* `uid` NULL: whatever has the name. What was there, or NULL where there was none or it had another UID. */
json_t *store_remove(struct store *store, const char *namespace, const char *name, const char *uid);
/* Takes out one object of the namespace (NULL: of all) that no put since the round began has seen; NULL: none left. */
json_t *store_take_unseen(struct store *store, const char *namespace, uint64_t round);

#endif
