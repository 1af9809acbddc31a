/* Arithmetic: integers are checked, doubles fail where PostgreSQL's do. */
#include <math.h>

#include "lib/expr/kernels.h"

static const char int_range[] = "integer out of range", bigint_range[] = "bigint out of range",
                  by_zero[] = "division by zero", double_overflow[] = "value out of range: overflow",
                  double_underflow[] = "value out of range: underflow";

/* Rows that are NULL on a side are NULL; `statement` sets out[row] from a and b or fails with `reason`. */
#define ARITHMETIC_LOOP(name, member, ctype, statement)                                                                \
	static const struct column *name(struct node *node, struct run *run, const uint32_t *rows, size_t n)           \
	{                                                                                                              \
		const struct column *left = node->children[0]->run(node->children[0], run, rows, n);                   \
		const struct column *right = node->children[1]->run(node->children[1], run, rows, n);                  \
		ctype *out = node->result.member;                                                                      \
                                                                                                                       \
		for (size_t i = 0; i < n; i++) {                                                                       \
			uint32_t row = rows[i];                                                                        \
			const char *reason = NULL;                                                                     \
			ctype a, b;                                                                                    \
                                                                                                                       \
			node->result.valid[row] = left->valid[row] & right->valid[row];                                \
			if (!node->result.valid[row])                                                                  \
				continue;                                                                              \
			a = left->member[row];                                                                         \
			b = right->member[row];                                                                        \
			statement;                                                                                     \
			if (reason)                                                                                    \
				row_fail(run, &node->result, row, reason);                                             \
		}                                                                                                      \
		return &node->result;                                                                                  \
	}

#define CHECKED(builtin, range)                                                                                        \
	if (builtin(a, b, &out[row]))                                                                                  \
	reason = range

/* The lowest value divided by -1 is out of range; its remainder is 0. */
#define DIVIDE(lowest, range)                                                                                          \
	if (b == 0)                                                                                                    \
		reason = by_zero;                                                                                      \
	else if (b == -1 && a == (lowest))                                                                             \
		reason = range;                                                                                        \
	else                                                                                                           \
		out[row] = a / b
#define REMAINDER                                                                                                      \
	if (b == 0)                                                                                                    \
		reason = by_zero;                                                                                      \
	else                                                                                                           \
		out[row] = b == -1 ? 0 : a % b

ARITHMETIC_LOOP(int_add, ints, int32_t, CHECKED(__builtin_add_overflow, int_range))
ARITHMETIC_LOOP(int_subtract, ints, int32_t, CHECKED(__builtin_sub_overflow, int_range))
ARITHMETIC_LOOP(int_multiply, ints, int32_t, CHECKED(__builtin_mul_overflow, int_range))
ARITHMETIC_LOOP(int_divide, ints, int32_t, DIVIDE(INT32_MIN, int_range))
ARITHMETIC_LOOP(int_remainder, ints, int32_t, REMAINDER)
ARITHMETIC_LOOP(bigint_add, bigints, int64_t, CHECKED(__builtin_add_overflow, bigint_range))
ARITHMETIC_LOOP(bigint_subtract, bigints, int64_t, CHECKED(__builtin_sub_overflow, bigint_range))
ARITHMETIC_LOOP(bigint_multiply, bigints, int64_t, CHECKED(__builtin_mul_overflow, bigint_range))
ARITHMETIC_LOOP(bigint_divide, bigints, int64_t, DIVIDE(INT64_MIN, bigint_range))
ARITHMETIC_LOOP(bigint_remainder, bigints, int64_t, REMAINDER)

static inline const char *overflowed(double result, double a, double b)
{
	return isinf(result) && !isinf(a) && !isinf(b) ? double_overflow : NULL;
}

ARITHMETIC_LOOP(double_add, doubles, double, (out[row] = a + b, reason = overflowed(out[row], a, b)))
ARITHMETIC_LOOP(double_subtract, doubles, double, (out[row] = a - b, reason = overflowed(out[row], a, b)))

static inline const char *double_times(double a, double b, double *result)
{
	*result = a * b;
	if (*result == 0 && a != 0 && b != 0)
		return double_underflow;
	return overflowed(*result, a, b);
}

static inline const char *double_over(double a, double b, double *result)
{
	if (b == 0 && a == a)
		return by_zero;
	*result = a / b;
	if (*result == 0 && a != 0 && !isinf(b))
		return double_underflow;
	return isinf(*result) && !isinf(a) ? double_overflow : NULL;
}

ARITHMETIC_LOOP(double_multiply, doubles, double, reason = double_times(a, b, &out[row]))
ARITHMETIC_LOOP(double_divide, doubles, double, reason = double_over(a, b, &out[row]))

kernel *arithmetic_kernel(char operator, enum type type)
{
	static const char operators[] = "+-*/%";
	static kernel *const kernels[TYPE_COUNT][5] = {
	        [TYPE_INT] = {int_add, int_subtract, int_multiply, int_divide, int_remainder},
	        [TYPE_BIGINT] = {bigint_add, bigint_subtract, bigint_multiply, bigint_divide, bigint_remainder},
	        [TYPE_DOUBLE] = {double_add, double_subtract, double_multiply, double_divide, NULL},
	};

	return kernels[type][strchr(operators, operator) - operators];
}

/* One argument; `statement` sets out[row] from a or a reason. */
#define UNARY_LOOP(linkage, name, member, ctype, statement)                                                            \
	linkage const struct column *name(struct node *node, struct run *run, const uint32_t *rows, size_t n)          \
	{                                                                                                              \
		const struct column *argument = node->children[0]->run(node->children[0], run, rows, n);               \
		ctype *out = node->result.member;                                                                      \
                                                                                                                       \
		for (size_t i = 0; i < n; i++) {                                                                       \
			uint32_t row = rows[i];                                                                        \
			const char *reason = NULL;                                                                     \
			ctype a;                                                                                       \
                                                                                                                       \
			node->result.valid[row] = argument->valid[row];                                                \
			if (!argument->valid[row])                                                                     \
				continue;                                                                              \
			a = argument->member[row];                                                                     \
			statement;                                                                                     \
			if (reason)                                                                                    \
				row_fail(run, &node->result, row, reason);                                             \
		}                                                                                                      \
		return &node->result;                                                                                  \
	}
#define NEGATE(range)                                                                                                  \
	if (__builtin_sub_overflow(0, a, &out[row]))                                                                   \
	reason = range
#define ABSOLUTE(range)                                                                                                \
	if (a >= 0)                                                                                                    \
		out[row] = a;                                                                                          \
	else                                                                                                           \
		NEGATE(range)

UNARY_LOOP(static, int_negate, ints, int32_t, NEGATE(int_range))
UNARY_LOOP(static, bigint_negate, bigints, int64_t, NEGATE(bigint_range))
UNARY_LOOP(static, double_negate, doubles, double, out[row] = -a)
UNARY_LOOP(static, int_absolute, ints, int32_t, ABSOLUTE(int_range))
UNARY_LOOP(static, bigint_absolute, bigints, int64_t, ABSOLUTE(bigint_range))
UNARY_LOOP(static, double_absolute, doubles, double, out[row] = fabs(a))
UNARY_LOOP(, run_floor, doubles, double, out[row] = floor(a))
UNARY_LOOP(, run_ceil, doubles, double, out[row] = ceil(a))
UNARY_LOOP(, run_round, doubles, double, out[row] = rint(a)) /* half to even, as PostgreSQL's float8 */

kernel *negate_kernel(enum type type)
{
	return type == TYPE_INT ? int_negate : type == TYPE_BIGINT ? bigint_negate : double_negate;
}

kernel *absolute_kernel(enum type type)
{
	return type == TYPE_INT ? int_absolute : type == TYPE_BIGINT ? bigint_absolute : double_absolute;
}
