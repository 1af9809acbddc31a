#include "lib/jobspec/query.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/base/text.h"

static const struct schema_column kafka_columns[] = {
        {"kafka_key", TYPE_STRING},          {"kafka_partition", TYPE_INT},  {"kafka_offset", TYPE_BIGINT},
        {"kafka_timestamp", TYPE_TIMESTAMP}, {"kafka_headers", TYPE_STRING},
};
#define KAFKA_COLUMNS (sizeof(kafka_columns) / sizeof(kafka_columns[0]))

/* Where the problems of one expression go. */
struct at {
	struct problems *problems;
	char path[128];
};

static void add_problem(void *context, size_t offset, const char *wrong, const char *right)
{
	struct at *at = context;

	problems_add_at(at->problems, at->path, offset, wrong, right);
}

static void add_at(struct at *at, const char *wrong, const char *right)
{
	problems_add_at(at->problems, at->path, PROBLEM_NO_OFFSET, wrong, right);
}

static struct program *compile_boolean(const char *text, const struct schema *schema, struct at *at)
{
	struct expr_problems problems = {add_problem, at};
	struct program *program = program_compile(slice_of(text), schema, &problems);

	if (program && program_type(program) != TYPE_BOOLEAN) {
		char wrong[128];

		snprintf(wrong, sizeof(wrong), "the expression is a %s; a BOOLEAN is needed",
		         type_name(program_type(program)));
		add_at(at, wrong, "write a condition");
		program_free(program);
		return NULL;
	}
	return program;
}

/* The declared columns, the source's own, and room for those of `select`. */
static struct schema_column *row_columns(const struct jobspec *job, struct query *query)
{
	struct schema_column *columns =
	        xcalloc(job->columns_count + KAFKA_COLUMNS + job->select_count + 1, sizeof(*columns));

	query->declared_count = job->columns_count;
	query->source_count = job->source.kind == SOURCE_KAFKA ? KAFKA_COLUMNS : 0;
	for (size_t i = 0; i < job->columns_count; i++)
		columns[i] = (struct schema_column){job->columns[i].name, job->columns[i].type};
	memcpy(columns + query->declared_count, kafka_columns, query->source_count * sizeof(*columns));
	query->row.columns = columns;
	query->row.count = query->declared_count + query->source_count;
	return columns;
}

static bool compile_rows(const struct jobspec *job, struct query *query, struct schema_column *columns,
                         struct problems *problems)
{
	struct schema inputs = query->row;
	struct at at = {problems, "spec.filter"};
	struct expr_problems sink = {add_problem, &at};
	bool good = true;

	if (job->filter) {
		query->filter = compile_boolean(job->filter, &inputs, &at);
		good = query->filter != NULL;
	}
	query->select = xcalloc(job->select_count + 1, sizeof(struct program *));
	for (size_t i = 0; i < job->select_count; i++) {
		snprintf(at.path, sizeof(at.path), "spec.select[%zu].expr", i);
		query->select[i] = program_compile(slice_of(job->select[i].expr), &inputs, &sink);
		good = good && query->select[i];
		columns[query->row.count++] = (struct schema_column){
		        job->select[i].name, query->select[i] ? program_type(query->select[i]) : TYPE_STRING};
	}
	return good;
}

static bool find_keys(const struct jobspec *job, struct query *query, struct problems *problems)
{
	const char **names = xcalloc(query->row.count + 1, sizeof(char *));
	char path[64], right[192];
	bool good = true;

	for (size_t i = 0; i < query->row.count; i++)
		names[i] = query->row.columns[i].name;
	query->key_columns = xcalloc(job->group_by.count + 1, sizeof(size_t));
	for (size_t i = 0; i < job->group_by.count; i++) {
		int column = schema_find(&query->row, slice_of(job->group_by.items[i]));
		bool twice = false;

		for (size_t k = 0; k < query->keys_count; k++)
			twice = twice || (column >= 0 && query->key_columns[k] == (size_t)column);
		snprintf(path, sizeof(path), "spec.groupBy[%zu]", i);
		if (column >= 0 && !twice) {
			query->key_columns[query->keys_count++] = (size_t)column;
			continue;
		}
		good = false;
		if (twice) {
			problems_add_at(problems, path, PROBLEM_NO_OFFSET, "this column is given twice", "keep one");
		} else {
			const char *nearest = text_nearest(slice_of(job->group_by.items[i]), names, query->row.count);

			snprintf(right, sizeof(right), nearest ? "did you mean %s?" : "name a column or a select%s",
			         nearest ? nearest : "");
			problems_add_at(problems, path, PROBLEM_NO_OFFSET, "there is no such column", right);
		}
	}
	free(names);
	return good;
}

static bool compile_aggregates(const struct jobspec *job, struct query *query, struct problems *problems)
{
	struct schema_column *columns = xcalloc(query->keys_count + job->aggregates_count + 1, sizeof(*columns));
	struct schema keys = {columns, query->keys_count};
	struct at at = {problems, ""};
	struct expr_problems sink = {add_problem, &at};
	bool good = true;

	for (size_t k = 0; k < query->keys_count; k++)
		columns[k] = query->row.columns[query->key_columns[k]];
	query->result = (struct schema){columns, query->keys_count + job->aggregates_count};
	query->aggregates = xcalloc(job->aggregates_count + 1, sizeof(struct aggregate_expr *));
	for (size_t i = 0; i < job->aggregates_count; i++) {
		snprintf(at.path, sizeof(at.path), "spec.aggregates[%zu].expr", i);
		query->aggregates[i] =
		        aggregate_expr_compile(slice_of(job->aggregates[i].expr), &query->row, &keys, &sink);
		good = good && query->aggregates[i];
		columns[query->keys_count + i] = (struct schema_column){
		        job->aggregates[i].name,
		        query->aggregates[i] ? program_type(query->aggregates[i]->output) : TYPE_BIGINT};
	}
	if (good && job->having) {
		snprintf(at.path, sizeof(at.path), "spec.having");
		query->having = compile_boolean(job->having, &query->result, &at);
		good = query->having != NULL;
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

			if (call->argument)
				program_reads(call->argument, query->read);
			if (call->filter)
				program_reads(call->filter, query->read);
		}
	}
	for (size_t s = 0; s < job->select_count; s++)
		if (query->read[own + s])
			program_reads(query->select[s], query->read);
	if (query->filter)
		program_reads(query->filter, query->read);
	if (clock_column >= 0)
		query->read[clock_column] = true;
}

struct query *query_compile(const struct jobspec *job, const char *clock, struct problems *problems)
{
	struct query *query = xcalloc(1, sizeof(*query));
	struct schema_column *columns = row_columns(job, query);
	bool good = compile_rows(job, query, columns, problems);

	query->aggregates_count = job->aggregates_count;
	query->select_count = job->select_count;
	good = find_keys(job, query, problems) && good;
	good = compile_aggregates(job, query, problems) && good;
	if (good) {
		mark_reads(job, query, clock);
		return query;
	}
	query_free(query);
	return NULL;
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
	free(query->select);
	free(query->aggregates);
	free(query->key_columns);
	free(query->read);
	free((void *)(uintptr_t)query->row.columns);
	free((void *)(uintptr_t)query->result.columns);
	free(query);
}
