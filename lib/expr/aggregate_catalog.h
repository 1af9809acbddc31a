/*
 * The catalog of aggregates: a row for each line of aggregates.def. What a row means at run time is in
 * runtime/aggregate, under the same number.
 */
#ifndef STREAMJOB_AGGREGATE_CATALOG_H
#define STREAMJOB_AGGREGATE_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buffer.h"
#include "lib/data/type.h"

#define AGGREGATE_ARGUMENTS_MAX 3

/* AGGREGATE_KINDS is how many there are; AGGREGATE_USER is none of them: it is of spec.functions. */
enum aggregate_kind {
#define AGGREGATE(id, ...) AGGREGATE_##id,
#include "lib/expr/aggregates.def"
#undef AGGREGATE
	AGGREGATE_KINDS,
	AGGREGATE_USER = AGGREGATE_KINDS,
};

enum aggregate_form { FORM_ROWS, FORM_VALUES, FORM_DISTINCT, FORM_EITHER };

/* What an argument may be. FRACTION is no column: a constant from 0 to 1, the call's parameter. */
enum aggregate_argument {
	ARGUMENT_NONE, /* ends the list */
	ARGUMENT_ANY,
	ARGUMENT_NUMBER,  /* INT, BIGINT or DOUBLE */
	ARGUMENT_ORDERED, /* any but BOOLEAN */
	ARGUMENT_BOOLEAN,
	ARGUMENT_DOUBLE, /* a number, which becomes one */
	ARGUMENT_FRACTION,
};

/* SUM: BIGINT of integers, else the argument's; ARGUMENT: that of the first argument. */
enum aggregate_result { RESULT_BIGINT, RESULT_DOUBLE, RESULT_BOOLEAN, RESULT_SUM, RESULT_ARGUMENT };

struct aggregate_entry {
	const char *id; /* "COUNT_ROWS" */
	const char *name;
	enum aggregate_form form;
	enum aggregate_argument arguments[AGGREGATE_ARGUMENTS_MAX + 1];
	enum aggregate_result result;
	bool adds_up;
	const char *meaning;
};

const struct aggregate_entry *aggregate_entry(enum aggregate_kind kind);
/* The row for a name in any case and a form that is not EITHER; or NULL. */
const struct aggregate_entry *aggregate_entry_find(const char *name, enum aggregate_form form);
enum aggregate_kind aggregate_entry_kind(const struct aggregate_entry *entry);
/* Is there any of that name? */
bool aggregate_name(const char *name);
/* Can an argument be of that type? For FRACTION: false. */
bool aggregate_argument_takes(enum aggregate_argument argument, enum type type);
/* TYPE_NULL as argument: there is none. */
enum type aggregate_result_type(const struct aggregate_entry *entry, enum type argument);
/* The name of an aggregate or a function as people are shown it, in capital letters. */
void append_name(const char *text, struct buffer *out);
/* "BIGINT", "that of the value". */
const char *aggregate_result_words(const struct aggregate_entry *entry);
/* "PERCENTILE(number, fraction)". */
void aggregate_signature(const struct aggregate_entry *entry, struct buffer *out);

#endif
