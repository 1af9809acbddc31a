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

static const struct {
	enum aggregate_kind kind;
	enum type type;
} every_aggregate[] = {
        {AGGREGATE_COUNT_ROWS, TYPE_NULL},
        {AGGREGATE_COUNT, TYPE_DOUBLE},
        {AGGREGATE_COUNT_DISTINCT, TYPE_BOOLEAN},
        {AGGREGATE_COUNT_DISTINCT, TYPE_INT},
        {AGGREGATE_COUNT_DISTINCT, TYPE_BIGINT},
        {AGGREGATE_COUNT_DISTINCT, TYPE_DOUBLE},
        {AGGREGATE_COUNT_DISTINCT, TYPE_TIMESTAMP},
        {AGGREGATE_COUNT_DISTINCT, TYPE_STRING},
        {AGGREGATE_SUM, TYPE_INT},
        {AGGREGATE_SUM, TYPE_BIGINT},
        {AGGREGATE_SUM, TYPE_DOUBLE},
        {AGGREGATE_AVG, TYPE_INT},
        {AGGREGATE_AVG, TYPE_BIGINT},
        {AGGREGATE_AVG, TYPE_DOUBLE},
        {AGGREGATE_MIN, TYPE_INT},
        {AGGREGATE_MIN, TYPE_BIGINT},
        {AGGREGATE_MIN, TYPE_DOUBLE},
        {AGGREGATE_MIN, TYPE_STRING},
        {AGGREGATE_MIN, TYPE_TIMESTAMP},
        {AGGREGATE_MAX, TYPE_INT},
        {AGGREGATE_MAX, TYPE_BIGINT},
        {AGGREGATE_MAX, TYPE_DOUBLE},
        {AGGREGATE_MAX, TYPE_STRING},
        {AGGREGATE_MAX, TYPE_TIMESTAMP},
        {AGGREGATE_PERCENTILE, TYPE_INT},
        {AGGREGATE_PERCENTILE, TYPE_BIGINT},
        {AGGREGATE_PERCENTILE, TYPE_DOUBLE},
};
#define AGGREGATES (sizeof(every_aggregate) / sizeof(every_aggregate[0]))

static inline void *state_new(const struct aggregate *aggregate)
{
	void *state = aligned_alloc(16, (aggregate->state_size + 15) & ~(size_t)15);

	aggregate->init(state);
	return state;
}

static inline void state_free(const struct aggregate *aggregate, void *state, struct budget *budget)
{
	if (aggregate->release)
		aggregate->release(state, budget);
	free(state);
}

/* One value from its text. */
static inline struct value value_of(enum type type, const char *text)
{
	struct value value = {.type = type};

	if (type == TYPE_STRING)
		value.string = slice_of(text);
	else if (type == TYPE_DOUBLE)
		value.real = strtod(text, NULL);
	else if (type == TYPE_BOOLEAN)
		value.boolean = text[0] == 't';
	else
		value.bigint = strtoll(text, NULL, 10);
	return value;
}

static inline void append_result(struct buffer *out, struct value value)
{
	if (value.null)
		buffer_append_text(out, "NULL");
	else if (value.type == TYPE_DOUBLE)
		text_double(out, value.real);
	else if (value.type == TYPE_STRING)
		text_json_string(out, value.string);
	else
		text_bigint(out, value.bigint);
}

/* The result of a state as text, or what it said instead; free(). */
static inline char *result_of(const struct aggregate *aggregate, const void *state, double parameter)
{
	struct value value;
	struct buffer out;
	struct error err;

	buffer_init(&out);
	if (aggregate->finalize(state, parameter, &value, &err) < 0)
		buffer_append_text(&out, err.text);
	else
		append_result(&out, value);
	return buffer_take(&out);
}

/* Adds column's rows[0..n) to one state. */
static inline int add_rows(const struct aggregate *aggregate, void *state, const struct column *column,
                           const uint32_t *rows, size_t n, struct budget *budget, size_t *ret_done)
{
	void *states[BATCH_ROWS_MAX];
	struct error err;

	for (size_t i = 0; i < n; i++)
		states[i] = state;
	return aggregate->update(states, column->type == TYPE_NULL ? NULL : column, rows, n, budget, ret_done, &err);
}

#endif
