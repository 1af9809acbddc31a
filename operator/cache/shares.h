/*
 * What the namespaces have of a store's bytes, and how many of their objects were left out of it. No lock of its own.
 * Inside operator/cache only.
 *
 * One share is remembered for each namespace that has bytes or lacks objects: about 100 bytes.
 */
#ifndef STREAMJOB_SHARES_H
#define STREAMJOB_SHARES_H

#include <stdbool.h>
#include <stddef.h>

struct share {
	char *namespace;
	size_t bytes;
	size_t left_out; /* since the last whole list, and in the one that is under way */
	size_t left_now; /* of those: since a list began */
	bool said;       /* that it lacks some */
};

struct shares {
	struct share *items; /* by namespace */
	size_t count, capacity;
};

/* The share of a key's ("namespace/name") or namespace's own, made where there is none. Good until the next call. */
struct share *shares_of(struct shares *shares, const char *key);
/* The one with most bytes; NULL: none has any. */
struct share *shares_largest(const struct shares *shares);
/* A list of the namespace (NULL: of all) begins, and has come to its end: what it left out is all that is. */
void shares_list_begins(struct shares *shares, const char *namespace);
void shares_list_ends(struct shares *shares, const char *namespace);
/* Objects that were left out, of the namespace or of all. */
size_t shares_left_out(const struct shares *shares, const char *namespace);
void shares_release(struct shares *shares);

#endif
