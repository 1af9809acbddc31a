/* Casts, with PostgreSQL's rounding and ranges; those from and to texts are in cast_text.c. */
#include <math.h>

#include "lib/expr/cast_text.h"
#include "lib/expr/kernels.h"

/* `statement` sets `out` (the result column) at `row` from `in`, or a reason. */
#define CAST_LOOP(name, statement)                                                                                     \
	static const struct column *name(struct node *node, struct run *run, const uint32_t *rows, size_t n)           \
	{                                                                                                              \
		const struct column *in = node->children[0]->run(node->children[0], run, rows, n);                     \
		struct column *out = &node->result;                                                                    \
                                                                                                                       \
		for (size_t i = 0; i < n; i++) {                                                                       \
			uint32_t row = rows[i];                                                                        \
			const char *reason = NULL;                                                                     \
                                                                                                                       \
			out->valid[row] = in->valid[row];                                                              \
			if (!in->valid[row])                                                                           \
				continue;                                                                              \
			statement;                                                                                     \
			if (reason)                                                                                    \
				row_fail(run, out, row, reason);                                                       \
		}                                                                                                      \
		return out;                                                                                            \
	}

static const char int_range[] = "integer out of range", bigint_range[] = "bigint out of range";

static const char *narrow(int64_t value, int32_t *out)
{
	*out = (int32_t)value;
	return *out == value ? NULL : int_range;
}

static const char *double_to_int(double value, int32_t *out)
{
	double rounded = rint(value);

	if (!(rounded >= -2147483648.0 && rounded <= 2147483647.0))
		return int_range;
	*out = (int32_t)rounded;
	return NULL;
}

static const char *double_to_bigint(double value, int64_t *out)
{
	double rounded = rint(value);

	if (!(rounded >= -9223372036854775808.0 && rounded < 9223372036854775808.0))
		return bigint_range;
	*out = (int64_t)rounded;
	return NULL;
}

CAST_LOOP(boolean_to_int, out->ints[row] = in->booleans[row])
CAST_LOOP(boolean_to_string, out->strings[row] = in->booleans[row] ? SLICE_LITERAL("true") : SLICE_LITERAL("false"))
CAST_LOOP(int_to_boolean, out->booleans[row] = in->ints[row] != 0)
CAST_LOOP(int_to_bigint, out->bigints[row] = in->ints[row])
CAST_LOOP(int_to_double, out->doubles[row] = in->ints[row])
CAST_LOOP(int_to_string, out->strings[row] = cast_bigint_to_text(run->arena, in->ints[row]))
CAST_LOOP(bigint_to_int, reason = narrow(in->bigints[row], &out->ints[row]))
CAST_LOOP(bigint_to_double, out->doubles[row] = (double)in->bigints[row])
CAST_LOOP(bigint_to_string, out->strings[row] = cast_bigint_to_text(run->arena, in->bigints[row]))
CAST_LOOP(double_to_int_loop, reason = double_to_int(in->doubles[row], &out->ints[row]))
CAST_LOOP(double_to_bigint_loop, reason = double_to_bigint(in->doubles[row], &out->bigints[row]))
CAST_LOOP(double_to_string, out->strings[row] = cast_double_to_text(run->arena, in->doubles[row]))
CAST_LOOP(string_to_boolean, reason = cast_text_to_boolean(in->strings[row], &out->booleans[row]))
CAST_LOOP(string_to_int, reason = cast_text_to_int(in->strings[row], &out->ints[row]))
CAST_LOOP(string_to_bigint, reason = cast_text_to_bigint(in->strings[row], &out->bigints[row]))
CAST_LOOP(string_to_double, reason = cast_text_to_double(in->strings[row], &out->doubles[row]))
CAST_LOOP(string_to_timestamp, reason = cast_text_to_timestamp(in->strings[row], &out->bigints[row]))
CAST_LOOP(timestamp_to_string, out->strings[row] = cast_timestamp_to_text(run->arena, in->bigints[row]))

kernel *cast_kernel(enum type from, enum type to)
{
	static kernel *const casts[TYPE_COUNT][TYPE_COUNT] = {
	        [TYPE_BOOLEAN] = {[TYPE_INT] = boolean_to_int, [TYPE_STRING] = boolean_to_string},
	        [TYPE_INT] = {[TYPE_BOOLEAN] = int_to_boolean,
	                      [TYPE_BIGINT] = int_to_bigint,
	                      [TYPE_DOUBLE] = int_to_double,
	                      [TYPE_STRING] = int_to_string},
	        [TYPE_BIGINT] = {[TYPE_INT] = bigint_to_int,
	                         [TYPE_DOUBLE] = bigint_to_double,
	                         [TYPE_STRING] = bigint_to_string},
	        [TYPE_DOUBLE] = {[TYPE_INT] = double_to_int_loop,
	                         [TYPE_BIGINT] = double_to_bigint_loop,
	                         [TYPE_STRING] = double_to_string},
	        [TYPE_STRING] = {[TYPE_BOOLEAN] = string_to_boolean,
	                         [TYPE_INT] = string_to_int,
	                         [TYPE_BIGINT] = string_to_bigint,
	                         [TYPE_DOUBLE] = string_to_double,
	                         [TYPE_TIMESTAMP] = string_to_timestamp},
	        [TYPE_TIMESTAMP] = {[TYPE_STRING] = timestamp_to_string},
	};

	return casts[from][to];
}
