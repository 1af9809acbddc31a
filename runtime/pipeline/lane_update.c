/* Good rows into the open partial: keys, groups, and each aggregate's update, a column at a time. */
#include <inttypes.h>

#include "runtime/pipeline/lane_parts.h"

/* The part of an ascending selection with from <= row < to. */
static const uint32_t *between(const uint32_t *rows, size_t *n, uint32_t from, uint32_t to)
{
	size_t begin = 0, end = *n;

	if (from == 0 && (end == 0 || rows[end - 1] < to))
		return rows;
	while (begin < end && rows[begin] < from)
		begin++;
	while (end > begin && rows[end - 1] >= to)
		end--;
	*n = end - begin;
	return rows + begin;
}

static int groups_refused(struct lane *lane, size_t refused, struct error *err)
{
	const struct limits_spec *limits = &lane->setup->job->limits;

	if (limits->on_limit == LIMIT_DROP_NEW_GROUPS && !keyed_table_starved(lane->partial->table)) {
		lane_note_dropped(lane, refused);
		return 0;
	}
	return error_set(
	        err,
	        "the window has %zu groups in %zu bytes of state and needs more: spec.limits has groups: %" PRId64
	        ", stateBytes: %" PRId64 "; raise them, group by fewer values, or set onLimit: dropNewGroups",
	        keyed_table_groups(lane->partial->table), lane->partial->budget.used_bytes, limits->groups,
	        limits->state_bytes);
}

static int find_groups(struct lane *lane, const uint32_t *rows, size_t n, struct error *err)
{
	size_t refused;

	row_key_encode(lane->keys, lane->query->keys_count, rows, n, &lane->batch.arena, lane->key_bytes, lane->hashes);
	refused = keyed_table_lookup(lane->partial->table, lane->key_bytes, lane->hashes, n, lane->groups);
	for (size_t i = 0; i < n; i++)
		lane->group_of_row[rows[i]] = lane->groups[i];
	return refused ? groups_refused(lane, refused, err) : 0;
}

static int update_call(struct lane *lane, size_t c, uint32_t from, uint32_t to, struct error *err)
{
	struct lane_call *call = &lane->calls[c];
	const struct keyed_table *table = lane->partial->table;
	size_t n = call->rows_count, count = 0, done = 0, offset = 0;
	const uint32_t *rows = between(call->rows, &n, from, to);
	const uint8_t *valid = call->argument ? call->argument->valid : NULL;
	int result;

	for (size_t i = 0; i < n; i++) {
		char *group = lane->group_of_row[rows[i]];

		if (!group || (valid && !valid[rows[i]]))
			continue;
		if (!count) /* a state is at the same place in every group */
			offset = (size_t)((char *)keyed_table_state(table, group, c) - group);
		lane->present[count] = rows[i];
		lane->states[count++] = group + offset;
	}
	if (!count)
		return 0;
	result = call->aggregate->update(lane->states, call->argument, lane->present, count, &lane->partial->budget,
	                                 &done, err);
	if (result == AGGREGATE_OUT_OF_BUDGET)
		return error_set(err,
		                 "the state of %s has reached spec.limits.stateBytes (%" PRId64
		                 "): raise it, group by fewer values, or shorten the window",
		                 call->call->text, lane->setup->job->limits.state_bytes);
	return result;
}

/* Rows on which the user's function raised: left out of it alone, or, being bad, of what follows too. */
static int drop_raised(struct lane *lane, size_t function, struct error *err)
{
	const struct row_failures *failures = lane->functions.failures;
	enum on_exception policy = lane->setup->functions->items[function].spec->on_error;

	for (size_t i = 0; i < failures->count; i++) {
		if (policy == EXCEPTION_NULL) {
			functions_note(lane->setup->functions, function, "accumulate", failures->reasons[i]);
			continue;
		}
		if (lane_raised_row(lane, failures->rows[i], function, "accumulate", failures->reasons[i], err) < 0)
			return -1;
		lane->group_of_row[failures->rows[i]] = NULL;
	}
	return 0;
}

static int accumulate(struct lane *lane, size_t c, uint32_t from, uint32_t to, struct error *err)
{
	struct lane_call *call = &lane->calls[c];
	const struct keyed_table *table = lane->partial->table;
	const struct user_call *user = call->call->user;
	struct udf_arguments arguments = {call->arguments, user->arguments_count, lane->present, 0};
	size_t n = call->rows_count;
	const uint32_t *rows = between(call->rows, &n, from, to);
	struct udf_failure failure;
	int outcome, dropped;

	for (size_t i = 0; i < n; i++) {
		void *group = lane->group_of_row[rows[i]];

		if (!group)
			continue;
		if (user_slot(call->slots, group) >= UDF_SLOTS_MAX)
			return error_set(err,
			                 "the window has too many groups for %s: at most %u accumulators fit; group by "
			                 "fewer values",
			                 call->call->text, UDF_SLOTS_MAX);
		((struct user_state *)keyed_table_state(table, group, c))->touched = 1;
		lane->slots[arguments.n] = user_slot(call->slots, group);
		lane->present[arguments.n++] = rows[i];
	}
	if (!arguments.n)
		return 0;
	functions_lock(lane->setup->functions, user->function, lane->number);
	lane->functions.failures->count = 0;
	outcome = lane->setup->functions->ops->accumulate(calls_worker(&lane->functions, user->function),
	                                                  lane->partial->table_number, lane->slots, &arguments,
	                                                  lane->functions.failures, &failure);
	dropped = outcome < 0 ? 0 : drop_raised(lane, user->function, err);
	functions_unlock(lane->setup->functions, user->function, lane->number);
	if (outcome == 0)
		return dropped;
	calls_rows_failed(&lane->functions, user->function, &arguments, &failure);
	*err = lane->functions.error;
	return -1;
}

/* The user's functions first: a row that is bad for one of them touches nothing after it. */
int lane_update(struct lane *lane, const uint32_t *rows, size_t n, uint32_t from, uint32_t to, struct error *err)
{
	if (!n)
		return 0;
	if (find_groups(lane, rows, n, err) < 0)
		return -1;
	for (size_t c = 0; c < lane->calls_count && lane->setup->functions; c++)
		if (lane->calls[c].call->user && accumulate(lane, c, from, to, err) < 0)
			return -1;
	for (size_t c = 0; c < lane->calls_count; c++)
		if (!lane->calls[c].call->user && update_call(lane, c, from, to, err) < 0)
			return -1;
	return 0;
}

int lane_add(struct lane *lane, uint32_t from, uint32_t to, struct error *err)
{
	size_t n = lane->good;
	const uint32_t *rows = between(lane->rows, &n, from, to);

	return lane->query->lateral_count ? lane_lateral(lane, rows, n, err)
	                                  : lane_update(lane, rows, n, from, to, err);
}
