/*
 * A user's aggregate in C: the mean of a DOUBLE, NULLs left out.
 *
 *   gcc -shared -fPIC -O2 -I include -o libmean.so examples/native/mean.c
 */
#include <streamjob/function.h>

struct mean {
	double sum;
	int64_t count;
};

static void accumulate(void *self, struct streamjob_call *call, void *state, const struct streamjob_value *arguments)
{
	struct mean *mean = state;

	(void)self;
	(void)call;
	if (arguments[0].null)
		return;
	mean->sum += arguments[0].real;
	mean->count++;
}

static void merge(void *self, struct streamjob_call *call, void *state, const void *other)
{
	struct mean *mean = state;
	const struct mean *more = other;

	(void)self;
	(void)call;
	mean->sum += more->sum;
	mean->count += more->count;
}

static void get_value(void *self, struct streamjob_call *call, const void *state, struct streamjob_value *results)
{
	const struct mean *mean = state;

	(void)self;
	(void)call;
	results[0].null = mean->count == 0;
	if (mean->count)
		results[0].real = mean->sum / (double)mean->count;
}

static const int argument_types[] = {STREAMJOB_DOUBLE};
static const struct streamjob_result results[] = {{"mean", STREAMJOB_DOUBLE}};

extern const struct streamjob_function mean_function;
const struct streamjob_function mean_function = {
        .abi = STREAMJOB_FUNCTION_ABI,
        .size = sizeof(struct streamjob_function),
        .kind = STREAMJOB_AGGREGATE,
        .arguments_count = 1,
        .argument_types = argument_types,
        .results_count = 1,
        .results = results,
        .state_size = sizeof(struct mean),
        .accumulate = accumulate,
        .merge = merge,
        .get_value = get_value,
};
