/*
 * The groups that windows had before: with onEmpty: zero they are in the windows that have no rows of theirs, with the
 * aggregates of nothing. A group is forgotten after `windows_max` windows without it; of more than groups_max those
 * that were seen last stay, and of these the first by their keys. So the same windows have the same known groups.
 */
#ifndef STREAMJOB_KNOWN_GROUPS_H
#define STREAMJOB_KNOWN_GROUPS_H

#include "runtime/window/keyed_table.h"

struct known_groups;

struct known_groups *known_groups_new(size_t groups_max, uint64_t windows_max, size_t bytes_max);
void known_groups_free(struct known_groups *known);

/*
 * The groups of the next window become known, and the known ones come into it, whatever its groups_max. *ret_forgotten:
 * how many had to go because of groups_max. A window that begins where the one before did is the same again. 0 or
 * AGGREGATE_OUT_OF_BUDGET.
 */
int known_groups_exchange(struct known_groups *known, int64_t start_ms, struct keyed_table *window,
                          size_t *ret_forgotten);

#endif
