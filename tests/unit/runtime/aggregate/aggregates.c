#include "tests/unit/runtime/aggregate/aggregates.h"

void *state_new(const struct aggregate *aggregate)
{
	void *state = aligned_alloc(16, (aggregate->state_size + 15) & ~(size_t)15);

	aggregate->init(state);
	return state;
}

void state_free(const struct aggregate *aggregate, void *state, struct budget *budget)
{
	if (aggregate->release)
		aggregate->release(state, budget);
	free(state);
}

struct value value_of(enum type type, const char *text)
{
	struct value value = {.type = type};

	if (type == TYPE_STRING)
		value.string = slice_of(text);
	else if (type == TYPE_DOUBLE)
		value.real = strtod(text, NULL);
	else if (type == TYPE_BOOLEAN)
		value.boolean = text[0] == 't';
	else
		value.bigint = strtoll(text, NULL, 10);
	return value;
}

static void append_result(struct buffer *out, struct value value)
{
	if (value.null)
		buffer_append_text(out, "NULL");
	else if (value.type == TYPE_DOUBLE)
		text_double(out, value.real);
	else if (value.type == TYPE_STRING)
		text_json_string(out, value.string);
	else
		text_bigint(out, value.bigint);
}

char *result_of(const struct aggregate *aggregate, const void *state, double parameter)
{
	struct value value;
	struct buffer out;
	struct error err;

	buffer_init(&out);
	if (aggregate->finalize(state, parameter, &value, &err) < 0)
		buffer_append_text(&out, err.text);
	else
		append_result(&out, value);
	return buffer_take(&out);
}

int add_rows(const struct aggregate *aggregate, void *state, const struct column *column, const uint32_t *rows,
             size_t n, struct budget *budget, size_t *ret_done)
{
	void *states[BATCH_ROWS_MAX];
	struct error err;

	for (size_t i = 0; i < n; i++)
		states[i] = state;
	return aggregate->update(states, column->type == TYPE_NULL ? NULL : column, rows, n, budget, ret_done, &err);
}
