#include "lib/jobspec/query.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "lib/jobspec/check.h"

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

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool mentions(const char *text, const char *name)
{
	size_t size = strlen(name);

	for (const char *p = text; *p; p++)
		if (!strncasecmp(p, name, size) && (p == text || !is_word(p[-1])) && !is_word(p[size]))
			return true;
	return false;
}

/*
 * A column whose own type or expression has a problem has TYPE_NULL. What mentions it is not compiled: it would be
 * called wrong for no fault of its own.
 */
static bool can_compile(const char *text, const struct schema *schema)
{
	if (!text)
		return false;
	for (size_t i = 0; i < schema->count; i++)
		if (schema->columns[i].type == TYPE_NULL && mentions(text, schema->columns[i].name))
			return false;
	return true;
}

static struct program *compile_boolean(const char *text, const struct schema *schema, struct at *at)
{
	struct expr_problems problems = {add_problem, at};
	struct program *program = can_compile(text, schema) ? program_compile(slice_of(text), schema, &problems) : NULL;

	if (program && program_type(program) != TYPE_BOOLEAN) {
		char wrong[128];

		snprintf(wrong, sizeof(wrong), "is a %s, not a BOOLEAN", type_name(program_type(program)));
		add_at(at, wrong, "write a condition, like n > 0");
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
	/* Which source it would be is not known where the file says none. */
	query->source_count = job->source.kind == SOURCE_KAFKA || job->source.kind == SOURCE_NONE ? KAFKA_COLUMNS : 0;
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
		if (can_compile(job->select[i].expr, &inputs))
			query->select[i] = program_compile(slice_of(job->select[i].expr), &inputs, &sink);
		good = good && query->select[i];
		columns[query->row.count++] = (struct schema_column){
		        job->select[i].name, query->select[i] ? program_type(query->select[i]) : TYPE_NULL};
	}
	return good;
}

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
		snprintf(right, sizeof(right), "name one of spec.columns or spec.select");
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
		if (can_compile(job->aggregates[i].expr, &query->row))
			query->aggregates[i] =
			        aggregate_expr_compile(slice_of(job->aggregates[i].expr), &query->row, &keys, &sink);
		good = good && query->aggregates[i];
		columns[query->keys_count + i] = (struct schema_column){
		        job->aggregates[i].name,
		        query->aggregates[i] ? program_type(query->aggregates[i]->output) : TYPE_NULL};
	}
	if (job->having) {
		snprintf(at.path, sizeof(at.path), "spec.having");
		query->having = compile_boolean(job->having, &query->result, &at);
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

struct query *query_compile_parts(const struct jobspec *job, const char *clock, struct problems *problems,
                                  bool *ret_good)
{
	struct query *query = xcalloc(1, sizeof(*query));
	struct schema_column *columns = row_columns(job, query);
	bool good = compile_rows(job, query, columns, problems);

	query->aggregates_count = job->aggregates_count;
	query->select_count = job->select_count;
	good = find_keys(job, query, problems) && good;
	good = compile_aggregates(job, query, problems) && good;
	if (good)
		mark_reads(job, query, clock);
	*ret_good = good;
	return query;
}

struct query *query_compile(const struct jobspec *job, const char *clock, struct problems *problems)
{
	bool good;
	struct query *query = query_compile_parts(job, clock, problems, &good);

	if (good)
		return query;
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
