/*
 * The catalog of scalar functions: one row each, in function_catalog.c. Two that the parser knows as words of their own
 * (COALESCE, NULLIF) have rows to be found and shown by; their programs are made in check.c and operators.c.
 */
#ifndef STREAMJOB_FUNCTION_CATALOG_H
#define STREAMJOB_FUNCTION_CATALOG_H

#include "lib/base/buffer.h"
#include "lib/data/type.h"

struct function;

/* Row i; NULL past the last one. */
const struct function *function_row(size_t i);
const char *function_name(const struct function *function);
/* One line. */
const char *function_meaning(const struct function *function);
/* TYPE_NULL: that of the first argument. */
enum type function_result(const struct function *function);
/* "SUBSTRING(STRING, INT[, INT])". */
void function_signature(const struct function *function, struct buffer *out);
/* "LOWER, UPPER, …", without other names of the same. */
void function_names(struct buffer *out);

#endif
