/* Compiles expressions over one schema with a column of every type, and renders what comes of them. */
#ifndef STREAMJOB_EXPR_CASE_H
#define STREAMJOB_EXPR_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/text.h"
#include "lib/expr/expr.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { COLUMN_B, COLUMN_I, COLUMN_L, COLUMN_D, COLUMN_S, COLUMN_T, COLUMN_UPPER, COLUMNS };

extern const struct schema_column case_columns[COLUMNS];
extern const struct schema case_schema;

/* "OFFSET: wrong; right\n" of each problem. */
void case_add_problem(void *context, size_t offset, const char *wrong, const char *right);
/* Fails the test where the text does not compile. */
struct program *case_compile(const char *name, const char *text);
void case_render(struct buffer *out, struct value value);

#endif
