/*
 * What a row costs in a user function: the functions of functions.py in their worker, a batch of 1,024 rows at a time,
 * as a lane calls them; and the built-in that does as much without a function. Columns from memory; CPU time of this
 * process and the worker's together. Writes the values that came out, prints one JSON object.
 *
 *   functions CASE FUNCTIONS.py VALUES OUT ROWS PASSES BYTES
 *
 * VALUES is, one after the other: ROWS slots (uint32), and for each argument ROWS values; a string has BYTES bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "runtime/aggregate/aggregate.h"
#include "runtime/udf/life.h"

#define GROUPS         160
#define COLUMNS        2
#define WARMING_PASSES 2
#define TIMEOUT_MS     60000
#define MEMORY_BYTES   ((int64_t)1 << 30)

static const struct function_case {
	const char *name, *entrypoint;
	enum function_kind kind;
	enum type arguments[COLUMNS]; /* TYPE_NULL: no such argument */
	enum type result;
	const char *builtin; /* an expression that says the same; of an aggregate: AVG of the last argument */
} cases[] = {
        {"scalar-numbers",
         "functions:rate",
         FUNCTION_SCALAR,
         {TYPE_DOUBLE, TYPE_DOUBLE},
         TYPE_DOUBLE,
         "a * 1000.0 / (1.0 + b)"},
        {"scalar-string", "functions:path", FUNCTION_SCALAR, {TYPE_STRING, TYPE_NULL}, TYPE_STRING, NULL},
        {"scalar-numpy",
         "functions:rate_of_columns",
         FUNCTION_SCALAR,
         {TYPE_DOUBLE, TYPE_DOUBLE},
         TYPE_DOUBLE,
         "a * 1000.0 / (1.0 + b)"},
        {"aggregate", "functions:BucketScore", FUNCTION_AGGREGATE, {TYPE_BOOLEAN, TYPE_DOUBLE}, TYPE_DOUBLE, ""},
        {"aggregate-numpy",
         "functions:bucket_score_of_columns",
         FUNCTION_AGGREGATE,
         {TYPE_BOOLEAN, TYPE_DOUBLE},
         TYPE_DOUBLE,
         ""},
};

struct bench {
	const struct function_case *what;
	size_t rows, passes, bytes;
	char *values;
	const uint32_t *slots;
	size_t arguments_count;
	struct column arguments[COLUMNS]; /* of all rows */
	uint8_t *valid;
	uint32_t numbers[BATCH_ROWS_MAX];
	struct column result; /* of a batch */
	struct udf_worker *worker;
	struct row_failures failures;
	FILE *out;
};

static void fail(const char *what)
{
	fprintf(stderr, "functions: %s\n", what);
	exit(2);
}

static double clock_s(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void read_values(struct bench *b, const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t size = b->rows * sizeof(uint32_t);
	char *at;

	for (int c = 0; c < COLUMNS && b->what->arguments[c] != TYPE_NULL; c++) {
		enum type type = b->what->arguments[c];

		size += b->rows * (type == TYPE_STRING ? b->bytes : type_width(type));
		b->arguments_count++;
	}
	b->values = xmalloc(size);
	if (!file || fread(b->values, 1, size, file) != size)
		fail("the file of values is not as long as it should be");
	fclose(file);
	b->slots = (const uint32_t *)(const void *)b->values;
	at = b->values + b->rows * sizeof(uint32_t);
	b->valid = xmalloc(b->rows);
	memset(b->valid, 1, b->rows);
	for (size_t c = 0; c < b->arguments_count; c++) {
		enum type type = b->what->arguments[c];
		struct column *column = &b->arguments[c];

		*column = (struct column){.type = type, .valid = b->valid, .values = at};
		if (type == TYPE_STRING) {
			column->strings = xcalloc(b->rows, sizeof(struct slice));
			for (size_t i = 0; i < b->rows; i++)
				column->strings[i] = (struct slice){at + i * b->bytes, b->bytes};
		}
		at += b->rows * (type == TYPE_STRING ? b->bytes : type_width(type));
	}
}

/* The columns from that row on. */
static void columns_at(const struct bench *b, size_t from, struct column *columns)
{
	for (size_t c = 0; c < b->arguments_count; c++) {
		columns[c] = b->arguments[c];
		columns[c].valid += from;
		columns[c].values = (char *)columns[c].values + from * type_width(columns[c].type);
	}
}

static void write_result(struct bench *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!b->result.valid[i])
			fail("a value is NULL");
		if (b->result.type == TYPE_STRING)
			fprintf(b->out, "%.*s\n", SLICE_ARG(b->result.strings[i]));
		else
			fwrite(&b->result.doubles[i], sizeof(double), 1, b->out);
	}
}

static void call_batch(struct bench *b, size_t from, bool keep)
{
	struct column columns[COLUMNS];
	const struct column *pointers[COLUMNS] = {&columns[0], &columns[1]};
	struct udf_arguments arguments = {pointers, b->arguments_count, b->numbers, BATCH_ROWS_MAX};
	struct udf_failure failure;
	int result;

	columns_at(b, from, columns);
	if (b->what->kind == FUNCTION_SCALAR)
		result = udf_eval(b->worker, &arguments, &b->result, &b->failures, &failure);
	else
		result = udf_accumulate(b->worker, 0, b->slots + from, &arguments, &b->failures, &failure);
	if (result < 0)
		fail(failure.text);
	if (b->failures.count)
		fail(b->failures.reasons[0]);
	if (keep && b->what->kind == FUNCTION_SCALAR)
		write_result(b, BATCH_ROWS_MAX);
}

static void call_pass(struct bench *b, bool keep)
{
	for (size_t from = 0; from < b->rows; from += BATCH_ROWS_MAX)
		call_batch(b, from, keep);
}

static void write_groups(struct bench *b)
{
	struct udf_failure failure;

	if (b->what->kind != FUNCTION_AGGREGATE)
		return;
	if (udf_values(b->worker, 0, b->numbers, GROUPS, &b->result, &b->failures, &failure) < 0)
		fail(failure.text);
	write_result(b, GROUPS);
}

static double builtin_aggregate(struct bench *b)
{
	const struct aggregate *avg = aggregate_find(AGGREGATE_AVG, TYPE_DOUBLE);
	struct budget budget = {.max_bytes = SIZE_MAX};
	const struct aggregate_run run = {.budget = &budget};
	const struct column *argument;
	char *states = xcalloc(GROUPS, avg->state_size);
	void *of_rows[BATCH_ROWS_MAX];
	struct error err;
	size_t done;
	double begin;

	for (size_t g = 0; g < GROUPS; g++)
		avg->init(states + g * avg->state_size, (struct state_place){0, (uint32_t)g});
	begin = clock_s(CLOCK_PROCESS_CPUTIME_ID);
	for (size_t pass = 0; pass < b->passes; pass++)
		for (size_t from = 0; from < b->rows; from += BATCH_ROWS_MAX) {
			struct column columns[COLUMNS];

			columns_at(b, from, columns);
			for (size_t i = 0; i < BATCH_ROWS_MAX; i++)
				of_rows[i] = states + b->slots[from + i] * avg->state_size;
			argument = &columns[b->arguments_count - 1];
			if (avg->update(&run, of_rows, &argument, b->numbers, BATCH_ROWS_MAX, &done, &err) < 0)
				fail("AVG failed");
		}
	begin = clock_s(CLOCK_PROCESS_CPUTIME_ID) - begin;
	free(states);
	return begin;
}

static void problem(void *context, size_t offset, const char *wrong, const char *right)
{
	(void)context;
	(void)offset;
	(void)right;
	fail(wrong);
}

static double builtin_scalar(struct bench *b)
{
	struct schema_column named[COLUMNS] = {{.name = "a", .type = TYPE_DOUBLE}, {.name = "b", .type = TYPE_DOUBLE}};
	struct schema schema = {.columns = named, .count = COLUMNS};
	struct expr_problems problems = {.add = problem};
	struct program *program = program_compile(slice_of(b->what->builtin), &schema, NULL, &problems);
	double begin = clock_s(CLOCK_PROCESS_CPUTIME_ID);

	for (size_t pass = 0; pass < b->passes; pass++)
		for (size_t from = 0; from < b->rows; from += BATCH_ROWS_MAX) {
			struct column columns[COLUMNS];
			struct batch batch = {.rows = BATCH_ROWS_MAX, .columns_count = COLUMNS, .columns = columns};

			columns_at(b, from, columns);
			program_run(program, &batch, b->numbers, BATCH_ROWS_MAX, &b->failures);
		}
	begin = clock_s(CLOCK_PROCESS_CPUTIME_ID) - begin;
	program_free(program);
	return begin;
}

static void run(struct bench *b, const char *code)
{
	struct function_spec spec = {.name = b->what->name,
	                             .kind = b->what->kind,
	                             .entrypoint = b->what->entrypoint,
	                             .code = {.source = CODE_PATH, .path = code},
	                             .timeout_ms = TIMEOUT_MS,
	                             .start_timeout_ms = TIMEOUT_MS,
	                             .memory_bytes = MEMORY_BYTES};
	struct udf_environment environment = {.worker_path = "build/release/streamjob-worker", .python_path = "python"};
	struct udf_failure failure;
	double own, workers, builtin = 0;
	clockid_t clock;

	b->worker = udf_start(&spec, &environment, NULL, &failure);
	if (!b->worker)
		fail(failure.text);
	if (clock_getcpuclockid(b->worker->keeper->pid, &clock))
		fail("the worker's CPU time cannot be read");
	for (int i = 0; i < WARMING_PASSES; i++)
		call_pass(b, i == 0);
	own = clock_s(CLOCK_PROCESS_CPUTIME_ID);
	workers = clock_s(clock);
	for (size_t pass = 0; pass < b->passes; pass++)
		call_pass(b, false);
	own = clock_s(CLOCK_PROCESS_CPUTIME_ID) - own;
	workers = clock_s(clock) - workers;
	write_groups(b);
	udf_stop(b->worker, NULL);
	if (b->what->builtin)
		builtin = b->what->kind == FUNCTION_SCALAR ? builtin_scalar(b) : builtin_aggregate(b);
	printf("{\"runtime\": %.9f, \"worker\": %.9f, \"builtin\": %.9f}\n", own, workers, builtin);
}

int main(int argc, char **argv)
{
	static struct bench bench;

	if (argc != 8)
		fail("usage: functions CASE FUNCTIONS.py VALUES OUT ROWS PASSES BYTES");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(cases[i].name, argv[1]) == 0)
			bench.what = &cases[i];
	bench.rows = strtoul(argv[5], NULL, 10);
	bench.passes = strtoul(argv[6], NULL, 10);
	bench.bytes = strtoul(argv[7], NULL, 10);
	if (!bench.what || !bench.rows || bench.rows % BATCH_ROWS_MAX)
		fail("no such case, or the rows are no whole batches");
	for (uint32_t i = 0; i < BATCH_ROWS_MAX; i++)
		bench.numbers[i] = i;
	column_init(&bench.result, bench.what->result, BATCH_ROWS_MAX);
	read_values(&bench, argv[3]);
	bench.out = fopen(argv[4], "wb");
	if (!bench.out)
		fail("cannot write the values");
	run(&bench, argv[2]);
	return fclose(bench.out) ? 2 : 0;
}
