#include "runtime/pipeline/fire_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"

const struct aggregate_call **fire_calls(const struct jobspec *job, const struct query *query, size_t *ret_count)
{
	const struct aggregate_call **calls;
	size_t count = 0;

	for (size_t a = 0; a < job->aggregates_count; a++)
		count += query->aggregates[a]->calls_count;
	calls = xcalloc(count + 1, sizeof(const struct aggregate_call *));
	*ret_count = count;
	count = 0;
	for (size_t a = 0; a < job->aggregates_count; a++)
		for (size_t c = 0; c < query->aggregates[a]->calls_count; c++)
			calls[count++] = &query->aggregates[a]->calls[c];
	return calls;
}

/* A column for each call; where the call is an aggregate of several fields, one for each; a table aggregate has none.
 */
static void place_columns(struct fire *fire)
{
	size_t c = 0;

	for (size_t a = 0; a < fire->job->aggregates_count; a++) {
		const struct aggregate_expr *expr = fire->query->aggregates[a];

		for (size_t i = 0; i < expr->calls_count; i++, c++) {
			size_t count = expr->table ? 0 : expr->columns_count ? expr->columns_count : 1;

			fire->first[c] = fire->schema.count;
			for (size_t k = 0; k < count; k++)
				fire->columns[fire->schema.count++] = (struct schema_column){
				        fire->calls[c]->text,
				        expr->columns_count ? expr->column_types[k] : fire->calls[c]->result_type};
		}
	}
}

struct fire *fire_new(const struct jobspec *job, struct query *query, struct calls *functions, struct status *status)
{
	struct fire *fire = xcalloc(1, sizeof(*fire));
	size_t keys = query->keys_count;

	fire->job = job;
	fire->query = query;
	fire->status = status;
	fire->calls = fire_calls(job, query, &fire->calls_count);
	fire->aggregates = xcalloc(fire->calls_count + 1, sizeof(const struct aggregate *));
	fire->key_types = xcalloc(keys + 1, sizeof(enum type));
	fire->columns = xcalloc(keys + fire->calls_count + query->result.count + 1, sizeof(struct schema_column));
	fire->first = xcalloc(fire->calls_count + 1, sizeof(size_t));
	fire->slots = xcalloc(fire->calls_count + 1, sizeof(struct user_slots));
	fire->functions = functions;
	fire->scratch = xcalloc(keys + fire->calls_count + 1, sizeof(struct column));
	for (size_t k = 0; k < keys; k++) {
		fire->columns[k] = query->row.columns[query->key_columns[k]];
		fire->key_types[k] = fire->columns[k].type;
	}
	for (size_t c = 0; c < fire->calls_count; c++) {
		fire->aggregates[c] = aggregate_find(fire->calls[c]->kind, fire->calls[c]->argument_type);
		fire->slots[c] = user_slots_of(fire->calls, fire->calls_count, c);
	}
	fire->schema = (struct schema){fire->columns, keys};
	place_columns(fire);
	batch_init(&fire->groups, &fire->schema, NULL, BATCH_ROWS_MAX);
	if (job->window.on_empty == EMPTY_ZERO)
		fire->known = known_groups_new((size_t)job->limits.known_groups, (uint64_t)job->window.forget_after,
		                               (size_t)job->limits.state_bytes);
	return fire;
}

void fire_free(struct fire *fire)
{
	if (!fire)
		return;
	known_groups_free(fire->known);
	batch_release(&fire->groups);
	batch_release(&fire->emitted);
	free(fire->parents);
	free(fire->scratch);
	free(fire->columns);
	free(fire->first);
	free(fire->slots);
	free(fire->key_types);
	free(fire->aggregates);
	free(fire->calls);
	free(fire);
}

static int limit_reached(const struct fire *fire, struct error *err)
{
	return error_set(err,
	                 "the lanes' groups together pass spec.limits (groups: %" PRId64 ", stateBytes: %" PRId64
	                 "); raise them or group by fewer values",
	                 fire->job->limits.groups, fire->job->limits.state_bytes);
}

/* What went wrong is said by the functions. */
static int interrupted(const struct fire *fire, struct error *err)
{
	*err = fire->functions->error;
	return FIRE_INTERRUPTED;
}

/* Adds `other`'s groups to `table`; those beyond the limit of groups are left out by onLimit, or fail the window. */
static int add_groups(struct fire *fire, struct keyed_table *table, const struct keyed_table *other,
                      size_t *ret_refused, struct error *err)
{
	int result = keyed_table_combine(table, other, ret_refused, err);

	if (!result && *ret_refused && (fire->job->limits.on_limit == LIMIT_FAIL || keyed_table_starved(table)))
		result = AGGREGATE_OUT_OF_BUDGET;
	return result == AGGREGATE_OUT_OF_BUDGET ? limit_reached(fire, err) : result;
}

/* The lanes' partials become one. */
static int combine_partials(struct fire *fire, struct partial **partials, size_t count, struct error *err)
{
	struct keyed_table *table = partials[0]->table;

	for (size_t i = 1; i < count; i++) {
		size_t refused;

		if (add_groups(fire, table, partials[i]->table, &refused, err) < 0)
			return -1;
		if (fire->functions && fire_merge(fire, partials[0], partials[i]) < 0)
			return interrupted(fire, err);
		if (!refused)
			continue;
		atomic_fetch_add_explicit(&fire->status->lanes[0].dropped, refused, memory_order_relaxed);
		losses_note(&fire->status->losses, LOSS_DROPPED,
		            &(struct loss_note){.count = refused, .reason = "groups beyond spec.limits"});
	}
	return 0;
}

static int add_known(struct fire *fire, int64_t start_ms, struct keyed_table *table, struct error *err)
{
	size_t forgotten;
	uint64_t unsaid;

	if (known_groups_exchange(fire->known, start_ms, table, &forgotten) < 0)
		return error_set(
		        err,
		        "the groups that onEmpty: zero knows pass spec.limits.stateBytes (%" PRId64
		        "); raise it, lower limits.knownGroups or window.tumbling.forgetAfter, or group by fewer "
		        "values",
		        fire->job->limits.state_bytes);
	unsaid = forgotten ? repeat_due(&fire->forgotten, forgotten, clock_monotonic_ms(fire->status->clock)) : 0;
	if (unsaid)
		log_warn("known groups forgotten", "groups=%" PRIu64 " known_groups=%" PRId64, unsaid,
		         fire->job->limits.known_groups);
	return 0;
}

/* A chunk of groups as columns: keys, then what every call finalizes to. */
static int fill_groups(struct fire *fire, const struct partial *partial, void **groups, size_t n)
{
	size_t keys = fire->query->keys_count;
	struct value *values = xcalloc(keys + 1, sizeof(*values));
	struct error err;

	batch_clear(&fire->groups);
	fire->groups.rows = n;
	for (size_t i = 0; i < n; i++) {
		row_key_decode(keyed_table_key(groups[i]), fire->key_types, keys, &fire->groups.arena, values);
		for (size_t k = 0; k < keys; k++)
			column_set(&fire->groups.columns[k], i, values[k]);
		for (size_t c = 0; c < fire->calls_count; c++) {
			struct value value = {.type = fire->calls[c]->result_type, .null = true};

			if (fire->calls[c]->user)
				continue;
			if (fire->aggregates[c]->finalize(keyed_table_state(partial->table, groups[i], c),
			                                  fire->calls[c]->parameter, &value, &err) < 0)
				fire_result_error(fire, fire->calls[c]->text, err.text);
			column_set(&fire->groups.columns[fire->first[c]], i, value);
		}
	}
	free(values);
	return fire->functions ? fire_values(fire, partial, groups, n) : 0;
}

void fire_append(struct column *to, size_t at, const struct column *from, const uint32_t *rows, size_t n,
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
		for (size_t i = 0; i < fire->failures.count; i++)
			fire_result_error(fire, fire->job->aggregates[a].name, fire->failures.reasons[i]);
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
	for (size_t i = 0; i < fire->failures.count; i++)
		fire_result_error(fire, "having", fire->failures.reasons[i]);
	if (result->rows.rows + kept > fire->capacity) {
		fire->capacity = fire->capacity * 2 + kept;
		batch_grow(&result->rows, result->rows.rows, fire->capacity);
	}
	for (size_t i = 0; i < outputs->columns_count; i++)
		fire_append(&result->rows.columns[i], result->rows.rows, &outputs->columns[i], fire->rows, kept,
		            &result->rows.arena);
	result->rows.rows += kept;
}

/* The groups' columns repeated for each of their rows [from, from + n) of the table aggregate. */
static void join_rows(struct fire *fire, const struct aggregate_expr *expr, size_t first, const struct column *outputs,
                      const struct udf_rows *rows, size_t from, size_t n, struct window_result *result)
{
	struct batch joined;

	batch_init(&joined, &fire->query->result, NULL, n);
	joined.rows = n;
	for (size_t c = 0; c < joined.columns_count; c++) {
		bool own = c >= first && c < first + expr->columns_count;

		for (size_t i = 0; i < n; i++)
			column_set(&joined.columns[c], i,
			           own ? column_value(&rows->columns[c - first], from + i)
			               : column_value(&outputs[c], rows->parents[from + i]));
	}
	having(fire, &joined, n, result);
	batch_release(&joined);
}

static int emit_table(struct fire *fire, const struct partial *partial, void **groups, size_t n, size_t a,
                      const struct column *outputs, struct window_result *result)
{
	struct udf_rows rows = {0};

	if (fire_emit(fire, partial, groups, n, &rows) < 0)
		return -1;
	for (size_t from = 0; from < rows.count; from += BATCH_ROWS_MAX)
		join_rows(fire, fire->query->aggregates[a], fire->query->aggregate_columns[a], outputs, &rows, from,
		          rows.count - from < BATCH_ROWS_MAX ? rows.count - from : BATCH_ROWS_MAX, result);
	return 0;
}

/* The output programs over one chunk, HAVING, and what is left goes to the result. */
static int emit_chunk(struct fire *fire, const struct partial *partial, void **groups, size_t n,
                      struct window_result *result)
{
	const struct query *query = fire->query;
	struct batch outputs = {.rows = n, .columns_count = query->result.count};
	size_t table = 0;
	int outcome = 0;

	outputs.columns = xcalloc(query->result.count + 1, sizeof(struct column));
	for (size_t i = 0; i < n; i++)
		fire->rows[i] = (uint32_t)i;
	run_outputs(fire, n, outputs.columns);
	while (table < query->aggregates_count && !query->aggregates[table]->table)
		table++;
	if (table < query->aggregates_count)
		outcome = emit_table(fire, partial, groups, n, table, outputs.columns, result);
	else
		having(fire, &outputs, n, result);
	free(outputs.columns);
	return outcome;
}

static int emit(struct fire *fire, const struct partial *partial, void **groups, size_t groups_count,
                struct window_result *result, struct error *err)
{
	for (size_t from = 0; from < groups_count; from += BATCH_ROWS_MAX) {
		size_t n = groups_count - from < BATCH_ROWS_MAX ? groups_count - from : BATCH_ROWS_MAX;

		if (fill_groups(fire, partial, groups + from, n) < 0 ||
		    emit_chunk(fire, partial, groups + from, n, result) < 0 ||
		    (fire->functions && fire->functions->failed))
			return interrupted(fire, err);
	}
	return 0;
}

int fire_window(struct fire *fire, struct partial **partials, size_t count, struct window_result *result,
                struct error *err)
{
	struct keyed_table *table = partials[0]->table;
	size_t groups_count;
	void **groups;
	int outcome = combine_partials(fire, partials, count, err);

	if (outcome < 0)
		return outcome;
	if (fire->known && add_known(fire, result->start_ms, table, err) < 0)
		return -1;
	groups_count = keyed_table_groups(table);
	groups = keyed_table_sorted(table);
	result->schema = &fire->query->result;
	result->keys_count = fire->query->keys_count;
	fire->capacity = groups_count ? groups_count : 1;
	batch_init(&result->rows, result->schema, NULL, fire->capacity);
	outcome = emit(fire, partials[0], groups, groups_count, result, err);
	free(groups);
	if (outcome < 0)
		batch_release(&result->rows);
	else
		result->delete_group = fire->job->window.on_empty == EMPTY_DELETE && result->rows.rows == 0;
	return outcome;
}

int fire_done(struct fire *fire, struct partial **partials, size_t count, struct error *err)
{
	for (size_t i = 0; i < count && fire->functions; i++)
		if (fire_forget(fire, partials[i]) < 0)
			return interrupted(fire, err);
	return 0;
}

void fire_result_release(struct window_result *result)
{
	batch_release(&result->rows);
}
