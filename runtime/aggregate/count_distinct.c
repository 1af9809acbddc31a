/*
 * COUNT(DISTINCT x) of values of at most 64 bits, exact: an open-addressing set of words in the budget. Zero marks an
 * empty slot and is itself kept as a flag. Doubles: -0.0 is 0.0, every NaN is one NaN. Strings are in
 * count_distinct_string.c.
 */
#include "lib/base/hash.h"
#include "runtime/aggregate/implementations.h"
#include "runtime/aggregate/state_bytes.h"

#define SLOTS_MIN 8

struct word_set {
	uint64_t *slots;
	uint32_t capacity; /* a power of two, or 0 */
	uint32_t used;     /* without zero */
	bool zero;
};

static void set_init(void *state, struct state_place place)
{
	(void)place;
	*(struct word_set *)state = (struct word_set){0};
}

static void set_release(void *state, struct budget *budget)
{
	struct word_set *set = state;

	budget_free(budget, set->slots, set->capacity * sizeof(uint64_t));
	*set = (struct word_set){0};
}

/* The word's slot, or the empty one where it belongs. */
static uint64_t *find_slot(uint64_t *slots, uint32_t capacity, uint64_t word)
{
	uint32_t i = (uint32_t)hash_word(word) & (capacity - 1);

	while (slots[i] && slots[i] != word)
		i = (i + 1) & (capacity - 1);
	return &slots[i];
}

static int grow(struct word_set *set, struct budget *budget)
{
	uint32_t capacity = set->capacity ? set->capacity * 2 : SLOTS_MIN;
	uint64_t *slots;

	if (capacity > UINT32_C(1) << 30)
		return AGGREGATE_OUT_OF_BUDGET;
	slots = budget_alloc(budget, capacity * sizeof(uint64_t));
	if (!slots)
		return AGGREGATE_OUT_OF_BUDGET;
	memset(slots, 0, capacity * sizeof(uint64_t));
	for (uint32_t i = 0; i < set->capacity; i++)
		if (set->slots[i])
			*find_slot(slots, capacity, set->slots[i]) = set->slots[i];
	budget_free(budget, set->slots, set->capacity * sizeof(uint64_t));
	set->slots = slots;
	set->capacity = capacity;
	return 0;
}

static int set_add(struct word_set *set, uint64_t word, struct budget *budget)
{
	uint64_t *slot;

	if (!word) {
		set->zero = true;
		return 0;
	}
	if (set->capacity && *find_slot(set->slots, set->capacity, word) == word)
		return 0;
	if (set->used * 4 >= set->capacity * 3 && grow(set, budget) < 0)
		return AGGREGATE_OUT_OF_BUDGET;
	slot = find_slot(set->slots, set->capacity, word);
	*slot = word;
	set->used++;
	return 0;
}

static uint64_t double_word(double value)
{
	uint64_t word;

	if (value != value)
		return 0x7ff8000000000000u;
	value += 0.0;
	memcpy(&word, &value, sizeof(word));
	return word;
}

#define BOOLEAN_WORD(value) (uint64_t)(value)
#define INTEGER_WORD(value) (uint64_t)(int64_t)(value)

#define SET_UPDATE(name, member, word)                                                                                 \
	static int name(const struct aggregate_run *run, void *const *states, const struct column *const *columns,     \
	                const uint32_t *rows, size_t n, size_t *ret_done, struct error *err)                           \
	{                                                                                                              \
		(void)err;                                                                                             \
		for (*ret_done = 0; *ret_done < n; (*ret_done)++)                                                      \
			if (set_add(states[*ret_done], word(columns[0]->member[rows[*ret_done]]), run->budget) < 0)    \
				return AGGREGATE_OUT_OF_BUDGET;                                                        \
		return 0;                                                                                              \
	}

SET_UPDATE(boolean_update, booleans, BOOLEAN_WORD)
SET_UPDATE(int_update, ints, INTEGER_WORD)
SET_UPDATE(bigint_update, bigints, INTEGER_WORD)
SET_UPDATE(double_update, doubles, double_word)

static int add_all(struct word_set *set, const struct word_set *more, struct budget *budget)
{
	set->zero = set->zero || more->zero;
	for (uint32_t i = 0; i < more->capacity; i++) {
		uint64_t word = more->slots[hash_scatter(i, more->capacity)];

		if (word && set_add(set, word, budget) < 0)
			return AGGREGATE_OUT_OF_BUDGET;
	}
	return 0;
}

static int set_combine(const struct aggregate_run *run, void *const *states, void *const *others, size_t n,
                       struct error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++)
		if (add_all(states[i], others[i], run->budget) < 0)
			return AGGREGATE_OUT_OF_BUDGET;
	return 0;
}

static int set_finalize(const struct aggregate_run *run, void *const *states, size_t n, struct column *results,
                        struct error *err)
{
	(void)run;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		const struct word_set *set = states[i];

		column_set(results, i, (struct value){.type = TYPE_BIGINT, .bigint = (int64_t)set->used + set->zero});
	}
	return 0;
}

static int set_save(const struct aggregate_run *run, const void *state, struct buffer *out, struct error *err)
{
	const struct word_set *set = state;

	(void)run;
	(void)err;
	save_word(out, set->zero);
	save_word(out, set->used);
	for (uint32_t i = 0; i < set->capacity; i++) {
		uint64_t word = set->slots[hash_scatter(i, set->capacity)];

		if (word)
			save_word(out, word);
	}
	return 0;
}

static int set_load(const struct aggregate_run *run, void *state, struct slice *in, struct error *err)
{
	struct word_set *set = state;
	uint64_t count, word;
	bool zero;

	if (load_flag(in, &zero, err) < 0 || load_word(in, &count, err) < 0)
		return -1;
	set->zero = zero;
	for (uint64_t i = 0; i < count; i++) {
		if (load_word(in, &word, err) < 0)
			return -1;
		if (set_add(set, word, run->budget) < 0)
			return AGGREGATE_OUT_OF_BUDGET;
		if (set->used != i + 1)
			return error_set(err, "a saved set has a value twice");
	}
	return 0;
}

#define COUNT_DISTINCT(name, update_)                                                                                  \
	static const struct aggregate name = {                                                                         \
	        .state_size = sizeof(struct word_set),                                                                 \
	        .init = set_init,                                                                                      \
	        .update = update_,                                                                                     \
	        .combine = set_combine,                                                                                \
	        .finalize = set_finalize,                                                                              \
	        .save = set_save,                                                                                      \
	        .load = set_load,                                                                                      \
	        .release = set_release,                                                                                \
	};

COUNT_DISTINCT(count_distinct_boolean, boolean_update)
COUNT_DISTINCT(count_distinct_int, int_update)
COUNT_DISTINCT(count_distinct_bigint, bigint_update)
COUNT_DISTINCT(count_distinct_double, double_update)

const struct aggregate_types count_distinct_aggregate = {.of = {
                                                                 [TYPE_BOOLEAN] = &count_distinct_boolean,
                                                                 [TYPE_INT] = &count_distinct_int,
                                                                 [TYPE_BIGINT] = &count_distinct_bigint,
                                                                 [TYPE_DOUBLE] = &count_distinct_double,
                                                                 [TYPE_STRING] = &count_distinct_string,
                                                                 [TYPE_TIMESTAMP] = &count_distinct_bigint,
                                                         }};
