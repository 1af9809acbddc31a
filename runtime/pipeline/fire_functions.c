/*
 * Firing the user's aggregates: their accumulators are in the workers. Those of other lanes are saved there and merged
 * into the first partial's; values and rows come from there too.
 */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/pipeline/fire_parts.h"

static struct udf_worker *worker_of(const struct fire *fire, size_t c, const struct partial *partial)
{
	return functions_worker(fire->functions->functions, fire->calls[c]->user->function, partial->lane);
}

/* An exception that no row explains. */
static int raised(struct fire *fire, size_t c, const char *method)
{
	struct calls *calls = fire->functions;

	calls->failed = true;
	return functions_raised(calls->functions, fire->calls[c]->user->function, method, calls->failures->reasons[0],
	                        &calls->error);
}

static int failed(struct fire *fire, size_t c, const struct partial *partial, const struct udf_failure *failure)
{
	return calls_failed(fire->functions, fire->calls[c]->user->function, partial->lane, failure);
}

/* Slots [0, n) of `from` into those of `into`. */
static int merge_slots(struct fire *fire, size_t c, const struct partial *into, const struct partial *from,
                       const uint32_t *from_slots, const uint32_t *into_slots, size_t n)
{
	const struct worker_ops *ops = fire->functions->functions->ops;
	struct row_failures *failures = fire->functions->failures;
	struct udf_failure failure;
	struct buffer saved;
	int outcome = 0;

	buffer_init(&saved);
	failures->count = 0;
	functions_lock(fire->functions->functions, fire->calls[c]->user->function, from->lane);
	if (ops->save(worker_of(fire, c, from), from->table_number, from_slots, n, &saved, failures, &failure) < 0)
		outcome = failed(fire, c, from, &failure);
	else if (failures->count)
		outcome = raised(fire, c, "save");
	functions_unlock(fire->functions->functions, fire->calls[c]->user->function, from->lane);
	functions_lock(fire->functions->functions, fire->calls[c]->user->function, into->lane);
	if (!outcome && ops->merge(worker_of(fire, c, into), into->table_number, into_slots, n, buffer_slice(&saved),
	                           failures, &failure) < 0)
		outcome = failed(fire, c, into, &failure);
	else if (!outcome && failures->count)
		outcome = raised(fire, c, "merge");
	functions_unlock(fire->functions->functions, fire->calls[c]->user->function, into->lane);
	buffer_release(&saved);
	return outcome;
}

static int merge_call(struct fire *fire, size_t c, const struct partial *into, const struct partial *from,
                      void *const *sorted)
{
	uint32_t from_slots[BATCH_ROWS_MAX], into_slots[BATCH_ROWS_MAX];
	size_t count = keyed_table_groups(from->table), n = 0;

	for (size_t g = 0; g < count; g++) {
		const struct user_state *state = keyed_table_state(from->table, sorted[g], c);

		void *group = state->touched ? keyed_table_find(into->table, sorted[g]) : NULL;

		if (group) {
			from_slots[n] = user_slot(fire->slots[c], sorted[g]);
			into_slots[n++] = user_slot(fire->slots[c], group);
		}
		if (n && (n == BATCH_ROWS_MAX || g + 1 == count)) {
			if (merge_slots(fire, c, into, from, from_slots, into_slots, n) < 0)
				return -1;
			n = 0;
		}
	}
	return 0;
}

int fire_merge(struct fire *fire, const struct partial *into, const struct partial *from)
{
	void **sorted = keyed_table_sorted(from->table);
	int outcome = 0;

	for (size_t c = 0; c < fire->calls_count && !outcome; c++)
		if (fire->calls[c]->user)
			outcome = merge_call(fire, c, into, from, sorted);
	free(sorted);
	return outcome;
}

static void slots_of(const struct fire *fire, size_t c, void **groups, size_t n, uint32_t *ret_slots)
{
	for (size_t i = 0; i < n; i++)
		ret_slots[i] = user_slot(fire->slots[c], groups[i]);
}

/* A value that could not be had: NULL, or the job goes back and tries again. */
static int drop_raised(struct fire *fire, size_t c, const char *method)
{
	struct calls *calls = fire->functions;
	size_t function = fire->calls[c]->user->function;
	char hidden[FUNCTION_HIDDEN_MAX];

	if (!calls->failures->count)
		return 0;
	if (calls->functions->items[function].spec->on_error == EXCEPTION_FAIL)
		return raised(fire, c, method);
	for (size_t i = 0; i < calls->failures->count; i++) {
		functions_note(calls->functions, function, method, calls->failures->reasons[i]);
		fire_result_error(fire, fire->calls[c]->text,
		                  functions_shown(calls->functions, method, calls->failures->reasons[i], hidden));
	}
	return 0;
}

static int value_of_call(struct fire *fire, size_t c, const struct partial *partial, void **groups, size_t n)
{
	struct calls *calls = fire->functions;
	const struct schema *results = &calls->functions->known[fire->calls[c]->user->function].results;
	struct column *columns = fire->groups.columns + fire->first[c];
	uint32_t slots[BATCH_ROWS_MAX];
	struct udf_failure failure;

	slots_of(fire, c, groups, n, slots);
	calls->failures->count = 0;
	if (calls->functions->ops->values(worker_of(fire, c, partial), partial->table_number, slots, n, columns,
	                                  calls->failures, &failure) < 0)
		return failed(fire, c, partial, &failure);
	if (drop_raised(fire, c, "get_value") < 0)
		return -1;
	for (size_t r = 0; r < results->count; r++) {
		for (size_t i = 0; i < calls->failures->count; i++)
			columns[r].valid[calls->failures->rows[i]] = 0;
		for (size_t i = 0; i < n && columns[r].type == TYPE_STRING; i++)
			if (columns[r].valid[i])
				columns[r].strings[i] = arena_copy(&fire->groups.arena, columns[r].strings[i]);
	}
	return 0;
}

static bool is_table(const struct fire *fire, size_t c)
{
	const struct functions *functions = fire->functions->functions;

	return functions->items[fire->calls[c]->user->function].spec->kind == FUNCTION_TABLE_AGGREGATE;
}

static void lock(const struct fire *fire, size_t c, const struct partial *partial)
{
	functions_lock(fire->functions->functions, fire->calls[c]->user->function, partial->lane);
}

static void unlock(const struct fire *fire, size_t c, const struct partial *partial)
{
	functions_unlock(fire->functions->functions, fire->calls[c]->user->function, partial->lane);
}

int fire_values(struct fire *fire, const struct partial *partial, void **groups, size_t n)
{
	int outcome = 0;

	for (size_t c = 0; c < fire->calls_count && !outcome; c++) {
		if (!fire->calls[c]->user || is_table(fire, c))
			continue;
		lock(fire, c, partial);
		outcome = value_of_call(fire, c, partial, groups, n);
		unlock(fire, c, partial);
	}
	return outcome;
}

/* The worker's rows, copied into the fire thread's own. */
static void keep_rows(struct fire *fire, size_t c, const struct udf_rows *rows, struct udf_rows *ret_rows)
{
	struct functions *functions = fire->functions->functions;
	const struct schema *results = &functions->known[fire->calls[c]->user->function].results;

	batch_release(&fire->emitted);
	batch_init(&fire->emitted, results, NULL, rows->count + 1);
	fire->parents = xrealloc(fire->parents, (rows->count + 1) * sizeof(uint32_t));
	for (size_t i = 0; i < rows->count; i++)
		fire->parents[i] = rows->parents[i];
	for (size_t r = 0; r < results->count; r++) {
		for (size_t i = 0; i < rows->count; i++) {
			struct value value = column_value(&rows->columns[r], i);

			if (value.type == TYPE_STRING && !value.null)
				value.string = arena_copy(&fire->emitted.arena, value.string);
			column_set(&fire->emitted.columns[r], i, value);
		}
	}
	*ret_rows = (struct udf_rows){rows->count, fire->emitted.columns, fire->parents};
}

int fire_emit(struct fire *fire, const struct partial *partial, void **groups, size_t n, struct udf_rows *ret_rows)
{
	struct calls *calls = fire->functions;
	uint32_t slots[BATCH_ROWS_MAX];
	struct udf_failure failure;
	struct udf_rows rows;
	size_t c = 0;
	int outcome;

	while (!fire->calls[c]->user || !is_table(fire, c))
		c++;
	slots_of(fire, c, groups, n, slots);
	lock(fire, c, partial);
	calls->failures->count = 0;
	if (calls->functions->ops->emit(worker_of(fire, c, partial), partial->table_number, slots, n, &rows,
	                                calls->failures, &failure) < 0)
		outcome = failed(fire, c, partial, &failure);
	else
		outcome = drop_raised(fire, c, "emit_value");
	if (!outcome)
		keep_rows(fire, c, &rows, ret_rows);
	unlock(fire, c, partial);
	return outcome;
}

int fire_forget(struct fire *fire, const struct partial *partial)
{
	struct functions *functions = fire->functions->functions;
	struct udf_failure failure;

	for (size_t c = 0; c < fire->calls_count; c++)
		if (fire->calls[c]->user && !fire->slots[c].index &&
		    functions->ops->clear(worker_of(fire, c, partial), partial->table_number, &failure) < 0)
			return failed(fire, c, partial, &failure);
	return 0;
}
