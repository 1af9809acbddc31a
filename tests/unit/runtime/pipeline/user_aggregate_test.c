/* A user's function keeps the contract of aggregates: what is saved, loaded and combined is what it would be else. */
#include "runtime/pipeline/aggregations.h"
#include "tests/unit/runtime/pipeline/scripted_run.h"

#define SPEC                                                                                                           \
	"  functions:\n  - {name: total, kind: aggregate, entrypoint: 'm:f', returns: [{name: r, type: BIGINT}]}\n"    \
	"  window: {tumbling: {size: 1d}}\n  aggregates: [{name: a, expr: total(v)}, {name: b, expr: total(v) + 1}]\n"
#define ROUNDS 20
#define ROWS   40

struct bench {
	struct scripted_run *run;
	struct calls calls;
	struct query *query;
	struct aggregations aggregations;
	struct row_failures failures;
};

static void bench_init(struct bench *bench)
{
	struct error err = {""};

	memset(bench, 0, sizeof(*bench));
	bench->run = scripted_on_rows("a user's aggregate", SPEC, 1, 1, 2);
	assert_int_equal(functions_load(bench->run->functions, &err), 0);
	assert_int_equal(functions_start(bench->run->functions, 1, &err), 0);
	calls_init(&bench->calls, bench->run->functions, 0);
	bench->query = query_compile(bench->run->jobs.items[0], NULL, &bench->calls.known, &err);
	if (!bench->query)
		fail_msg("%s", err.text);
	aggregations_init(&bench->aggregations, bench->query, &bench->calls);
	assert_int_equal(bench->aggregations.count, 2);
}

static void bench_release(struct bench *bench)
{
	aggregations_release(&bench->aggregations);
	query_free(bench->query);
	calls_release(&bench->calls);
	scripted_free(bench->run);
}

/* One call of the query and one group of a table. */
struct one {
	struct bench *bench;
	const struct aggregation *of;
	struct aggregate_run run;
	uint64_t state; /* memory of it */
};

static void one_init(struct one *one, struct bench *bench, size_t call, uint32_t table, uint32_t group)
{
	one->bench = bench;
	one->of = &bench->aggregations.items[call];
	one->run = (struct aggregate_run){
	        .call = one->of->call, .failures = &bench->failures, .context = one->of->context};
	assert_true(one->of->aggregate->state_size <= sizeof(one->state));
	one->of->aggregate->init(&one->state, (struct state_place){table, group});
}

static void add(struct one *one, int64_t value)
{
	uint8_t valid = 1;
	struct column column = {.type = TYPE_BIGINT, .valid = &valid, .bigints = &value};
	const struct column *columns = &column;
	void *state = &one->state;
	const uint32_t row = 0;
	struct error err;
	size_t done = 0;

	one->bench->failures.count = 0;
	assert_int_equal(one->of->aggregate->update(&one->run, &state, &columns, &row, 1, &done, &err), 0);
	assert_int_equal(done, 1);
}

static void combine(struct one *one, struct one *other)
{
	void *state = &one->state, *more = &other->state;
	struct error err;

	assert_int_equal(one->of->aggregate->combine(&one->run, &state, &more, 1, &err), 0);
}

static void load_saved(const struct one *from, struct one *to)
{
	struct buffer bytes;
	struct slice in;
	struct error err;

	buffer_init(&bytes);
	assert_int_equal(from->of->aggregate->save(&from->run, &from->state, &bytes, &err), 0);
	in = buffer_slice(&bytes);
	assert_int_equal(to->of->aggregate->load(&to->run, &to->state, &in, &err), 0);
	assert_int_equal(in.size, 0);
	buffer_release(&bytes);
}

static int64_t value_of(struct one *one)
{
	int64_t value = 0;
	uint8_t valid = 0;
	struct column column = {.type = TYPE_BIGINT, .valid = &valid, .bigints = &value};
	void *state = &one->state;
	struct error err;

	assert_int_equal(one->of->aggregate->finalize(&one->run, &state, 1, &column, &err), 0);
	assert_true(valid);
	return value;
}

static void save_test(void **state)
{
	struct bench bench;
	uint64_t seed = 1;

	(void)state;
	bench_init(&bench);
	for (size_t round = 0; round < ROUNDS; round++) {
		struct one kept, saved, loaded, other;
		int64_t sum = 0;

		/* Groups of the same number: of both tables of lane 0, and of lane 1. */
		one_init(&kept, &bench, 0, 0, (uint32_t)round);
		one_init(&saved, &bench, 1, 0, (uint32_t)round);
		one_init(&loaded, &bench, 0, 1, (uint32_t)round);
		one_init(&other, &bench, 0, PARTIALS_PER_LANE, (uint32_t)round);
		for (size_t i = 0; i < ROWS; i++) {
			int64_t value = (int64_t)((seed = seed * 6364136223846793005u + 1442695040888963407u) >> 40);

			if (i == round)
				load_saved(&saved, &loaded);
			add(i < ROWS / 2 ? &kept : &other, value);
			if (i < ROWS / 2)
				add(i < round ? &saved : &loaded, value);
			sum += value;
		}
		combine(&kept, &other);
		combine(&loaded, &other);
		assert_int_equal(value_of(&kept), sum);
		assert_int_equal(value_of(&loaded), sum);
	}
	bench_release(&bench);
}

/* What nobody updated is not sent about: a call of the worker would make an accumulator. */
static void untouched_test(void **state)
{
	struct one into, from;
	struct bench bench;
	int calls;

	(void)state;
	bench_init(&bench);
	one_init(&into, &bench, 0, 0, 0);
	one_init(&from, &bench, 0, PARTIALS_PER_LANE, 0);
	add(&into, 5);
	calls = atomic_load(&worker_script.calls);
	worker_script.merge_exceptions = 1;
	combine(&into, &from);
	assert_int_equal(worker_script.merge_exceptions, 1);
	assert_int_equal(atomic_load(&worker_script.calls), calls);
	assert_int_equal(value_of(&into), 5);
	bench_release(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(save_test), cmocka_unit_test(untouched_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
