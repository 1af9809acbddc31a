/*
 * The entries of a store within its bytes: at the limit the namespace that has most gives way, until none has more than
 * it would be left with itself. No lock of its own. Inside operator/cache only.
 */
#ifndef STREAMJOB_ROOM_H
#define STREAMJOB_ROOM_H

#include <stdbool.h>

#include "operator/cache/shares.h"
#include "operator/cache/table.h"

struct room {
	struct table table; /* read by anyone; changed by what stands below only */
	struct shares shares;
	size_t bytes_max;
	struct entry *evicted; /* by next_key; not in the table */
	bool is_news;          /* a share may lack objects that nobody has said */
};

void room_init(struct room *room, size_t bytes_max);
void room_release(struct room *room);
/* Takes the caller's hold; no entry has the key. False: there is no room, and the caller keeps it. */
bool room_add(struct room *room, struct entry *entry);
/* The caller gets the table's hold. `place` as of table_take. */
struct entry *room_take(struct room *room, struct entry **place);
/* What was taken out for other namespaces, one at a time, with the table's hold; NULL: none is left. */
struct entry *room_take_evicted(struct room *room);
/* A namespace that lacks objects, said once, the caller's (free); NULL: none. */
char *room_newly_short(struct room *room);

#endif
