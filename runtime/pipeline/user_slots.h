/*
 * Where the accumulators of a user's aggregate are: group number n of a table has, for the k calls of one function in a
 * query, the slots n * k to n * k + k - 1 of that table in the function's worker.
 */
#ifndef STREAMJOB_USER_SLOTS_H
#define STREAMJOB_USER_SLOTS_H

#include "runtime/window/keyed_table.h"

struct user_slots {
	uint32_t stride, index;
};

/* Of call `c`; nothing where that is not AGGREGATE_USER. */
static inline struct user_slots user_slots_of(const struct aggregate_call *const *calls, size_t count, size_t c)
{
	struct user_slots slots = {0, 0};

	for (size_t i = 0; i < count && calls[c]->kind == AGGREGATE_USER; i++) {
		bool same = calls[i]->kind == AGGREGATE_USER && calls[i]->user->function == calls[c]->user->function;

		slots.stride += same;
		slots.index += same && i < c;
	}
	return slots;
}

static inline uint32_t user_slot(struct user_slots slots, const void *group)
{
	return keyed_table_number(group) * slots.stride + slots.index;
}

#endif
