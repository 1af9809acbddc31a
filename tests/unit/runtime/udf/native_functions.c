/* A library of native functions for native_test.c. */
#include <stdlib.h>
#include <string.h>

#include <streamjob/function.h>

static void upper(void *self, struct streamjob_call *call, const struct streamjob_value *arguments,
                  struct streamjob_value *results)
{
	static char text[256];
	const struct streamjob_string in = arguments[0].string;

	(void)self;
	if (arguments[0].null)
		return;
	if (in.size > sizeof(text)) {
		call->fail(call, "the text is too long");
		return;
	}
	for (size_t i = 0; i < in.size; i++)
		text[i] = in.data[i] >= 'a' && in.data[i] <= 'z' ? (char)(in.data[i] - 32) : in.data[i];
	results[0].null = 0;
	results[0].string = (struct streamjob_string){text, in.size};
}

static void count_to(void *self, struct streamjob_call *call, const struct streamjob_value *arguments,
                     struct streamjob_value *results)
{
	(void)self;
	(void)results;
	for (int64_t i = 1; i <= arguments[0].integer; i++) {
		struct streamjob_value row[2] = {{.integer = i}, {.boolean = i % 2 == 0}};

		call->emit(call, row);
	}
	if (arguments[0].integer == 13)
		call->fail(call, "not thirteen");
}

static void crash(void *self, struct streamjob_call *call, const struct streamjob_value *arguments,
                  struct streamjob_value *results)
{
	(void)self;
	(void)call;
	(void)arguments;
	(void)results;
	abort();
}

/* The texts of a group, joined: a state that holds memory. */
struct joined {
	char *text;
	size_t size;
};

static void append(struct joined *joined, const char *data, size_t size)
{
	joined->text = realloc(joined->text, joined->size + size + 1);
	memcpy(joined->text + joined->size, data, size);
	joined->size += size;
}

static void join_open(struct streamjob_call *call, void **self)
{
	static char separator[8];
	const char *given = call->parameter(call, "separator");

	if (!given || strlen(given) >= sizeof(separator)) {
		call->fail(call, "the parameter separator is missing");
		return;
	}
	strcpy(separator, given);
	*self = separator;
}

static void join_accumulate(void *self, struct streamjob_call *call, void *state,
                            const struct streamjob_value *arguments)
{
	struct joined *joined = state;

	(void)call;
	if (joined->size)
		append(joined, self, strlen(self));
	append(joined, arguments[0].string.data, arguments[0].string.size);
}

static void join_merge(void *self, struct streamjob_call *call, void *state, const void *other)
{
	const struct joined *more = other;
	const struct streamjob_value value = {.string = {more->text, more->size}};

	join_accumulate(self, call, state, &value);
}

static void join_release(void *self, void *state)
{
	(void)self;
	free(((struct joined *)state)->text);
}

static void join_value(void *self, struct streamjob_call *call, const void *state, struct streamjob_value *results)
{
	const struct joined *joined = state;

	(void)self;
	(void)call;
	results[0].null = joined->size == 0;
	results[0].string = (struct streamjob_string){joined->text, joined->size};
}

static void join_save(void *self, struct streamjob_call *call, const void *state)
{
	const struct joined *joined = state;

	(void)self;
	call->write(call, joined->text, joined->size);
}

static void join_load(void *self, struct streamjob_call *call, void *state, const void *bytes, size_t size)
{
	(void)self;
	(void)call;
	append(state, bytes, size);
}

static const int string_type[] = {STREAMJOB_STRING}, bigint_type[] = {STREAMJOB_BIGINT};
static const struct streamjob_result string_result[] = {{"text", STREAMJOB_STRING}};
static const struct streamjob_result rows_result[] = {{"n", STREAMJOB_INT}, {"even", STREAMJOB_BOOLEAN}};

#define FUNCTION .abi = STREAMJOB_FUNCTION_ABI, .size = sizeof(struct streamjob_function), .arguments_count = 1

extern const struct streamjob_function upper_function, count_function, crash_function, join_function, empty_function,
        pair_function, old_function;
const struct streamjob_function upper_function = {
        FUNCTION,           .kind = STREAMJOB_SCALAR, .argument_types = string_type,
        .results_count = 1, .results = string_result, .eval = upper};
const struct streamjob_function count_function = {
        FUNCTION,           .kind = STREAMJOB_TABLE, .argument_types = bigint_type,
        .results_count = 2, .results = rows_result,  .eval = count_to};
const struct streamjob_function crash_function = {
        FUNCTION,           .kind = STREAMJOB_SCALAR, .argument_types = string_type,
        .results_count = 1, .results = string_result, .eval = crash};
const struct streamjob_function join_function = {FUNCTION,
                                                 .kind = STREAMJOB_AGGREGATE,
                                                 .argument_types = string_type,
                                                 .results_count = 1,
                                                 .results = string_result,
                                                 .open = join_open,
                                                 .state_size = sizeof(struct joined),
                                                 .release = join_release,
                                                 .accumulate = join_accumulate,
                                                 .merge = join_merge,
                                                 .get_value = join_value,
                                                 .save = join_save,
                                                 .load = join_load};
const struct streamjob_function empty_function = {FUNCTION, .kind = STREAMJOB_SCALAR, .argument_types = string_type,
                                                  .results_count = 1, .results = string_result};
const struct streamjob_function pair_function = {
        FUNCTION,           .kind = STREAMJOB_SCALAR, .argument_types = string_type,
        .results_count = 2, .results = rows_result,   .eval = upper};
const struct streamjob_function old_function = {.abi = 0, .size = sizeof(struct streamjob_function)};
