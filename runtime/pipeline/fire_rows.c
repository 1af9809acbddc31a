/* From groups to rows of the result, a chunk at a time: values of the aggregates, output programs, HAVING. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/pipeline/fire_parts.h"

/* What went wrong is said by the functions. */
static int interrupted(const struct fire *fire, struct error *err)
{
	*err = fire->functions->error;
	return FIRE_INTERRUPTED;
}

/* A value of the result became NULL. */
static void result_error(struct fire *fire, const char *what, const char *why)
{
	char reason[LOSS_REASON_MAX];
	const struct loss_note note = {.count = 1, .reason = reason};
	struct error err;

	atomic_fetch_add(&fire->status->result_errors, 1);
	error_set(&err, "a result of %s became NULL: %s", what, why);
	status_error(fire->status, &err);
	snprintf(reason, sizeof(reason), "%.64s: %s", what, why);
	losses_note(&fire->status->losses, LOSS_RESULT, &note);
}

static void result_errors(struct fire *fire, const char *what)
{
	for (size_t i = 0; i < fire->failures.count; i++)
		result_error(fire, what, fire->failures.reasons[i]);
}

/* The states of call `c` in a chunk of groups, and what its functions are lent. */
static struct aggregate_run run_of(struct fire *fire, size_t c, const struct partial *partial, void **groups, size_t n)
{
	const struct aggregation *aggregation = &fire->aggregations.items[c];

	for (size_t i = 0; i < n; i++)
		fire->states[i] = keyed_table_state(partial->table, groups[i], c);
	fire->failures.count = 0;
	return (struct aggregate_run){.call = aggregation->call,
	                              .failures = &fire->failures,
	                              .strings = &fire->groups.arena,
	                              .context = aggregation->context};
}

static int fill_call(struct fire *fire, size_t c, const struct partial *partial, void **groups, size_t n,
                     struct error *err)
{
	const struct aggregation *aggregation = &fire->aggregations.items[c];
	struct aggregate_run run;
	int outcome;

	if (!aggregation->aggregate->finalize)
		return 0; /* it yields rows */
	run = run_of(fire, c, partial, groups, n);
	outcome = aggregation->aggregate->finalize(&run, fire->states, n, fire->groups.columns + fire->first[c], err);
	result_errors(fire, aggregation->call->text);
	return outcome == AGGREGATE_INTERRUPTED ? FIRE_INTERRUPTED : outcome;
}

/* A chunk of groups as columns: keys, then what every call finalizes to. */
static int fill_groups(struct fire *fire, const struct partial *partial, void **groups, size_t n, struct error *err)
{
	size_t keys = fire->query->keys_count;
	struct value *values = xcalloc(keys + 1, sizeof(*values));
	int outcome = 0;

	batch_clear(&fire->groups);
	fire->groups.rows = n;
	for (size_t i = 0; i < n; i++) {
		row_key_decode(keyed_table_key(groups[i]), fire->key_types, keys, &fire->groups.arena, values);
		for (size_t k = 0; k < keys; k++)
			column_set(&fire->groups.columns[k], i, values[k]);
	}
	free(values);
	for (size_t c = 0; c < fire->aggregations.count && !outcome; c++)
		outcome = fill_call(fire, c, partial, groups, n, err);
	return outcome;
}

/* Appends rows of `from` to `to`, from its row `at` on; strings are copied into the arena. */
static void append(struct column *to, size_t at, const struct column *from, const uint32_t *rows, size_t n,
                   struct arena *arena)
{
	for (size_t i = 0; i < n; i++) {
		struct value value = column_value(from, rows[i]);

		if (value.type == TYPE_STRING && !value.null)
			value.string = arena_copy(arena, value.string);
		column_set(to, at + i, value);
	}
}

/* The columns of the result for a chunk of groups; those of the table aggregate stay empty. */
static void run_outputs(struct fire *fire, size_t n, struct column *outputs)
{
	const struct query *query = fire->query;
	size_t keys = query->keys_count, call = 0;
	struct batch input = {.rows = n, .columns = fire->scratch};

	memcpy(outputs, fire->groups.columns, keys * sizeof(struct column));
	for (size_t a = 0; a < query->aggregates_count; a++) {
		const struct aggregate_expr *expr = query->aggregates[a];
		struct column *output = outputs + query->aggregate_columns[a];
		const struct column *first = fire->groups.columns + fire->first[call];

		call += expr->calls_count;
		if (expr->columns_count && !expr->table)
			memcpy(output, first, expr->columns_count * sizeof(struct column));
		if (!expr->output)
			continue;
		memcpy(input.columns, fire->groups.columns, keys * sizeof(struct column));
		memcpy(input.columns + keys, first, expr->calls_count * sizeof(struct column));
		input.columns_count = keys + expr->calls_count;
		fire->failures.count = 0;
		*output = *program_run(expr->output, &input, fire->rows, n, &fire->failures);
		result_errors(fire, fire->job->aggregates[a].name);
	}
}

/* HAVING over rows[0..n) of `outputs`, and what is left goes to the result. */
static void having(struct fire *fire, struct batch *outputs, size_t n, struct window_result *result)
{
	size_t kept = n;

	for (size_t i = 0; i < n; i++)
		fire->rows[i] = (uint32_t)i;
	fire->failures.count = 0;
	if (fire->query->having)
		kept = program_filter(fire->query->having, outputs, fire->rows, n, fire->rows, &fire->failures);
	result_errors(fire, "having");
	if (result->rows.rows + kept > fire->capacity) {
		fire->capacity = fire->capacity * 2 + kept;
		batch_grow(&result->rows, result->rows.rows, fire->capacity);
	}
	for (size_t i = 0; i < outputs->columns_count; i++)
		append(&result->rows.columns[i], result->rows.rows, &outputs->columns[i], fire->rows, kept,
		       &result->rows.arena);
	result->rows.rows += kept;
}

/* The groups' columns repeated for each of their rows [from, from + n) of the table aggregate. */
static void join_rows(struct fire *fire, const struct aggregate_expr *expr, size_t first, const struct column *outputs,
                      const struct aggregate_rows *rows, size_t from, size_t n, struct window_result *result)
{
	struct batch joined;

	batch_init(&joined, &fire->query->result, NULL, n);
	joined.rows = n;
	for (size_t c = 0; c < joined.columns_count; c++) {
		bool own = c >= first && c < first + expr->columns_count;

		for (size_t i = 0; i < n; i++)
			column_set(&joined.columns[c], i,
			           own ? column_value(&rows->batch.columns[c - first], from + i)
			               : column_value(&outputs[c], rows->parents[from + i]));
	}
	having(fire, &joined, n, result);
	batch_release(&joined);
}

/* Aggregate `a` of the query is one call, number `c`, which yields rows. */
static int emit_table(struct fire *fire, const struct partial *partial, void **groups, size_t n, size_t a, size_t c,
                      const struct column *outputs, struct window_result *result, struct error *err)
{
	const struct aggregation *aggregation = &fire->aggregations.items[c];
	struct aggregate_run run = run_of(fire, c, partial, groups, n);
	struct aggregate_rows rows;
	int outcome = aggregation->aggregate->emit(&run, fire->states, n, &rows, err);

	result_errors(fire, aggregation->call->text);
	if (outcome < 0)
		return outcome == AGGREGATE_INTERRUPTED ? FIRE_INTERRUPTED : outcome;
	for (size_t from = 0; from < rows.batch.rows; from += BATCH_ROWS_MAX)
		join_rows(fire, fire->query->aggregates[a], fire->query->aggregate_columns[a], outputs, &rows, from,
		          rows.batch.rows - from < BATCH_ROWS_MAX ? rows.batch.rows - from : BATCH_ROWS_MAX, result);
	aggregate_rows_release(&rows);
	return 0;
}

/* The output programs over one chunk, HAVING, and what is left goes to the result. */
static int emit_chunk(struct fire *fire, const struct partial *partial, void **groups, size_t n,
                      struct window_result *result, struct error *err)
{
	const struct query *query = fire->query;
	struct batch outputs = {.rows = n, .columns_count = query->result.count};
	size_t table = 0, call = 0;
	int outcome = 0;

	outputs.columns = xcalloc(query->result.count + 1, sizeof(struct column));
	for (size_t i = 0; i < n; i++)
		fire->rows[i] = (uint32_t)i;
	run_outputs(fire, n, outputs.columns);
	while (table < query->aggregates_count && !query->aggregates[table]->table)
		call += query->aggregates[table++]->calls_count;
	if (table < query->aggregates_count)
		outcome = emit_table(fire, partial, groups, n, table, call, outputs.columns, result, err);
	else
		having(fire, &outputs, n, result);
	free(outputs.columns);
	return outcome;
}

int fire_rows(struct fire *fire, const struct partial *partial, void **groups, size_t groups_count,
              struct window_result *result, struct error *err)
{
	for (size_t from = 0; from < groups_count; from += BATCH_ROWS_MAX) {
		size_t n = groups_count - from < BATCH_ROWS_MAX ? groups_count - from : BATCH_ROWS_MAX;

		int outcome = fill_groups(fire, partial, groups + from, n, err);

		if (!outcome)
			outcome = emit_chunk(fire, partial, groups + from, n, result, err);
		if (fire->functions && fire->functions->failed)
			return interrupted(fire, err);
		if (outcome < 0)
			return outcome;
	}
	return 0;
}
