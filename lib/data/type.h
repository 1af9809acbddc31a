/*
 * The types of columns and values.
 *
 * BOOLEAN, INT (32 bits), BIGINT (64), DOUBLE (IEEE 754 binary64), STRING (UTF-8), TIMESTAMP (milliseconds
 * since the Unix epoch, UTC; may be negative). TYPE_NULL is only the type of a bare NULL in an expression.
 */
#ifndef STREAMJOB_TYPE_H
#define STREAMJOB_TYPE_H

#include <stdint.h>

#include "lib/base/slice.h"

enum type { TYPE_NULL, TYPE_BOOLEAN, TYPE_INT, TYPE_BIGINT, TYPE_DOUBLE, TYPE_STRING, TYPE_TIMESTAMP };
#define TYPE_COUNT 7

/* "BIGINT". */
const char *type_name(enum type type);
/* By name, in any case; false where there is no such type (TYPE_NULL has no name here). */
bool type_parse(struct slice name, enum type *ret_type);
/* Bytes of one element in a column's array. */
size_t type_width(enum type type);

/* One value; `null` leaves the rest unset. Strings belong to whoever made the value. */
struct value {
	enum type type;
	bool null;
	union {
		bool boolean;
		int64_t bigint; /* INT, BIGINT and TIMESTAMP */
		double real;
		struct slice string;
	};
};

/* A named list of typed columns. Names are NUL-terminated and belong to the schema's maker. */
struct schema_column {
	const char *name;
	enum type type;
};

struct schema {
	const struct schema_column *columns;
	size_t count;
};

/* What a source knows of a record is in columns whose names begin so; no column of a job's own may. */
#define SOURCE_COLUMN_PREFIX "kafka_"
bool is_source_column(const char *name);

/* The column's index, or -1. Names match exactly. */
int schema_find(const struct schema *schema, struct slice name);

#endif
