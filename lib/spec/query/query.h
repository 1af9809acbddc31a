/*
 * The query of a job, compiled: what to read, and the programs from row to result. The check compiles it to find
 * problems; explain prints it; every lane compiles one of its own and runs it.
 */
#ifndef STREAMJOB_QUERY_H
#define STREAMJOB_QUERY_H

#include "lib/expr/aggregate_expr.h"
#include "lib/spec/field/jobspec.h"
#include "lib/spec/field/problems.h"

struct lateral_call {
	struct user_call *call; /* over the columns before its own */
	size_t first_column, columns_count;
	bool left;
};

struct query {
	/* Row columns: the declared ones, then the source's own (kafka_key, kafka_partition, kafka_offset,
	 * kafka_timestamp, kafka_headers for a Kafka source), then those of `select`, then those of `lateral`. */
	struct schema row;
	size_t declared_count, source_count; /* select's columns begin at declared_count + source_count */
	bool *read;              /* row.count; which columns anything reads (a select that nobody reads is not run) */
	struct program *filter;  /* NULL: every row; over the declared and source columns */
	struct program **select; /* jobspec's select_count; over the declared and source columns */
	size_t select_count, aggregates_count;
	struct lateral_call *lateral;
	size_t lateral_count, lateral_first; /* where their columns begin in row */
	size_t *key_columns;                 /* indexes into row */
	size_t keys_count;
	struct aggregate_expr **aggregates;     /* jobspec's aggregates_count; NULL elements never */
	size_t *aggregate_columns;              /* where the columns of each begin in result */
	const struct user_functions *functions; /* those the caller gave, or what the specs say */
	struct user_functions *own_functions;
	struct schema result;   /* keys, then aggregates: what a result row has, after window_start and _end */
	struct program *having; /* NULL: every group; over result */
};

/*
 * The plan of a job that was checked, which all that run or show it have from here. `clock` names the TIMESTAMP column
 * that plays the clock, or is NULL: it counts as read. `functions`: whose code was loaded, in the order of the specs;
 * they outlive the query; NULL: what the specs say. NULL: err has every problem, a line each, as only the code of a
 * function can bring one now.
 */
struct query *query_compile(const struct jobspec *job, const char *clock, const struct user_functions *functions,
                            struct error *err);
/* As query_compile, but what does compile comes back also where there was a problem; *ret_good says so. */
struct query *query_compile_parts(const struct jobspec *job, const char *clock, const struct user_functions *functions,
                                  struct problems *problems, bool *ret_good);
void query_free(struct query *query);

/* What the specs alone say of the functions: free(). */
struct user_functions *query_functions(const struct jobspec *job);
/* How the expressions call the functions: `form` of each. */
void jobspec_function_forms(struct jobspec *job);
/* How many columns aggregate `i` has: one, or those it names. */
size_t aggregate_columns_count(const struct aggregate_spec *aggregate);

#endif
