/*
 * The keyed table: the groups of one window in one lane, each a row key and the states of all aggregates side by side.
 *
 * Open addressing over 64-bit hashes with linear probing; keys and states live in chunks of the table's budget and
 * never move. Look-ups go by batches so that cache misses overlap (prefetch, then probe).
 */
#ifndef STREAMJOB_KEYED_TABLE_H
#define STREAMJOB_KEYED_TABLE_H

#include "lib/base/memory.h"
#include "lib/data/row_key.h"
#include "runtime/aggregate/aggregate.h"

struct keyed_table;

/*
 * `aggregations` live as long as the table; their contexts are of the thread that combines. All memory of the table and
 * its states is counted in `budget`. `number` tells its states where they are (aggregate.h).
 */
struct keyed_table *keyed_table_new(const struct aggregation *aggregations, size_t count, struct budget *budget,
                                    size_t groups_max, uint32_t number);
void keyed_table_free(struct keyed_table *table);
/* No groups; memory is kept for the next window where it was used well. */
void keyed_table_clear(struct keyed_table *table);
/*
 * At groups_max, from now on: the groups whose keys have the smallest hash_stable stay, whatever the order in which
 * they come, and not the first ones. Two tables, each with some of the rows, combine to the same groups.
 */
void keyed_table_keep_smallest(struct keyed_table *table);
/* Another groups_max; returns the one before. */
size_t keyed_table_limit(struct keyed_table *table, size_t groups_max);
size_t keyed_table_groups(const struct keyed_table *table);
/* Since it was cleared, a group was refused because of the budget. */
bool keyed_table_starved(const struct keyed_table *table);

/*
 * ret_groups[i]: the group of key i, made when new; NULL where it may not be: groups_max or the budget is reached.
 * Returns how many rows are lost: those, and the ones of groups that others took the place of; such a group is gone.
 */
size_t keyed_table_lookup(struct keyed_table *table, const struct slice *keys, const uint64_t *hashes, size_t n,
                          void **ret_groups);
uint32_t keyed_table_number(const struct keyed_table *table);
/* The state of call `call` in a group. */
void *keyed_table_state(const struct keyed_table *table, void *group, size_t call);
struct slice keyed_table_key(const void *group);
/* The group's number: from 0, in the order in which the table's groups were made; dense where none is displaced. */
uint32_t keyed_table_group_number(const void *group);
/* The group of this table that has the same key as a group of another; NULL: there is none. */
void *keyed_table_find(const struct keyed_table *table, const void *group);
/* The same, made when new; NULL where it may not be. */
void *keyed_table_make(struct keyed_table *table, const void *group);

/*
 * Adds every group of `other` to `table`. *ret_refused says how many rows are lost, as above; where rows are not
 * counted (the first groups are kept) a group is one. 0, or what an aggregate's combine returned.
 */
int keyed_table_combine(struct keyed_table *table, const struct keyed_table *other, size_t *ret_refused,
                        struct error *err);

/* All groups, in any order, and by ascending key bytes; the array is the caller's (free()). */
void **keyed_table_list(const struct keyed_table *table);
void **keyed_table_sorted(const struct keyed_table *table);

#endif
