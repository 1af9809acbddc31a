#include "lib/spec/query/query.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "lib/spec/query/query_parts.h"

static void unknown_key(const struct query *query, const char *name, const char *path, struct problems *problems)
{
	const char **names = xcalloc(query->row.count + 1, sizeof(const char *)), *nearest;
	char right[192];

	for (size_t i = 0; i < query->row.count; i++)
		names[i] = query->row.columns[i].name;
	nearest = text_nearest(slice_of(name), names, query->row.count);
	if (nearest)
		snprintf(right, sizeof(right), "did you mean %s?", nearest);
	else
		snprintf(right, sizeof(right), "name one of spec.columns, spec.select or spec.lateral");
	problems_add_at(problems, path, PROBLEM_NO_OFFSET, "there is no such column", right);
	free(names);
}

static bool find_keys(const struct jobspec *job, struct query *query, struct problems *problems)
{
	bool good = true;

	query->key_columns = xcalloc(job->group_by.count + 1, sizeof(size_t));
	for (size_t i = 0; i < job->group_by.count; i++) {
		int column = schema_find(&query->row, slice_of(job->group_by.items[i]));
		char path[64];

		snprintf(path, sizeof(path), "spec.groupBy[%zu]", i);
		good = good && column >= 0;
		if (column >= 0)
			query->key_columns[query->keys_count++] = (size_t)column;
		else
			unknown_key(query, job->group_by.items[i], path, problems);
	}
	return good;
}

/* The result's columns of one aggregate, whether it compiled or not. */
static void name_columns(const struct aggregate_spec *spec, const struct aggregate_expr *expr,
                         struct schema_column *columns)
{
	for (size_t c = 0; c < spec->columns.count; c++)
		columns[c] = (struct schema_column){spec->columns.items[c], expr ? expr->column_types[c] : TYPE_NULL};
	if (!spec->columns.count)
		columns[0] = (struct schema_column){spec->name, expr ? program_type(expr->output) : TYPE_NULL};
}

/* Two would make rows that have nothing to do with each other stand side by side. */
static bool one_table(const struct query *query, struct at *at)
{
	bool found = false, good = true;

	for (size_t i = 0; i < query->aggregates_count; i++) {
		if (!query->aggregates[i] || !query->aggregates[i]->table)
			continue;
		snprintf(at->path, sizeof(at->path), "spec.aggregates[%zu].expr", i);
		if (found)
			query_problem_at(at, "there is a table aggregate already",
			                 "keep one, or make another job of it");
		good = good && !found;
		found = true;
	}
	return good;
}

static bool compile_each_aggregate(const struct jobspec *job, struct query *query, const struct schema *keys,
                                   struct schema_column *columns, struct at *at)
{
	struct expr_problems sink = {query_problem, at};
	bool good = true;

	for (size_t i = 0; i < job->aggregates_count; i++) {
		const struct aggregate_spec *spec = &job->aggregates[i];

		snprintf(at->path, sizeof(at->path), "spec.aggregates[%zu].expr", i);
		if (query_can_compile(spec->expr, &query->row))
			query->aggregates[i] = aggregate_expr_compile_calling(
			        slice_of(spec->expr), &query->row, keys, spec->columns.count, query->functions, &sink);
		good = good && query->aggregates[i];
		query->aggregate_columns[i] = query->result.count;
		name_columns(spec, query->aggregates[i], columns + query->result.count);
		query->result.count += aggregate_columns_count(spec);
	}
	return one_table(query, at) && good;
}

static bool compile_aggregates(const struct jobspec *job, struct query *query, struct problems *problems)
{
	size_t count = query->keys_count;
	struct schema_column *columns;
	struct at at = {problems, ""};
	struct schema keys;
	bool good;

	for (size_t i = 0; i < job->aggregates_count; i++)
		count += aggregate_columns_count(&job->aggregates[i]);
	columns = xcalloc(count + 1, sizeof(*columns));
	for (size_t k = 0; k < query->keys_count; k++)
		columns[k] = query->row.columns[query->key_columns[k]];
	keys = query->result = (struct schema){columns, query->keys_count};
	query->aggregates = xcalloc(job->aggregates_count + 1, sizeof(struct aggregate_expr *));
	query->aggregate_columns = xcalloc(job->aggregates_count + 1, sizeof(size_t));
	good = compile_each_aggregate(job, query, &keys, columns, &at);
	if (job->having) {
		snprintf(at.path, sizeof(at.path), "spec.having");
		query->having = query_boolean(job->having, &query->result, query->functions, &at);
		good = good && query->having;
	}
	return good;
}

/* What is read: by keys and aggregates first, then by the selects that those need. */
static void mark_reads(const struct jobspec *job, struct query *query, const char *clock)
{
	size_t own = query->declared_count + query->source_count;
	int clock_column = clock ? schema_find(&query->row, slice_of(clock)) : -1;

	query->read = xcalloc(query->row.count + 1, sizeof(bool));
	for (size_t k = 0; k < query->keys_count; k++)
		query->read[query->key_columns[k]] = true;
	for (size_t a = 0; a < job->aggregates_count; a++) {
		for (size_t c = 0; c < query->aggregates[a]->calls_count; c++) {
			const struct aggregate_call *call = &query->aggregates[a]->calls[c];

			for (size_t i = 0; i < call->arguments_count; i++)
				program_reads(call->arguments[i], query->read);
			if (call->filter)
				program_reads(call->filter, query->read);
		}
	}
	for (size_t l = job->lateral_count; l-- > 0;)
		user_call_reads(query->lateral[l].call, query->read);
	for (size_t s = 0; s < job->select_count; s++)
		if (query->read[own + s])
			program_reads(query->select[s], query->read);
	if (query->filter)
		program_reads(query->filter, query->read);
	if (clock_column >= 0)
		query->read[clock_column] = true;
}

struct query *query_compile_parts(const struct jobspec *job, const char *clock, const struct user_functions *functions,
                                  struct problems *problems, bool *ret_good)
{
	struct query *query = xcalloc(1, sizeof(*query));
	struct schema_column *columns = query_row_columns(job, query);
	bool good;

	query->own_functions = functions ? NULL : query_functions(job);
	query->functions = functions ? functions : query->own_functions;
	good = query_rows(job, query, columns, problems);
	good = query_lateral(job, query, columns, problems) && good;
	query->aggregates_count = job->aggregates_count;
	query->select_count = job->select_count;
	good = find_keys(job, query, problems) && good;
	good = compile_aggregates(job, query, problems) && good;
	if (good)
		mark_reads(job, query, clock);
	*ret_good = good;
	return query;
}

struct query *query_compile(const struct jobspec *job, const char *clock, const struct user_functions *functions,
                            struct error *err)
{
	struct problems problems;
	struct buffer text;
	struct query *query;
	bool good;

	problems_init(&problems);
	query = query_compile_parts(job, clock, functions, &problems, &good);
	if (!good) {
		buffer_init(&text);
		problems_print(&problems, &text);
		error_set(err, "%.*s", (int)(text.size - 1), text.data); /* without the last LF */
		buffer_release(&text);
		query_free(query);
		query = NULL;
	}
	problems_release(&problems);
	return query;
}

void query_free(struct query *query)
{
	if (!query)
		return;
	program_free(query->filter);
	program_free(query->having);
	for (size_t i = 0; i < query->select_count; i++)
		program_free(query->select[i]);
	for (size_t i = 0; i < query->aggregates_count && query->aggregates; i++)
		aggregate_expr_free(query->aggregates[i]);
	for (size_t i = 0; i < query->lateral_count; i++)
		user_call_free(query->lateral[i].call);
	free(query->select);
	free(query->lateral);
	free(query->aggregates);
	free(query->aggregate_columns);
	free(query->own_functions);
	free(query->key_columns);
	free(query->read);
	free((void *)(uintptr_t)query->row.columns);
	free((void *)(uintptr_t)query->result.columns);
	free(query);
}
