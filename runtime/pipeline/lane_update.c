/* Good rows into the open partial: keys, groups, and each aggregate's update, a column at a time. */
#include <inttypes.h>

#include "runtime/pipeline/lane_parts.h"

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

/* Which rows have all arguments of the call, or NULL: it takes all. */
static const uint8_t *complete_rows(struct lane *lane, const struct lane_call *call, const uint32_t *rows, size_t n)
{
	size_t count = call->of.call->arguments_count;

	if (call->of.aggregate->takes_null || !count)
		return NULL;
	if (count == 1)
		return call->arguments[0]->valid;
	for (size_t i = 0; i < n; i++) {
		lane->complete_arguments[rows[i]] = 1;
		for (size_t a = 0; a < count; a++)
			lane->complete_arguments[rows[i]] &= call->arguments[a]->valid[rows[i]];
	}
	return lane->complete_arguments;
}

/* The states of call `c` that the rows go to. Returns how many rows are left. */
static size_t find_states(struct lane *lane, size_t c, uint32_t from, uint32_t to)
{
	const struct lane_call *call = &lane->calls[c];
	size_t n = call->rows_count, count = 0, offset = 0;
	const uint32_t *rows = between(call->rows, &n, from, to);
	const uint8_t *valid = complete_rows(lane, call, rows, n);

	for (size_t i = 0; i < n; i++) {
		char *group = lane->group_of_row[rows[i]];

		if (!group || (valid && !valid[rows[i]]))
			continue;
		if (!count) /* a state is at the same place in every group */
			offset = (size_t)((char *)keyed_table_state(lane->partial->table, group, c) - group);
		lane->present[count] = rows[i];
		lane->states[count++] = group + offset;
	}
	return count;
}

/* Rows that an aggregate refused are bad, and those after it do not see them. */
static int drop_refused(struct lane *lane, struct error *err)
{
	for (size_t i = 0; i < lane->failures.count; i++) {
		if (lane_failed_row(lane, i, err) < 0)
			return -1;
		lane->group_of_row[lane->failures.rows[i]] = NULL;
	}
	return 0;
}

static int update_call(struct lane *lane, size_t c, uint32_t from, uint32_t to, struct error *err)
{
	const struct lane_call *call = &lane->calls[c];
	const struct aggregate_run run = {.call = call->of.call,
	                                  .budget = &lane->partial->budget,
	                                  .failures = &lane->failures,
	                                  .strings = &lane->batch.arena,
	                                  .context = call->of.context};
	size_t count = find_states(lane, c, from, to), done = 0;
	int result;

	if (!count)
		return 0;
	lane->failures.count = 0;
	result = call->of.aggregate->update(&run, lane->states, call->arguments, lane->present, count, &done, err);
	if (result == AGGREGATE_OUT_OF_BUDGET)
		return error_set(err,
		                 "the state of %s has reached spec.limits.stateBytes (%" PRId64
		                 "): raise it, group by fewer values, or shorten the window",
		                 call->of.call->text, lane->setup->job->limits.state_bytes);
	return result < 0 ? -1 : drop_refused(lane, err);
}

/* Those that may refuse rows first: a row that is bad for one of them touches nothing after it. */
int lane_update(struct lane *lane, const uint32_t *rows, size_t n, uint32_t from, uint32_t to, struct error *err)
{
	if (!n)
		return 0;
	if (find_groups(lane, rows, n, err) < 0)
		return -1;
	for (int refuses = 1; refuses >= 0; refuses--)
		for (size_t c = 0; c < lane->calls_count; c++)
			if (lane->calls[c].of.aggregate->refuses == refuses && update_call(lane, c, from, to, err) < 0)
				return -1;
	return 0;
}
