/* What the tests of all aggregates share: values written as text, columns made of them, results as text again. */
#ifndef STREAMJOB_TEST_AGGREGATES_H
#define STREAMJOB_TEST_AGGREGATES_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/text.h"
#include "runtime/aggregate/aggregate.h"

#define TEXTS_MAX 64
#define END       NULL /* ends a list of texts */

void *state_new(const struct aggregate *aggregate);
void state_free(const struct aggregate *aggregate, void *state, struct budget *budget);
/* One value from its text. */
struct value value_of(enum type type, const char *text);
/* The result of a state as text, or what it said instead; free(). */
char *result_of(const struct aggregate *aggregate, void *state, double parameter);
/* What a test lends to the functions of an aggregate: `parameter` is the call's. */
struct loan {
	struct aggregate_call call;
	struct row_failures failures;
	struct aggregate_run run;
};
const struct aggregate_run *lend(struct loan *loan, double parameter, struct budget *budget);
/* `other` into `state`. */
int combine(const struct aggregate *aggregate, void *state, void *other, struct budget *budget);
/* A value that can be had. */
struct value value_in(const struct aggregate *aggregate, void *state, double parameter);
int save(const struct aggregate *aggregate, const void *state, struct buffer *out);
int load(const struct aggregate *aggregate, void *state, struct slice *in, struct budget *budget, struct error *err);
/* Adds column's rows[0..n) to one state. */
int add_rows(const struct aggregate *aggregate, void *state, const struct column *column, const uint32_t *rows,
             size_t n, struct budget *budget, size_t *ret_done);

#endif
