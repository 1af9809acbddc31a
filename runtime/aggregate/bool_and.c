/* BOOL_AND: false where any value is. */
#include "runtime/aggregate/implementations.h"
#include "runtime/aggregate/state_bytes.h"

struct conjunction {
	bool seen, any_false; /* BOOL_AND of nothing is NULL */
	char unused[6];
};

static void and_init(void *state, struct state_place place)
{
	(void)place;
	*(struct conjunction *)state = (struct conjunction){0};
}

static int and_update(const struct aggregate_run *run, void *const *states, const struct column *const *columns,
                      const uint32_t *rows, size_t n, size_t *ret_done, struct error *err)
{
	(void)run;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct conjunction *conjunction = states[i];

		conjunction->seen = true;
		conjunction->any_false |= !columns[0]->booleans[rows[i]];
	}
	*ret_done = n;
	return 0;
}

static int and_combine(const struct aggregate_run *run, void *const *states, void *const *others, size_t n,
                       struct error *err)
{
	(void)run;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct conjunction *conjunction = states[i];
		const struct conjunction *more = others[i];

		conjunction->seen |= more->seen;
		conjunction->any_false |= more->any_false;
	}
	return 0;
}

static int and_finalize(const struct aggregate_run *run, void *const *states, size_t n, struct column *results,
                        struct error *err)
{
	(void)run;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		const struct conjunction *conjunction = states[i];

		column_set(results, i,
		           (struct value){.type = TYPE_BOOLEAN,
		                          .null = !conjunction->seen,
		                          .boolean = !conjunction->any_false});
	}
	return 0;
}

static int and_save(const struct aggregate_run *run, const void *state, struct buffer *out, struct error *err)
{
	const struct conjunction *conjunction = state;

	(void)run;
	(void)err;
	save_word(out, conjunction->seen);
	save_word(out, conjunction->any_false);
	return 0;
}

static int and_load(const struct aggregate_run *run, void *state, struct slice *in, struct error *err)
{
	struct conjunction *conjunction = state;

	(void)run;
	if (load_flag(in, &conjunction->seen, err) < 0 || load_flag(in, &conjunction->any_false, err) < 0)
		return -1;
	return conjunction->any_false && !conjunction->seen ? error_set(err, "a saved BOOL_AND is false of nothing")
	                                                    : 0;
}

static const struct aggregate and_of = {
        .state_size = sizeof(struct conjunction),
        .init = and_init,
        .update = and_update,
        .combine = and_combine,
        .finalize = and_finalize,
        .save = and_save,
        .load = and_load,
};

const struct aggregate_types bool_and_aggregate = {.of = {[TYPE_BOOLEAN] = &and_of}};
