/* COUNT(*) and COUNT(x): NULLs were taken out before, so both count what they get. */
#include "runtime/aggregate/implementations.h"
#include "runtime/aggregate/state_bytes.h"

struct count {
	int64_t rows;
};

static void count_init(void *state)
{
	((struct count *)state)->rows = 0;
}

static int count_update(void *const *states, const struct column *column, const uint32_t *rows, size_t n,
                        struct budget *budget, size_t *ret_done, struct error *err)
{
	(void)column;
	(void)rows;
	(void)budget;
	(void)err;
	for (size_t i = 0; i < n; i++)
		((struct count *)states[i])->rows++;
	*ret_done = n;
	return 0;
}

static int count_combine(void *state, const void *other, struct budget *budget, struct error *err)
{
	(void)budget;
	(void)err;
	((struct count *)state)->rows += ((const struct count *)other)->rows;
	return 0;
}

static int count_finalize(const void *state, double parameter, struct value *ret_value, struct error *err)
{
	(void)parameter;
	(void)err;
	*ret_value = (struct value){.type = TYPE_BIGINT, .bigint = ((const struct count *)state)->rows};
	return 0;
}

static void count_save(const void *state, struct buffer *out)
{
	save_word(out, (uint64_t)((const struct count *)state)->rows);
}

static int count_load(void *state, struct slice *in, struct budget *budget, struct error *err)
{
	uint64_t rows;

	(void)budget;
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
