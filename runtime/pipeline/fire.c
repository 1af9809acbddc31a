#include "runtime/pipeline/fire_parts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/log.h"

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
				        expr->calls[i].text,
				        expr->columns_count ? expr->column_types[k] : expr->calls[i].result_type};
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
	aggregations_init(&fire->aggregations, query, functions);
	fire->key_types = xcalloc(keys + 1, sizeof(enum type));
	fire->columns =
	        xcalloc(keys + fire->aggregations.count + query->result.count + 1, sizeof(struct schema_column));
	fire->first = xcalloc(fire->aggregations.count + 1, sizeof(size_t));
	fire->functions = functions;
	fire->scratch = xcalloc(keys + fire->aggregations.count + 1, sizeof(struct column));
	for (size_t k = 0; k < keys; k++) {
		fire->columns[k] = query->row.columns[query->key_columns[k]];
		fire->key_types[k] = fire->columns[k].type;
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
	free(fire->scratch);
	free(fire->columns);
	free(fire->first);
	free(fire->key_types);
	aggregations_release(&fire->aggregations);
	free(fire);
}

static int limit_reached(const struct fire *fire, struct error *err)
{
	return error_set(err,
	                 "the lanes' groups together pass spec.limits (groups: %" PRId64 ", stateBytes: %" PRId64
	                 "); raise them or group by fewer values",
	                 fire->job->limits.groups, fire->job->limits.state_bytes);
}

/* Adds `other`'s groups to `table`; those beyond the limit of groups are left out by onLimit, or fail the window. */
static int add_groups(struct fire *fire, struct keyed_table *table, const struct keyed_table *other,
                      size_t *ret_refused, struct error *err)
{
	int result = keyed_table_combine(table, other, ret_refused, err);

	if (result == AGGREGATE_INTERRUPTED)
		return FIRE_INTERRUPTED;
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
		int outcome = add_groups(fire, table, partials[i]->table, &refused, err);

		if (outcome < 0)
			return outcome;
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
	outcome = fire_rows(fire, partials[0], groups, groups_count, result, err);
	free(groups);
	if (outcome < 0)
		batch_release(&result->rows);
	else
		result->delete_group = fire->job->window.on_empty == EMPTY_DELETE && result->rows.rows == 0;
	return outcome;
}

int fire_done(struct fire *fire, struct partial **partials, size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t table = keyed_table_number(partials[i]->table);

		for (size_t c = 0; c < fire->aggregations.count; c++) {
			const struct aggregation *aggregation = &fire->aggregations.items[c];
			struct aggregate_run run = {.call = aggregation->call, .context = aggregation->context};

			if (aggregation->aggregate->forget && aggregation->aggregate->forget(&run, table, err) < 0)
				return FIRE_INTERRUPTED;
		}
	}
	return 0;
}

const struct aggregations *fire_aggregations(const struct fire *fire)
{
	return &fire->aggregations;
}

void fire_result_release(struct window_result *result)
{
	batch_release(&result->rows);
}
