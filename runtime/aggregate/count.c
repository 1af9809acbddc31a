/* COUNT(*) and COUNT(x): NULLs were taken out before, so both count what they get. */
#include "runtime/aggregate/implementations.h"
#include "runtime/aggregate/state_bytes.h"

struct count {
	int64_t rows;
};

static void count_init(void *state, struct state_place place)
{
	(void)place;
	((struct count *)state)->rows = 0;
}

static int count_update(const struct aggregate_run *run, void *const *states, const struct column *const *columns,
                        const uint32_t *rows, size_t n, size_t *ret_done, struct error *err)
{
	(void)run;
	(void)columns;
	(void)rows;
	(void)err;
	for (size_t i = 0; i < n; i++)
		((struct count *)states[i])->rows++;
	*ret_done = n;
	return 0;
}

static int count_combine(const struct aggregate_run *run, void *const *states, void *const *others, size_t n,
                         struct error *err)
{
	(void)run;
	(void)err;
	for (size_t i = 0; i < n; i++)
		((struct count *)states[i])->rows += ((const struct count *)others[i])->rows;
	return 0;
}

static int count_finalize(const struct aggregate_run *run, void *const *states, size_t n, struct column *results,
                          struct error *err)
{
	(void)run;
	(void)err;
	for (size_t i = 0; i < n; i++)
		column_set(results, i,
		           (struct value){.type = TYPE_BIGINT, .bigint = ((const struct count *)states[i])->rows});
	return 0;
}

static int count_save(const struct aggregate_run *run, const void *state, struct buffer *out, struct error *err)
{
	(void)run;
	(void)err;
	save_word(out, (uint64_t)((const struct count *)state)->rows);
	return 0;
}

static int count_load(const struct aggregate_run *run, void *state, struct slice *in, struct error *err)
{
	uint64_t rows;

	(void)run;
	if (load_word(in, &rows, err) < 0)
		return -1;
	if (rows > INT64_MAX)
		return error_set(err, "a saved count is below zero");
	((struct count *)state)->rows = (int64_t)rows;
	return 0;
}

static const struct aggregate count_of = {
        .state_size = sizeof(struct count),
        .init = count_init,
        .update = count_update,
        .combine = count_combine,
        .finalize = count_finalize,
        .save = count_save,
        .load = count_load,
};

const struct aggregate_types count_rows_aggregate = {.of = {[TYPE_NULL] = &count_of}};

const struct aggregate_types count_aggregate = {.of = {
                                                        [TYPE_BOOLEAN] = &count_of,
                                                        [TYPE_INT] = &count_of,
                                                        [TYPE_BIGINT] = &count_of,
                                                        [TYPE_DOUBLE] = &count_of,
                                                        [TYPE_STRING] = &count_of,
                                                        [TYPE_TIMESTAMP] = &count_of,
                                                }};
