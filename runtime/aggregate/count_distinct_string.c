/* COUNT(DISTINCT x) of strings, exact: an open-addressing set of hashes and owned copies in the budget. */
#include "lib/base/hash.h"
#include "runtime/aggregate/implementations.h"
#include "runtime/aggregate/state_bytes.h"

#define SLOTS_MIN 8

struct text_slot {
	uint64_t hash;
	char *data; /* NULL: empty; an empty string has one byte of its own */
	size_t size;
};

struct text_set {
	struct text_slot *slots;
	uint32_t capacity; /* a power of two, or 0 */
	uint32_t used;
};

static size_t copy_bytes(size_t size)
{
	return size ? size : 1;
}

static void set_init(void *state, struct state_place place)
{
	(void)place;
	*(struct text_set *)state = (struct text_set){0};
}

static void set_release(void *state, struct budget *budget)
{
	struct text_set *set = state;

	for (uint32_t i = 0; i < set->capacity; i++)
		budget_free(budget, set->slots[i].data, copy_bytes(set->slots[i].size));
	budget_free(budget, set->slots, set->capacity * sizeof(*set->slots));
	*set = (struct text_set){0};
}

static struct text_slot *find_slot(struct text_slot *slots, uint32_t capacity, struct slice text, uint64_t hash)
{
	uint32_t i = (uint32_t)hash & (capacity - 1);

	while (slots[i].data &&
	       !(slots[i].hash == hash && slice_equal((struct slice){slots[i].data, slots[i].size}, text)))
		i = (i + 1) & (capacity - 1);
	return &slots[i];
}

static int grow(struct text_set *set, struct budget *budget)
{
	uint32_t capacity = set->capacity ? set->capacity * 2 : SLOTS_MIN;
	struct text_slot *slots;

	if (capacity > UINT32_C(1) << 28)
		return AGGREGATE_OUT_OF_BUDGET;
	slots = budget_alloc(budget, capacity * sizeof(*slots));
	if (!slots)
		return AGGREGATE_OUT_OF_BUDGET;
	memset(slots, 0, capacity * sizeof(*slots));
	for (uint32_t i = 0; i < set->capacity; i++) {
		struct text_slot *old = &set->slots[i];

		if (old->data)
			*find_slot(slots, capacity, (struct slice){old->data, old->size}, old->hash) = *old;
	}
	budget_free(budget, set->slots, set->capacity * sizeof(*set->slots));
	set->slots = slots;
	set->capacity = capacity;
	return 0;
}

static int set_add(struct text_set *set, struct slice text, struct budget *budget)
{
	uint64_t hash = hash_bytes(text.data, text.size);
	struct text_slot *slot;
	char *data;

	if (set->capacity && find_slot(set->slots, set->capacity, text, hash)->data)
		return 0;
	if (set->used * 4 >= set->capacity * 3 && grow(set, budget) < 0)
		return AGGREGATE_OUT_OF_BUDGET;
	data = budget_alloc(budget, copy_bytes(text.size));
	if (!data)
		return AGGREGATE_OUT_OF_BUDGET;
	if (text.size)
		memcpy(data, text.data, text.size);
	slot = find_slot(set->slots, set->capacity, text, hash);
	*slot = (struct text_slot){hash, data, text.size};
	set->used++;
	return 0;
}

static int set_update(const struct aggregate_run *run, void *const *states, const struct column *const *columns,
                      const uint32_t *rows, size_t n, size_t *ret_done, struct error *err)
{
	(void)err;
	for (*ret_done = 0; *ret_done < n; (*ret_done)++)
		if (set_add(states[*ret_done], columns[0]->strings[rows[*ret_done]], run->budget) < 0)
			return AGGREGATE_OUT_OF_BUDGET;
	return 0;
}

static int add_all(struct text_set *set, const struct text_set *more, struct budget *budget)
{
	for (uint32_t i = 0; i < more->capacity; i++) {
		const struct text_slot *slot = &more->slots[hash_scatter(i, more->capacity)];

		if (slot->data && set_add(set, (struct slice){slot->data, slot->size}, budget) < 0)
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
	for (size_t i = 0; i < n; i++)
		column_set(results, i,
		           (struct value){.type = TYPE_BIGINT, .bigint = ((const struct text_set *)states[i])->used});
	return 0;
}

static int set_save(const struct aggregate_run *run, const void *state, struct buffer *out, struct error *err)
{
	const struct text_set *set = state;

	(void)run;
	(void)err;
	save_word(out, set->used);
	for (uint32_t i = 0; i < set->capacity; i++) {
		const struct text_slot *slot = &set->slots[hash_scatter(i, set->capacity)];

		if (!slot->data)
			continue;
		save_word(out, slot->size);
		buffer_append(out, slot->data, slot->size);
	}
	return 0;
}

static int set_load(const struct aggregate_run *run, void *state, struct slice *in, struct error *err)
{
	uint64_t count, size;
	struct slice text;

	if (load_word(in, &count, err) < 0)
		return -1;
	for (uint64_t i = 0; i < count; i++) {
		if (load_word(in, &size, err) < 0 || load_bytes(in, size, &text, err) < 0)
			return -1;
		if (set_add(state, text, run->budget) < 0)
			return AGGREGATE_OUT_OF_BUDGET;
		if (((const struct text_set *)state)->used != i + 1)
			return error_set(err, "a saved set has a value twice");
	}
	return 0;
}

const struct aggregate count_distinct_string = {
        .state_size = sizeof(struct text_set),
        .init = set_init,
        .update = set_update,
        .combine = set_combine,
        .finalize = set_finalize,
        .save = set_save,
        .load = set_load,
        .release = set_release,
};
