/* Comparisons: a loop for each of seven operators and five kinds of values. */
#include "lib/expr/kernels.h"

/* PostgreSQL's order of doubles: NaN equals NaN and is above everything. */
static inline bool real_eq(double a, double b)
{
	return a == b || (a != a && b != b);
}

static inline bool real_lt(double a, double b)
{
	return a < b || (a == a && b != b);
}

#define PLAIN_EQ(a, b)  ((a) == (b))
#define PLAIN_LT(a, b)  ((a) < (b))
#define DOUBLE_EQ(a, b) real_eq(a, b)
#define DOUBLE_LT(a, b) real_lt(a, b)
#define STRING_EQ(a, b) slice_equal(a, b)
#define STRING_LT(a, b) (slice_compare(a, b) < 0)

#define COMPARE_LOOP(name, member, test)                                                                               \
	static const struct column *name(struct node *node, struct run *run, const uint32_t *rows, size_t n)           \
	{                                                                                                              \
		const struct column *left = node->children[0]->run(node->children[0], run, rows, n);                   \
		const struct column *right = node->children[1]->run(node->children[1], run, rows, n);                  \
		uint8_t *truth = node->result.booleans, *valid = node->result.valid;                                   \
                                                                                                                       \
		for (size_t i = 0; i < n; i++) {                                                                       \
			uint32_t row = rows[i];                                                                        \
                                                                                                                       \
			valid[row] = left->valid[row] & right->valid[row];                                             \
			if (valid[row])                                                                                \
				truth[row] = test(left->member[row], right->member[row]);                              \
		}                                                                                                      \
		return &node->result;                                                                                  \
	}

/* IS DISTINCT FROM: NULL is a value like any other; the result is never NULL. */
#define DISTINCT_LOOP(name, member, equal)                                                                             \
	static const struct column *name(struct node *node, struct run *run, const uint32_t *rows, size_t n)           \
	{                                                                                                              \
		const struct column *left = node->children[0]->run(node->children[0], run, rows, n);                   \
		const struct column *right = node->children[1]->run(node->children[1], run, rows, n);                  \
                                                                                                                       \
		for (size_t i = 0; i < n; i++) {                                                                       \
			uint32_t row = rows[i];                                                                        \
			bool both = left->valid[row] & right->valid[row];                                              \
                                                                                                                       \
			node->result.valid[row] = 1;                                                                   \
			node->result.booleans[row] = both ? !equal(left->member[row], right->member[row])              \
			                                  : left->valid[row] != right->valid[row];                     \
		}                                                                                                      \
		return &node->result;                                                                                  \
	}

#define COMPARE_FAMILY(prefix, member, eq, lt)                                                                         \
	static inline bool prefix##_ne_test(__typeof__(((struct column *)0)->member[0]) a,                             \
	                                    __typeof__(((struct column *)0)->member[0]) b)                             \
	{                                                                                                              \
		return !eq(a, b);                                                                                      \
	}                                                                                                              \
	static inline bool prefix##_gt_test(__typeof__(((struct column *)0)->member[0]) a,                             \
	                                    __typeof__(((struct column *)0)->member[0]) b)                             \
	{                                                                                                              \
		return lt(b, a);                                                                                       \
	}                                                                                                              \
	static inline bool prefix##_le_test(__typeof__(((struct column *)0)->member[0]) a,                             \
	                                    __typeof__(((struct column *)0)->member[0]) b)                             \
	{                                                                                                              \
		return !lt(b, a);                                                                                      \
	}                                                                                                              \
	static inline bool prefix##_ge_test(__typeof__(((struct column *)0)->member[0]) a,                             \
	                                    __typeof__(((struct column *)0)->member[0]) b)                             \
	{                                                                                                              \
		return !lt(a, b);                                                                                      \
	}                                                                                                              \
	COMPARE_LOOP(prefix##_eq, member, eq)                                                                          \
	COMPARE_LOOP(prefix##_ne, member, prefix##_ne_test)                                                            \
	COMPARE_LOOP(prefix##_lt, member, lt)                                                                          \
	COMPARE_LOOP(prefix##_le, member, prefix##_le_test)                                                            \
	COMPARE_LOOP(prefix##_gt, member, prefix##_gt_test)                                                            \
	COMPARE_LOOP(prefix##_ge, member, prefix##_ge_test)                                                            \
	DISTINCT_LOOP(prefix##_distinct, member, eq)

COMPARE_FAMILY(boolean, booleans, PLAIN_EQ, PLAIN_LT)
COMPARE_FAMILY(int, ints, PLAIN_EQ, PLAIN_LT)
COMPARE_FAMILY(bigint, bigints, PLAIN_EQ, PLAIN_LT)
COMPARE_FAMILY(double, doubles, DOUBLE_EQ, DOUBLE_LT)
COMPARE_FAMILY(string, strings, STRING_EQ, STRING_LT)

#define COMPARE_ROW(prefix)                                                                                            \
	{                                                                                                              \
		prefix##_eq, prefix##_ne, prefix##_lt, prefix##_le, prefix##_gt, prefix##_ge, prefix##_distinct        \
	}

static kernel *const comparisons[TYPE_COUNT][COMPARISONS] = {
        [TYPE_BOOLEAN] = COMPARE_ROW(boolean), [TYPE_INT] = COMPARE_ROW(int),
        [TYPE_BIGINT] = COMPARE_ROW(bigint),   [TYPE_DOUBLE] = COMPARE_ROW(double),
        [TYPE_STRING] = COMPARE_ROW(string),   [TYPE_TIMESTAMP] = COMPARE_ROW(bigint),
};

kernel *comparison_kernel(enum comparison comparison, enum type type)
{
	return comparisons[type][comparison];
}

#define IN_LOOP(member, equal)                                                                                         \
	for (size_t i = 0; i < n; i++) {                                                                               \
		uint32_t row = rows[i];                                                                                \
		bool found = false;                                                                                    \
                                                                                                                       \
		if (!value->valid[row]) {                                                                              \
			node->result.valid[row] = 0;                                                                   \
			continue;                                                                                      \
		}                                                                                                      \
		for (size_t c = 1; c < node->count && !found; c++)                                                     \
			if (!node->children[c]->value.null)                                                            \
				found = equal(value->member[row], node->children[c]->result.member[0]);                \
		node->result.valid[row] = found | !has_null;                                                           \
		node->result.booleans[row] = found;                                                                    \
	}

/* x IN (constants): true where one is equal; NULL where none is and one is NULL. */
const struct column *run_in_list(struct node *node, struct run *run, const uint32_t *rows, size_t n)
{
	const struct column *value = node->children[0]->run(node->children[0], run, rows, n);
	bool has_null = false;

	for (size_t c = 1; c < node->count; c++)
		has_null = has_null || node->children[c]->value.null;
	switch (value->type) {
	case TYPE_BOOLEAN:
		IN_LOOP(booleans, PLAIN_EQ) break;
	case TYPE_INT:
		IN_LOOP(ints, PLAIN_EQ) break;
	case TYPE_DOUBLE:
		IN_LOOP(doubles, DOUBLE_EQ) break;
	case TYPE_STRING:
		IN_LOOP(strings, STRING_EQ) break;
	case TYPE_NULL:
	case TYPE_BIGINT:
	case TYPE_TIMESTAMP:
		IN_LOOP(bigints, PLAIN_EQ) break;
	}
	return &node->result;
}
