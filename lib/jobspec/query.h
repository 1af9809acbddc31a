/*
 * The query of a job, compiled: what to read, and the programs from row to result. The check compiles it to find
 * problems; explain prints it; every lane compiles one of its own and runs it.
 */
#ifndef STREAMJOB_QUERY_H
#define STREAMJOB_QUERY_H

#include "lib/expr/aggregate_expr.h"
#include "lib/jobspec/jobspec.h"
#include "lib/jobspec/problems.h"

struct query {
	/* Row columns: the declared ones, then the source's own (kafka_key, kafka_partition, kafka_offset,
	 * kafka_timestamp, kafka_headers for a Kafka source), then those of `select`. */
	struct schema row;
	size_t declared_count, source_count; /* select's columns begin at declared_count + source_count */
	bool *read;              /* row.count; which columns anything reads (a select that nobody reads is not run) */
	struct program *filter;  /* NULL: every row; over the declared and source columns */
	struct program **select; /* jobspec's select_count; over the declared and source columns */
	size_t select_count, aggregates_count;
	size_t *key_columns; /* indexes into row */
	size_t keys_count;
	struct aggregate_expr **aggregates; /* jobspec's aggregates_count; NULL elements never */
	struct schema result;   /* keys, then aggregates: what a result row has, after window_start and _end */
	struct program *having; /* NULL: every group; over result */
};

/* NULL after at least one problem was added. `clock` names the TIMESTAMP column that plays the clock, or is NULL:
 * it counts as read. */
struct query *query_compile(const struct jobspec *job, const char *clock, struct problems *problems);
void query_free(struct query *query);

/* The plan as text for people (streamjob explain). */
void query_explain(const struct jobspec *job, const struct query *query, struct buffer *out);

#endif
