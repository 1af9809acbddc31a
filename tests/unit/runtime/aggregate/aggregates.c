#include "tests/unit/runtime/aggregate/aggregates.h"

void *state_new(const struct aggregate *aggregate)
{
	void *state = aligned_alloc(16, (aggregate->state_size + 15) & ~(size_t)15);

	aggregate->init(state, (struct state_place){0, 0});
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

/* By the catalog: of the first line that the implementation is of. */
static enum type aggregate_type_of(const struct aggregate *aggregate)
{
	for (enum aggregate_kind kind = 0; kind < AGGREGATE_KINDS; kind++)
		for (enum type type = TYPE_NULL; type < TYPE_COUNT; type++)
			if (aggregate_argument_takes(aggregate_entry(kind)->arguments[0], type) &&
			    aggregate_find(kind, type) == aggregate)
				return aggregate_result_type(aggregate_entry(kind), type);
	fail();
	return TYPE_NULL;
}

static void append_result(struct buffer *out, struct value value)
{
	if (value.null)
		buffer_append_text(out, "NULL");
	else if (value.type == TYPE_DOUBLE)
		text_double(out, value.real);
	else if (value.type == TYPE_BOOLEAN)
		buffer_append_text(out, value.boolean ? "true" : "false");
	else if (value.type == TYPE_STRING)
		text_json_string(out, value.string);
	else
		text_bigint(out, value.bigint);
}

const struct aggregate_run *lend(struct loan *loan, double parameter, struct budget *budget)
{
	loan->call = (struct aggregate_call){.parameter = parameter};
	loan->failures.count = 0;
	loan->run = (struct aggregate_run){.call = &loan->call, .budget = budget, .failures = &loan->failures};
	return &loan->run;
}

int combine(const struct aggregate *aggregate, void *state, void *other, struct budget *budget)
{
	static struct loan loan;
	struct error err;

	return aggregate->combine(lend(&loan, 0, budget), &state, &other, 1, &err);
}

int save(const struct aggregate *aggregate, const void *state, struct buffer *out)
{
	static struct loan loan;
	struct error err;

	return aggregate->save(lend(&loan, 0, NULL), state, out, &err);
}

int load(const struct aggregate *aggregate, void *state, struct slice *in, struct budget *budget, struct error *err)
{
	static struct loan loan;

	return aggregate->load(lend(&loan, 0, budget), state, in, err);
}

/* The type of a state's value is not known here: the widest column takes every one. */
static struct value finalize(const struct aggregate *aggregate, void *state, struct loan *loan)
{
	static max_align_t values[4];
	static uint8_t valid[4];
	enum type type = aggregate_type_of(aggregate);
	struct column column = {.type = type, .valid = valid, .values = values};
	struct error err;

	assert_int_equal(aggregate->finalize(&loan->run, &state, 1, &column, &err), 0);
	return column_value(&column, 0);
}

struct value value_in(const struct aggregate *aggregate, void *state, double parameter)
{
	static struct loan loan;

	lend(&loan, parameter, NULL);
	return finalize(aggregate, state, &loan);
}

char *result_of(const struct aggregate *aggregate, void *state, double parameter)
{
	static struct loan loan;
	struct value value;
	struct buffer out;

	lend(&loan, parameter, NULL);
	value = finalize(aggregate, state, &loan);
	buffer_init(&out);
	if (loan.failures.count)
		buffer_append_text(&out, loan.failures.reasons[0]);
	else
		append_result(&out, value);
	return buffer_take(&out);
}

int add_rows(const struct aggregate *aggregate, void *state, const struct column *column, const uint32_t *rows,
             size_t n, struct budget *budget, size_t *ret_done)
{
	static struct loan loan;
	void *states[BATCH_ROWS_MAX];
	struct error err;

	for (size_t i = 0; i < n; i++)
		states[i] = state;
	return aggregate->update(lend(&loan, 0, budget), states, &column, rows, n, ret_done, &err);
}
