/*
 * Expressions: SQL text -> (libpg_query) -> typed tree -> a program over column batches.
 *
 * Meaning is PostgreSQL's, with these types: BOOLEAN, INT (integer), BIGINT, DOUBLE (double precision; literals with
 * a point or exponent too: there is no NUMERIC), STRING (text), TIMESTAMP (timestamptz at UTC, milliseconds).
 *
 * A program is compiled once, runs a batch at a time, and allocates nothing while it runs except strings in its own
 * arena. It is not shared: each lane compiles its own. Pure.
 */
#ifndef STREAMJOB_EXPR_H
#define STREAMJOB_EXPR_H

#include "lib/base/error.h"
#include "lib/data/batch.h"
#include "lib/expr/user_function.h"

/* Where problems of a text go. `offset` is the byte in the text, from 0. */
struct expr_problems {
	void (*add)(void *context, size_t offset, const char *wrong, const char *right);
	void *context;
};

/* Rows on which an expression failed ("division by zero", "bigint out of range"): each row once, first reason. */
struct row_failures {
	size_t count;
	uint32_t rows[BATCH_ROWS_MAX];
	const char *reasons[BATCH_ROWS_MAX]; /* static texts; a user function's live as long as its results */
	uint32_t functions[BATCH_ROWS_MAX];  /* the user function's number, or ROW_FAILURE_OF_EXPRESSION */
};
#define ROW_FAILURE_OF_EXPRESSION UINT32_MAX
void row_failures_add(struct row_failures *failures, uint32_t row, const char *reason, uint32_t function);

struct program;

/* Is there a built-in function or aggregate of that name, in any case? */
bool expr_has_function(const char *name);

/*
 * A row expression over the columns of `schema` (copied). NULL after at least one problem was added.
 * An aggregate in it is a problem. A bare NULL has type STRING. `functions`, the user's, outlive the program; NULL:
 * none. NULL without a problem: the type of a function's result is not known yet.
 */
struct program *program_compile(struct slice text, const struct schema *schema, const struct user_functions *functions,
                                const struct expr_problems *problems);
void program_free(struct program *program);
enum type program_type(const struct program *program);
/* Sets read[i] for each column i of the schema that the program reads; leaves the others alone. */
void program_reads(const struct program *program, bool *read);

/*
 * The value for each of rows[0..n), n <= BATCH_ROWS_MAX, at its own row number in the returned column, which belongs
 * to the program (or is a column of the batch) until its next run. Rows that fail are added to `failures` (their
 * value is NULL); branches not taken never fail.
 */
const struct column *program_run(struct program *program, const struct batch *batch, const uint32_t *rows, size_t n,
                                 struct row_failures *failures);
/* The rows where a BOOLEAN program is true (not NULL, not failed), ascending; ret_rows may be `rows`. Returns how many.
 */
size_t program_filter(struct program *program, const struct batch *batch, const uint32_t *rows, size_t n,
                      uint32_t *ret_rows, struct row_failures *failures);

/* Whether an integer is divided by an integer, which cuts the fraction off; where, as a byte of the text. */
bool program_divides_integers(const struct program *program, size_t *ret_offset);

#endif
