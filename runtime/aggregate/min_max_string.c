/* MIN and MAX of strings, in byte order: the state owns a copy. */
#include "runtime/aggregate/implementations.h"
#include "runtime/aggregate/state_bytes.h"

struct text_extreme {
	char *data;
	size_t size, capacity;
	bool seen;
};

static void text_init(void *state, struct state_place place)
{
	(void)place;
	*(struct text_extreme *)state = (struct text_extreme){0};
}

static void text_release(void *state, struct budget *budget)
{
	struct text_extreme *extreme = state;

	budget_free(budget, extreme->data, extreme->capacity);
	*extreme = (struct text_extreme){0};
}

static int replace(struct text_extreme *extreme, struct slice text, struct budget *budget)
{
	if (text.size > extreme->capacity) {
		char *data = budget_resize(budget, extreme->data, extreme->capacity, text.size);

		if (!data)
			return AGGREGATE_OUT_OF_BUDGET;
		extreme->data = data;
		extreme->capacity = text.size;
	}
	if (text.size)
		memcpy(extreme->data, text.data, text.size);
	extreme->size = text.size;
	extreme->seen = true;
	return 0;
}

/* `sign`: -1 for MIN, 1 for MAX. */
static int offer(struct text_extreme *extreme, struct slice text, int sign, struct budget *budget)
{
	struct slice old = {extreme->data, extreme->size};

	if (extreme->seen && slice_compare(text, old) * sign <= 0)
		return 0;
	return replace(extreme, text, budget);
}

static int update(const struct aggregate_run *run, void *const *states, const struct column *column,
                  const uint32_t *rows, size_t n, int sign, size_t *ret_done)
{
	for (*ret_done = 0; *ret_done < n; (*ret_done)++) {
		int result = offer(states[*ret_done], column->strings[rows[*ret_done]], sign, run->budget);

		if (result < 0)
			return result;
	}
	return 0;
}

static int combine(const struct aggregate_run *run, void *const *states, void *const *others, size_t n, int sign)
{
	for (size_t i = 0; i < n; i++) {
		const struct text_extreme *more = others[i];
		int result =
		        more->seen ? offer(states[i], (struct slice){more->data, more->size}, sign, run->budget) : 0;

		if (result < 0)
			return result;
	}
	return 0;
}

static int min_update(const struct aggregate_run *run, void *const *states, const struct column *const *columns,
                      const uint32_t *rows, size_t n, size_t *ret_done, struct error *err)
{
	(void)err;
	return update(run, states, columns[0], rows, n, -1, ret_done);
}

static int max_update(const struct aggregate_run *run, void *const *states, const struct column *const *columns,
                      const uint32_t *rows, size_t n, size_t *ret_done, struct error *err)
{
	(void)err;
	return update(run, states, columns[0], rows, n, 1, ret_done);
}

static int min_combine(const struct aggregate_run *run, void *const *states, void *const *others, size_t n,
                       struct error *err)
{
	(void)err;
	return combine(run, states, others, n, -1);
}

static int max_combine(const struct aggregate_run *run, void *const *states, void *const *others, size_t n,
                       struct error *err)
{
	(void)err;
	return combine(run, states, others, n, 1);
}

static int text_finalize(const struct aggregate_run *run, void *const *states, size_t n, struct column *results,
                         struct error *err)
{
	(void)run;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		const struct text_extreme *extreme = states[i];

		column_set(results, i,
		           (struct value){.type = TYPE_STRING,
		                          .null = !extreme->seen,
		                          .string = {extreme->data ? extreme->data : "", extreme->size}});
	}
	return 0;
}

static int text_save(const struct aggregate_run *run, const void *state, struct buffer *out, struct error *err)
{
	const struct text_extreme *extreme = state;

	(void)run;
	(void)err;
	save_word(out, extreme->seen);
	save_word(out, extreme->size);
	buffer_append(out, extreme->data, extreme->size);
	return 0;
}

static int text_load(const struct aggregate_run *run, void *state, struct slice *in, struct error *err)
{
	uint64_t size;
	struct slice text;
	bool seen;

	if (load_flag(in, &seen, err) < 0 || load_word(in, &size, err) < 0 || load_bytes(in, size, &text, err) < 0)
		return -1;
	if (!seen && size)
		return error_set(err, "a saved text stands where there is none");
	return seen ? replace(state, text, run->budget) : 0;
}

const struct aggregate min_string = {
        .state_size = sizeof(struct text_extreme),
        .init = text_init,
        .update = min_update,
        .combine = min_combine,
        .finalize = text_finalize,
        .save = text_save,
        .load = text_load,
        .release = text_release,
};

const struct aggregate max_string = {
        .state_size = sizeof(struct text_extreme),
        .init = text_init,
        .update = max_update,
        .combine = max_combine,
        .finalize = text_finalize,
        .save = text_save,
        .load = text_load,
        .release = text_release,
};
