/* The loops over rows: one for each operation and type. Inside lib/expr only; what they promise is in tree.h. */
#ifndef STREAMJOB_EXPR_KERNELS_H
#define STREAMJOB_EXPR_KERNELS_H

#include "lib/expr/tree.h"

enum comparison {
	COMPARE_EQ,
	COMPARE_NE,
	COMPARE_LT,
	COMPARE_LE,
	COMPARE_GT,
	COMPARE_GE,
	COMPARE_DISTINCT,
	COMPARISONS
};
kernel *comparison_kernel(enum comparison comparison, enum type type);
/* + - * / %: NULL where there is none for the type. */
kernel *arithmetic_kernel(char operator, enum type type);
/* The kernel of a cast, or NULL where PostgreSQL has none. */
kernel *cast_kernel(enum type from, enum type to);
kernel *negate_kernel(enum type type);
kernel *absolute_kernel(enum type type);
kernel run_constant, run_column, run_and, run_or, run_not, run_case, run_coalesce, run_null_test, run_bool_test,
        run_in_list, run_floor, run_ceil, run_round, run_concat, run_lower, run_upper, run_length, run_substring,
        run_like, run_ilike;

/* What the value of IS TRUE, IS FALSE, IS UNKNOWN looks for, in node->column. */
enum { TEST_TRUE, TEST_FALSE, TEST_UNKNOWN };

#endif
