#include "runtime/pipeline/fire.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/log.h"

struct fire {
	const struct jobspec *job;
	struct query *query;
	struct status *status;
	const struct aggregate_call **calls;
	const struct aggregate **aggregates; /* of each call */
	size_t calls_count;
	enum type *key_types;
	struct schema_column *columns; /* of `schema`: keys, then every call's result */
	struct schema schema;
	struct batch groups;    /* a chunk of groups in that schema */
	struct column *scratch; /* the input of one output program: keys, then its own calls */
	struct budget known_budget;
	struct keyed_table *known; /* onEmpty: zero: every key so far, with aggregates of nothing */
	struct row_failures failures;
	uint32_t rows[BATCH_ROWS_MAX];
};

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

struct fire *fire_new(const struct jobspec *job, struct query *query, struct status *status)
{
	struct fire *fire = xcalloc(1, sizeof(*fire));
	size_t keys = query->keys_count;

	fire->job = job;
	fire->query = query;
	fire->status = status;
	fire->calls = fire_calls(job, query, &fire->calls_count);
	fire->aggregates = xcalloc(fire->calls_count + 1, sizeof(const struct aggregate *));
	fire->key_types = xcalloc(keys + 1, sizeof(enum type));
	fire->columns = xcalloc(keys + fire->calls_count + 1, sizeof(struct schema_column));
	fire->scratch = xcalloc(keys + fire->calls_count + 1, sizeof(struct column));
	for (size_t k = 0; k < keys; k++) {
		fire->columns[k] = query->row.columns[query->key_columns[k]];
		fire->key_types[k] = fire->columns[k].type;
	}
	for (size_t c = 0; c < fire->calls_count; c++) {
		fire->aggregates[c] = aggregate_find(fire->calls[c]->kind, fire->calls[c]->argument_type);
		fire->columns[keys + c] = (struct schema_column){fire->calls[c]->text, fire->calls[c]->result_type};
	}
	fire->schema = (struct schema){fire->columns, keys + fire->calls_count};
	batch_init(&fire->groups, &fire->schema, NULL, BATCH_ROWS_MAX);
	if (job->window.on_empty == EMPTY_ZERO) {
		fire->known_budget.max_bytes = (size_t)job->limits.state_bytes;
		fire->known = keyed_table_new(fire->calls, fire->calls_count, &fire->known_budget,
		                              (size_t)job->limits.groups);
	}
	return fire;
}

void fire_free(struct fire *fire)
{
	if (!fire)
		return;
	keyed_table_free(fire->known);
	batch_release(&fire->groups);
	free(fire->scratch);
	free(fire->columns);
	free(fire->key_types);
	free(fire->aggregates);
	free(fire->calls);
	free(fire);
}

static int limit_reached(const struct fire *fire, int result, struct error *err)
{
	if (result != AGGREGATE_OUT_OF_BUDGET)
		return result;
	return error_set(err,
	                 "the lanes' groups together pass spec.limits (groups: %" PRId64 ", stateBytes: %" PRId64
	                 "); raise them or group by fewer values",
	                 fire->job->limits.groups, fire->job->limits.state_bytes);
}

/* Adds `other`'s groups to `table`; those beyond the limits are left out by onLimit, or fail the window. */
static int add_groups(struct fire *fire, struct keyed_table *table, const struct keyed_table *other,
                      size_t *ret_refused, struct error *err)
{
	int result = keyed_table_combine(table, other, ret_refused, err);

	if (!result && *ret_refused && fire->job->limits.on_limit == LIMIT_FAIL)
		result = AGGREGATE_OUT_OF_BUDGET;
	return limit_reached(fire, result, err);
}

/* The lanes' partials become one. A group that is left out counts as one dropped row: how many it had is not known. */
static int combine_partials(struct fire *fire, struct partial **partials, size_t count, struct error *err)
{
	struct keyed_table *table = partials[0]->table;

	for (size_t i = 1; i < count; i++) {
		size_t refused;

		if (add_groups(fire, table, partials[i]->table, &refused, err) < 0)
			return -1;
		if (!refused)
			continue;
		atomic_fetch_add_explicit(&fire->status->lanes[0].dropped, refused, memory_order_relaxed);
		log_warn("groups of a lane dropped", "groups=%zu kept=%zu", refused, keyed_table_groups(table));
	}
	return 0;
}

/* Every key of `table` becomes known; the known ones come into `table` with aggregates of nothing. */
static int exchange_known(struct fire *fire, struct keyed_table *table, struct error *err)
{
	size_t groups_count = keyed_table_groups(table), refused;
	void **groups = keyed_table_sorted(table);
	int result = add_groups(fire, table, fire->known, &refused, err);

	for (size_t i = 0; i < groups_count && !result; i++) {
		struct slice key = keyed_table_key(groups[i]);
		uint64_t hash = hash_bytes(key.data, key.size);
		void *group;

		if (keyed_table_lookup(fire->known, &key, &hash, 1, &group) && fire->job->limits.on_limit == LIMIT_FAIL)
			result = limit_reached(fire, AGGREGATE_OUT_OF_BUDGET, err);
	}
	free(groups);
	return result;
}

static void result_error(struct fire *fire, const char *what, const char *why)
{
	struct error err;

	atomic_fetch_add(&fire->status->result_errors, 1);
	error_set(&err, "a result of %s became NULL: %s", what, why);
	status_error(fire->status, &err);
	log_warn("a result became NULL", "aggregate=\"%s\" reason=\"%s\"", what, why);
}

/* A chunk of groups as columns: keys, then what every call finalizes to. */
static void fill_groups(struct fire *fire, const struct keyed_table *table, void **groups, size_t n)
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

			if (fire->aggregates[c]->finalize(keyed_table_state(table, groups[i], c),
			                                  fire->calls[c]->parameter, &value, &err) < 0)
				result_error(fire, fire->calls[c]->text, err.text);
			column_set(&fire->groups.columns[keys + c], i, value);
		}
	}
	free(values);
}

/* Appends column `from`'s rows to `to`, from its row `at` on; strings are copied into the result's arena. */
static void append_rows(struct column *to, size_t at, const struct column *from, const uint32_t *rows, size_t n,
                        struct arena *arena)
{
	for (size_t i = 0; i < n; i++) {
		struct value value = column_value(from, rows[i]);

		if (value.type == TYPE_STRING && !value.null)
			value.string = arena_copy(arena, value.string);
		column_set(to, at + i, value);
	}
}

/* The output programs over one chunk, HAVING, and what is left goes to the result. */
static void emit_chunk(struct fire *fire, size_t n, struct window_result *result)
{
	const struct query *query = fire->query;
	size_t keys = query->keys_count, first_call = keys, kept = n;
	struct batch input = {.rows = n, .columns = fire->scratch};
	struct batch output = {.rows = n, .columns_count = query->result.count};

	output.columns = xcalloc(query->result.count + 1, sizeof(struct column));
	for (size_t i = 0; i < n; i++)
		fire->rows[i] = (uint32_t)i;
	memcpy(output.columns, fire->groups.columns, keys * sizeof(struct column));
	for (size_t a = 0; a < fire->job->aggregates_count; a++) {
		const struct aggregate_expr *expr = query->aggregates[a];

		memcpy(input.columns, fire->groups.columns, keys * sizeof(struct column));
		memcpy(input.columns + keys, fire->groups.columns + first_call,
		       expr->calls_count * sizeof(struct column));
		input.columns_count = keys + expr->calls_count;
		first_call += expr->calls_count;
		fire->failures.count = 0;
		output.columns[keys + a] = *program_run(expr->output, &input, fire->rows, n, &fire->failures);
		for (size_t i = 0; i < fire->failures.count; i++)
			result_error(fire, fire->job->aggregates[a].name, fire->failures.reasons[i]);
	}
	fire->failures.count = 0;
	if (query->having)
		kept = program_filter(query->having, &output, fire->rows, n, fire->rows, &fire->failures);
	for (size_t i = 0; i < fire->failures.count; i++)
		result_error(fire, "having", fire->failures.reasons[i]);
	for (size_t i = 0; i < query->result.count; i++)
		append_rows(&result->rows.columns[i], result->rows.rows, &output.columns[i], fire->rows, kept,
		            &result->rows.arena);
	result->rows.rows += kept;
	free(output.columns);
}

int fire_window(struct fire *fire, struct partial **partials, size_t count, struct window_result *result,
                struct error *err)
{
	struct keyed_table *table = partials[0]->table;
	size_t groups_count;
	void **groups;

	if (combine_partials(fire, partials, count, err) < 0)
		return -1;
	if (fire->known && exchange_known(fire, table, err) < 0)
		return -1;
	groups_count = keyed_table_groups(table);
	groups = keyed_table_sorted(table);
	result->schema = &fire->query->result;
	result->keys_count = fire->query->keys_count;
	batch_init(&result->rows, result->schema, NULL, groups_count ? groups_count : 1);
	for (size_t from = 0; from < groups_count; from += BATCH_ROWS_MAX) {
		size_t n = groups_count - from < BATCH_ROWS_MAX ? groups_count - from : BATCH_ROWS_MAX;

		fill_groups(fire, table, groups + from, n);
		emit_chunk(fire, n, result);
	}
	free(groups);
	result->delete_group = fire->job->window.on_empty == EMPTY_DELETE && result->rows.rows == 0;
	return 0;
}

void fire_result_release(struct window_result *result)
{
	batch_release(&result->rows);
}
