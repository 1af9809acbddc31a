/* The row's half of a query: its columns, filter, select and lateral. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/spec/query/query_parts.h"

static const struct schema_column kafka_columns[] = {
        {"kafka_key", TYPE_STRING},          {"kafka_partition", TYPE_INT},  {"kafka_offset", TYPE_BIGINT},
        {"kafka_timestamp", TYPE_TIMESTAMP}, {"kafka_headers", TYPE_STRING},
};
#define KAFKA_COLUMNS (sizeof(kafka_columns) / sizeof(kafka_columns[0]))

struct user_functions *query_functions(const struct jobspec *job)
{
	struct user_functions *functions =
	        xcalloc(1, sizeof(*functions) + job->functions_count * sizeof(struct user_function));
	struct user_function *items = (struct user_function *)(functions + 1);

	for (size_t i = 0; i < job->functions_count; i++) {
		const struct function_spec *spec = &job->functions[i];

		items[i] = (struct user_function){
		        .name = spec->name, .kind = spec->kind, .results = {spec->returns, spec->returns_count}};
	}
	functions->items = items;
	functions->count = job->functions_count;
	return functions;
}

size_t aggregate_columns_count(const struct aggregate_spec *aggregate)
{
	return aggregate->columns.count ? aggregate->columns.count : 1;
}

static size_t lateral_columns_count(const struct jobspec *job)
{
	size_t count = 0;

	for (size_t i = 0; i < job->lateral_count; i++)
		count += job->lateral[i].columns.count;
	return count;
}

/* The declared columns, the source's own, and room for those of `select` and `lateral`. */
struct schema_column *query_row_columns(const struct jobspec *job, struct query *query)
{
	struct schema_column *columns =
	        xcalloc(job->columns_count + KAFKA_COLUMNS + job->select_count + lateral_columns_count(job) + 1,
	                sizeof(*columns));

	query->declared_count = job->columns_count;
	/* Which source it would be is not known where the file says none. */
	query->source_count = job->source.kind == SOURCE_KAFKA || job->source.kind == SOURCE_NONE ? KAFKA_COLUMNS : 0;
	for (size_t i = 0; i < job->columns_count; i++)
		columns[i] = (struct schema_column){job->columns[i].name, job->columns[i].type};
	memcpy(columns + query->declared_count, kafka_columns, query->source_count * sizeof(*columns));
	query->row.columns = columns;
	query->row.count = query->declared_count + query->source_count;
	return columns;
}

bool query_rows(const struct jobspec *job, struct query *query, struct schema_column *columns,
                struct problems *problems)
{
	struct schema inputs = query->row;
	struct at at = {problems, "spec.filter"};
	struct expr_problems sink = {query_problem, &at};
	bool good = true;

	if (job->filter) {
		query->filter = query_boolean(job->filter, &inputs, query->functions, &at);
		good = query->filter != NULL;
	}
	query->select = xcalloc(job->select_count + 1, sizeof(struct program *));
	for (size_t i = 0; i < job->select_count; i++) {
		snprintf(at.path, sizeof(at.path), "spec.select[%zu].expr", i);
		if (query_can_compile(job->select[i].expr, &inputs))
			query->select[i] =
			        program_compile(slice_of(job->select[i].expr), &inputs, query->functions, &sink);
		good = good && query->select[i];
		columns[query->row.count++] = (struct schema_column){
		        job->select[i].name, query->select[i] ? program_type(query->select[i]) : TYPE_NULL};
	}
	return good;
}

/* The type of field `c` of what a lateral call yields; TYPE_NULL where it is not known. */
static enum type lateral_type(const struct query *query, const struct user_call *call, size_t c)
{
	const struct schema *results = call ? &query->functions->items[call->function].results : NULL;

	return results && c < results->count ? results->columns[c].type : TYPE_NULL;
}

static bool lateral_fits(const struct query *query, const struct user_call *call, size_t columns_count, struct at *at)
{
	const struct user_function *function = &query->functions->items[call->function];
	char wrong[160];

	if (!function->results.count)
		return false; /* not known yet */
	if (function->results.count == columns_count)
		return true;
	snprintf(wrong, sizeof(wrong), "%s has %zu result fields, but there are %zu columns", function->name,
	         function->results.count, columns_count);
	query_problem_at(at, wrong, "name each of them");
	return false;
}

/* Each sees the columns of those before it. */
bool query_lateral(const struct jobspec *job, struct query *query, struct schema_column *columns,
                   struct problems *problems)
{
	struct at at = {problems, ""};
	struct expr_problems sink = {query_problem, &at};
	bool good = true;

	query->lateral = xcalloc(job->lateral_count + 1, sizeof(*query->lateral));
	query->lateral_count = job->lateral_count;
	query->lateral_first = query->row.count;
	for (size_t i = 0; i < job->lateral_count; i++) {
		const struct lateral_spec *spec = &job->lateral[i];
		struct lateral_call *lateral = &query->lateral[i];

		snprintf(at.path, sizeof(at.path), "spec.lateral[%zu].expr", i);
		*lateral =
		        (struct lateral_call){NULL, query->row.count, spec->columns.count, spec->join == LATERAL_LEFT};
		if (query_can_compile(spec->expr, &query->row))
			lateral->call = user_call_compile(slice_of(spec->expr), &query->row, query->functions,
			                                  FUNCTION_TABLE, &sink);
		good = lateral->call && lateral_fits(query, lateral->call, spec->columns.count, &at) && good;
		for (size_t c = 0; c < spec->columns.count; c++)
			columns[query->row.count++] =
			        (struct schema_column){spec->columns.items[c], lateral_type(query, lateral->call, c)};
	}
	return good;
}
