/*
 * The entries of a store, in two hash tables with chains through the same entries: by key, and by the owner's UID. No
 * lock of its own. Inside operator/cache only.
 *
 * An entry does not change while it is in the tables but for its round, and is counted: who found one under the store's
 * lock and holds it reads it without.
 */
#ifndef STREAMJOB_TABLE_H
#define STREAMJOB_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "operator/cache/packed.h"

struct entry {
	struct entry *next_key, *next_owner;
	uint64_t round; /* which list or event saw it last */
	uint32_t key_hash, owner_hash;
	_Atomic uint32_t holders;
	uint32_t owner, uid, version; /* where they stand in `bytes`, behind the key */
	struct packed packed;         /* the object's compact JSON; in `bytes` too */
	char bytes[];                 /* "namespace/name", the owner's UID or "", UID, version; each with a NUL */
};

struct table {
	struct entry **keys, **owners; /* `buckets` each, a power of two */
	size_t buckets, count;
	size_t bytes; /* of all entries */
};

/* Held once, by the caller. `packed` is copied. */
struct entry *entry_new(const char *key, const char *owner, const char *uid, const char *version,
                        const struct packed *packed);
struct entry *entry_hold(struct entry *entry); /* NULL is allowed, here and below */
void entry_release(struct entry *entry);
size_t entry_bytes(const struct entry *entry);
/* Of that namespace; NULL: of any. */
bool entry_is_in(const struct entry *entry, const char *namespace);
static inline const char *entry_text(const struct entry *entry, uint32_t at)
{
	return entry->bytes + at;
}

void table_init(struct table *table);
void table_release(struct table *table);
/* Where the entry of that key is linked, or would be: then *place is NULL. Good until the table changes. */
struct entry **table_find(const struct table *table, const char *key);
/* The first entry of the owner, and the next behind `entry`. */
struct entry *table_owned(const struct table *table, const char *owner, const struct entry *entry);
/* The table takes the caller's hold; no entry has the key. */
void table_add(struct table *table, struct entry *entry);
/* The caller gets the table's hold. `place` is of table_find, or a link of a chain of `keys`. */
struct entry *table_take(struct table *table, struct entry **place);

#endif
