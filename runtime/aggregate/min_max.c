/*
 * MIN and MAX of numbers and times. Doubles in PostgreSQL's total order: NaN is above everything; and -0.0 is below
 * 0.0, so that the order of the rows does not matter. Strings are in min_max_string.c.
 */
#include <math.h>

#include "runtime/aggregate/implementations.h"
#include "runtime/aggregate/state_bytes.h"

struct extreme {
	union {
		int64_t integer;
		double real;
	};
	bool seen; /* MIN and MAX of nothing are NULL */
};

static inline bool integer_below(int64_t a, int64_t b)
{
	return a < b;
}

static inline bool real_below(double a, double b)
{
	return a < b || (a == b ? signbit(a) && !signbit(b) : a == a && b != b);
}

static void extreme_init(void *state, struct state_place place)
{
	(void)place;
	*(struct extreme *)state = (struct extreme){0};
}

static int extreme_save(const struct aggregate_run *run, const void *state, struct buffer *out, struct error *err)
{
	const struct extreme *extreme = state;

	(void)run;
	(void)err;
	save_word(out, (uint64_t)extreme->integer);
	save_word(out, extreme->seen);
	return 0;
}

static int extreme_load(const struct aggregate_run *run, void *state, struct slice *in, struct error *err)
{
	uint64_t word;
	bool seen;

	(void)run;
	if (load_word(in, &word, err) < 0 || load_flag(in, &seen, err) < 0)
		return -1;
	*(struct extreme *)state = (struct extreme){.integer = (int64_t)word, .seen = seen};
	return 0;
}

/* `better(new, old)`: the new value takes the old one's place. */
#define EXTREME(name, type_, column_member, member, better)                                                            \
	static int name##_update(const struct aggregate_run *run, void *const *states,                                 \
	                         const struct column *const *columns, const uint32_t *rows, size_t n,                  \
	                         size_t *ret_done, struct error *err)                                                  \
	{                                                                                                              \
		(void)run;                                                                                             \
		(void)err;                                                                                             \
		for (size_t i = 0; i < n; i++) {                                                                       \
			struct extreme *extreme = states[i];                                                           \
                                                                                                                       \
			if (!extreme->seen || better(columns[0]->column_member[rows[i]], extreme->member))             \
				extreme->member = columns[0]->column_member[rows[i]];                                  \
			extreme->seen = true;                                                                          \
		}                                                                                                      \
		*ret_done = n;                                                                                         \
		return 0;                                                                                              \
	}                                                                                                              \
	static int name##_combine(const struct aggregate_run *run, void *const *states, void *const *others, size_t n, \
	                          struct error *err)                                                                   \
	{                                                                                                              \
		(void)run;                                                                                             \
		(void)err;                                                                                             \
		for (size_t i = 0; i < n; i++) {                                                                       \
			struct extreme *extreme = states[i];                                                           \
			const struct extreme *more = others[i];                                                        \
                                                                                                                       \
			if (more->seen && (!extreme->seen || better(more->member, extreme->member)))                   \
				*extreme = *more;                                                                      \
		}                                                                                                      \
		return 0;                                                                                              \
	}                                                                                                              \
	static int name##_finalize(const struct aggregate_run *run, void *const *states, size_t n,                     \
	                           struct column *results, struct error *err)                                          \
	{                                                                                                              \
		(void)run;                                                                                             \
		(void)err;                                                                                             \
		for (size_t i = 0; i < n; i++) {                                                                       \
			const struct extreme *extreme = states[i];                                                     \
                                                                                                                       \
			column_set(results, i,                                                                         \
			           (struct value){.type = type_, .null = !extreme->seen, EXTREME_RESULT_##member});    \
		}                                                                                                      \
		return 0;                                                                                              \
	}                                                                                                              \
	static const struct aggregate name = {                                                                         \
	        .state_size = sizeof(struct extreme),                                                                  \
	        .init = extreme_init,                                                                                  \
	        .update = name##_update,                                                                               \
	        .combine = name##_combine,                                                                             \
	        .finalize = name##_finalize,                                                                           \
	        .save = extreme_save,                                                                                  \
	        .load = extreme_load,                                                                                  \
	};
#define EXTREME_RESULT_integer .bigint = extreme->integer
#define EXTREME_RESULT_real    .real = extreme->real
#define INTEGER_ABOVE(a, b)    integer_below(b, a)
#define REAL_ABOVE(a, b)       real_below(b, a)

EXTREME(min_int, TYPE_INT, ints, integer, integer_below)
EXTREME(min_bigint, TYPE_BIGINT, bigints, integer, integer_below)
EXTREME(min_timestamp, TYPE_TIMESTAMP, bigints, integer, integer_below)
EXTREME(min_double, TYPE_DOUBLE, doubles, real, real_below)
EXTREME(max_int, TYPE_INT, ints, integer, INTEGER_ABOVE)
EXTREME(max_bigint, TYPE_BIGINT, bigints, integer, INTEGER_ABOVE)
EXTREME(max_timestamp, TYPE_TIMESTAMP, bigints, integer, INTEGER_ABOVE)
EXTREME(max_double, TYPE_DOUBLE, doubles, real, REAL_ABOVE)

const struct aggregate_types min_aggregate = {.of = {
                                                      [TYPE_INT] = &min_int,
                                                      [TYPE_BIGINT] = &min_bigint,
                                                      [TYPE_DOUBLE] = &min_double,
                                                      [TYPE_STRING] = &min_string,
                                                      [TYPE_TIMESTAMP] = &min_timestamp,
                                              }};

const struct aggregate_types max_aggregate = {.of = {
                                                      [TYPE_INT] = &max_int,
                                                      [TYPE_BIGINT] = &max_bigint,
                                                      [TYPE_DOUBLE] = &max_double,
                                                      [TYPE_STRING] = &max_string,
                                                      [TYPE_TIMESTAMP] = &max_timestamp,
                                              }};
