/*
 * The contract of aggregates (runtime/aggregate/aggregate.h) for the user's functions: one call of the worker for each
 * call of the contract. The lane's thread updates; the fire thread combines, which saves the accumulators of one lane's
 * worker and merges them into those of another's, and has the values.
 */
#include "runtime/pipeline/user_aggregate.h"

#include <stdio.h>
#include <stdlib.h>

struct user_state {
	uint32_t group;
	uint16_t table;   /* of the hand-over: that of the lane, times PARTIALS_PER_LANE */
	uint16_t touched; /* 1: there is an accumulator */
};

static const struct user_context *context_of(const struct aggregate_run *run)
{
	return run->context;
}

static const struct worker_ops *ops_of(const struct user_context *user)
{
	return user->calls->functions->ops;
}

static unsigned lane_of(const struct user_state *state)
{
	return state->table / PARTIALS_PER_LANE;
}

static unsigned table_of(const struct user_state *state)
{
	return state->table % PARTIALS_PER_LANE;
}

static uint32_t slot_of(const struct user_context *user, const struct user_state *state)
{
	return state->group * user->stride + user->index;
}

static struct udf_worker *worker_of(const struct user_context *user, const struct user_state *state)
{
	return functions_worker(user->calls->functions, user->function, lane_of(state));
}

static void lock(const struct user_context *user, const struct user_state *state)
{
	functions_lock(user->calls->functions, user->function, lane_of(state));
}

static void unlock(const struct user_context *user, const struct user_state *state)
{
	functions_unlock(user->calls->functions, user->function, lane_of(state));
}

static void user_init(void *state, struct state_place place)
{
	*(struct user_state *)state = (struct user_state){.group = place.group, .table = (uint16_t)place.table};
}

static int interrupted(const struct user_context *user, struct error *err)
{
	*err = user->calls->error;
	return AGGREGATE_INTERRUPTED;
}

/* The call as a whole failed, on the fire thread. */
static int failed(const struct user_context *user, const struct user_state *state, const struct udf_failure *failure,
                  struct error *err)
{
	calls_failed(user->calls, user->function, lane_of(state), failure);
	return interrupted(user, err);
}

/* An exception that no row explains. */
static int raised(const struct user_context *user, const char *method, struct error *err)
{
	struct calls *calls = user->calls;

	calls->failed = true;
	functions_raised(calls->functions, user->function, method, calls->failures->reasons[0], &calls->error);
	return interrupted(user, err);
}

/* Rows on which the function raised, by its policy: left out of it alone, or refused. */
static void take_raised(const struct aggregate_run *run, const struct user_context *user)
{
	struct calls *calls = user->calls;
	enum on_exception policy = calls->functions->items[user->function].spec->on_error;

	for (size_t i = 0; i < calls->failures->count; i++) {
		const char *reason = calls->failures->reasons[i];

		if (policy == EXCEPTION_NULL)
			functions_note(calls->functions, user->function, "accumulate", reason);
		else
			row_failures_add(run->failures, calls->failures->rows[i],
			                 arena_string(run->strings, slice_of(reason)), (uint32_t)user->function);
	}
}

static int slots_of(const struct aggregate_run *run, void *const *states, size_t n, uint32_t *ret_slots,
                    struct error *err)
{
	const struct user_context user = *context_of(run);
	uint32_t greatest = 0;

	for (size_t i = 0; i < n; i++) {
		ret_slots[i] = slot_of(&user, states[i]);
		greatest = ret_slots[i] > greatest ? ret_slots[i] : greatest;
	}
	if (greatest < UDF_SLOTS_MAX)
		return 0;
	return error_set(err,
	                 "the window has too many groups for %s: at most %u accumulators fit; group by fewer values",
	                 run->call->text, UDF_SLOTS_MAX);
}

static int user_update(const struct aggregate_run *run, void *const *states, const struct column *const *columns,
                       const uint32_t *rows, size_t n, size_t *ret_done, struct error *err)
{
	const struct user_context *user = context_of(run);
	const struct user_state *first = states[0];
	struct udf_arguments arguments = {columns, run->call->arguments_count, rows, n};
	uint32_t slots[BATCH_ROWS_MAX];
	struct udf_failure failure;
	int outcome;

	if (slots_of(run, states, n, slots, err) < 0)
		return AGGREGATE_FAILED;
	for (size_t i = 0; i < n; i++)
		((struct user_state *)states[i])->touched = 1;
	*ret_done = n;
	lock(user, first);
	user->calls->failures->count = 0;
	outcome = ops_of(user)->accumulate(worker_of(user, first), table_of(first), slots, &arguments,
	                                   user->calls->failures, &failure);
	if (!outcome)
		take_raised(run, user);
	unlock(user, first);
	if (!outcome)
		return 0;
	calls_rows_failed(user->calls, user->function, &arguments, &failure);
	return interrupted(user, err);
}

/* The accumulators of states[0..n), of one table. */
static int save_states(const struct user_context *user, void *const *states, const uint32_t *slots, size_t n,
                       struct buffer *out, struct error *err)
{
	const struct user_state *first = states[0];
	struct udf_failure failure;
	int outcome = 0;

	lock(user, first);
	user->calls->failures->count = 0;
	if (ops_of(user)->save(worker_of(user, first), table_of(first), slots, n, out, user->calls->failures,
	                       &failure) < 0)
		outcome = failed(user, first, &failure, err);
	else if (user->calls->failures->count)
		outcome = raised(user, "save", err);
	unlock(user, first);
	return outcome;
}

static int merge_states(const struct user_context *user, void *const *states, const uint32_t *slots, size_t n,
                        struct slice saved, struct error *err)
{
	const struct user_state *first = states[0];
	struct udf_failure failure;
	int outcome = 0;

	lock(user, first);
	user->calls->failures->count = 0;
	if (ops_of(user)->merge(worker_of(user, first), table_of(first), slots, n, saved, user->calls->failures,
	                        &failure) < 0)
		outcome = failed(user, first, &failure, err);
	else if (user->calls->failures->count)
		outcome = raised(user, "merge", err);
	unlock(user, first);
	for (size_t i = 0; i < n && !outcome; i++)
		((struct user_state *)states[i])->touched = 1;
	return outcome;
}

static int user_combine(const struct aggregate_run *run, void *const *states, void *const *others, size_t n,
                        struct error *err)
{
	void *into[BATCH_ROWS_MAX], *from[BATCH_ROWS_MAX];
	uint32_t into_slots[BATCH_ROWS_MAX], from_slots[BATCH_ROWS_MAX];
	struct buffer saved;
	size_t count = 0;
	int outcome;

	for (size_t i = 0; i < n; i++) {
		into[count] = states[i];
		from[count] = others[i];
		count += ((const struct user_state *)others[i])->touched;
	}
	if (!count)
		return 0;
	if (slots_of(run, into, count, into_slots, err) < 0 || slots_of(run, from, count, from_slots, err) < 0)
		return AGGREGATE_FAILED;
	buffer_init(&saved);
	outcome = save_states(context_of(run), from, from_slots, count, &saved, err);
	if (!outcome)
		outcome = merge_states(context_of(run), into, into_slots, count, buffer_slice(&saved), err);
	buffer_release(&saved);
	return outcome;
}

/* Values that could not be had: NULL, or the job goes back and tries again. */
static int drop_raised(const struct aggregate_run *run, const char *method, struct error *err)
{
	const struct user_context *user = context_of(run);
	struct calls *calls = user->calls;
	char hidden[FUNCTION_HIDDEN_MAX];

	if (!calls->failures->count)
		return 0;
	if (calls->functions->items[user->function].spec->on_error == EXCEPTION_FAIL)
		return raised(user, method, err);
	for (size_t i = 0; i < calls->failures->count; i++) {
		const char *reason = calls->failures->reasons[i];
		const char *shown = functions_shown(calls->functions, method, reason, hidden);

		functions_note(calls->functions, user->function, method, reason);
		row_failures_add(run->failures, calls->failures->rows[i], arena_string(run->strings, slice_of(shown)),
		                 ROW_FAILURE_OF_EXPRESSION);
	}
	return 0;
}

/* What the worker gives lives until its next call. */
static void keep_values(const struct aggregate_run *run, size_t n, struct column *results, size_t count)
{
	const struct row_failures *failures = context_of(run)->calls->failures;

	for (size_t r = 0; r < count; r++) {
		for (size_t i = 0; i < failures->count; i++)
			results[r].valid[failures->rows[i]] = 0;
		for (size_t i = 0; i < n && results[r].type == TYPE_STRING; i++)
			if (results[r].valid[i])
				results[r].strings[i] = arena_copy(run->strings, results[r].strings[i]);
	}
}

static int user_finalize(const struct aggregate_run *run, void *const *states, size_t n, struct column *results,
                         struct error *err)
{
	const struct user_context *user = context_of(run);
	const struct user_state *first = states[0];
	uint32_t slots[BATCH_ROWS_MAX];
	struct udf_failure failure;
	int outcome;

	if (slots_of(run, states, n, slots, err) < 0)
		return AGGREGATE_FAILED;
	lock(user, first);
	user->calls->failures->count = 0;
	if (ops_of(user)->values(worker_of(user, first), table_of(first), slots, n, results, user->calls->failures,
	                         &failure) < 0)
		outcome = failed(user, first, &failure, err);
	else
		outcome = drop_raised(run, "get_value", err);
	if (!outcome)
		keep_values(run, n, results, user->calls->functions->known[user->function].results.count);
	unlock(user, first);
	return outcome;
}

static void keep_rows(const struct user_context *user, const struct udf_rows *rows, struct aggregate_rows *ret_rows)
{
	const struct schema *results = &user->calls->functions->known[user->function].results;
	struct batch *batch = &ret_rows->batch;

	batch_init(batch, results, NULL, rows->count + 1);
	batch->rows = rows->count;
	ret_rows->parents = xcalloc(rows->count + 1, sizeof(uint32_t));
	for (size_t i = 0; i < rows->count; i++)
		ret_rows->parents[i] = rows->parents[i];
	for (size_t r = 0; r < results->count; r++) {
		for (size_t i = 0; i < rows->count; i++) {
			struct value value = column_value(&rows->columns[r], i);

			if (value.type == TYPE_STRING && !value.null)
				value.string = arena_copy(&batch->arena, value.string);
			column_set(&batch->columns[r], i, value);
		}
	}
}

static int user_emit(const struct aggregate_run *run, void *const *states, size_t n, struct aggregate_rows *ret_rows,
                     struct error *err)
{
	const struct user_context *user = context_of(run);
	const struct user_state *first = states[0];
	uint32_t slots[BATCH_ROWS_MAX];
	struct udf_failure failure;
	struct udf_rows rows;
	int outcome;

	if (slots_of(run, states, n, slots, err) < 0)
		return AGGREGATE_FAILED;
	lock(user, first);
	user->calls->failures->count = 0;
	if (ops_of(user)->emit(worker_of(user, first), table_of(first), slots, n, &rows, user->calls->failures,
	                       &failure) < 0)
		outcome = failed(user, first, &failure, err);
	else
		outcome = drop_raised(run, "emit_value", err);
	if (!outcome)
		keep_rows(user, &rows, ret_rows);
	unlock(user, first);
	return outcome;
}

static int user_save(const struct aggregate_run *run, const void *state, struct buffer *out, struct error *err)
{
	void *states[] = {(void *)(uintptr_t)state};
	uint32_t slot;

	return slots_of(run, states, 1, &slot, err) < 0 ? AGGREGATE_FAILED
	                                                : save_states(context_of(run), states, &slot, 1, out, err);
}

/* What the worker saved is one text to its end. */
static int user_load(const struct aggregate_run *run, void *state, struct slice *in, struct error *err)
{
	uint32_t slot;
	int outcome = slots_of(run, &state, 1, &slot, err) < 0
	                      ? AGGREGATE_FAILED
	                      : merge_states(context_of(run), &state, &slot, 1, *in, err);

	if (!outcome)
		*in = (struct slice){in->data + in->size, 0};
	return outcome;
}

/* Once for all calls of a function. */
static int user_forget(const struct aggregate_run *run, uint32_t table, struct error *err)
{
	const struct user_context *user = context_of(run);
	const struct user_state any = {.table = (uint16_t)table};
	struct udf_failure failure;

	if (user->index || ops_of(user)->clear(worker_of(user, &any), table_of(&any), &failure) >= 0)
		return 0;
	return failed(user, &any, &failure, err);
}

#define USER_AGGREGATE(name, member, of_groups)                                                                        \
	const struct aggregate name = {                                                                                \
	        .state_size = sizeof(struct user_state),                                                               \
	        .takes_null = true,                                                                                    \
	        .refuses = true,                                                                                       \
	        .init = user_init,                                                                                     \
	        .update = user_update,                                                                                 \
	        .combine = user_combine,                                                                               \
	        .member = (of_groups),                                                                                 \
	        .save = user_save,                                                                                     \
	        .load = user_load,                                                                                     \
	        .forget = user_forget,                                                                                 \
	};

USER_AGGREGATE(user_aggregate, finalize, user_finalize)
USER_AGGREGATE(user_table_aggregate, emit, user_emit)
