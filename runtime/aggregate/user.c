/*
 * An aggregate of the user's own. Its accumulators live in the function's worker, under the group's number in its
 * table; what stands here is only whether there is one yet. update and finalize are the pipeline's.
 */
#include "runtime/aggregate/implementations.h"
#include "runtime/aggregate/state_bytes.h"

static void user_init(void *state)
{
	((struct user_state *)state)->touched = 0;
}

static int user_update(void *const *states, const struct column *column, const uint32_t *rows, size_t n,
                       struct budget *budget, size_t *ret_done, struct error *err)
{
	(void)column;
	(void)rows;
	(void)budget;
	(void)err;
	for (size_t i = 0; i < n; i++)
		((struct user_state *)states[i])->touched = 1;
	*ret_done = n;
	return 0;
}

static int user_combine(void *state, const void *other, struct budget *budget, struct error *err)
{
	(void)budget;
	(void)err;
	((struct user_state *)state)->touched |= ((const struct user_state *)other)->touched;
	return 0;
}

static int user_finalize(const void *state, double parameter, struct value *ret_value, struct error *err)
{
	(void)state;
	(void)parameter;
	(void)ret_value;
	return error_set(err, "the value of a user's aggregate is in its worker");
}

static void user_save(const void *state, struct buffer *out)
{
	save_word(out, ((const struct user_state *)state)->touched);
}

static int user_load(void *state, struct slice *in, struct budget *budget, struct error *err)
{
	(void)budget;
	return load_word(in, &((struct user_state *)state)->touched, err);
}

const struct aggregate user_aggregate = {
        .state_size = sizeof(struct user_state),
        .init = user_init,
        .update = user_update,
        .combine = user_combine,
        .finalize = user_finalize,
        .save = user_save,
        .load = user_load,
};
