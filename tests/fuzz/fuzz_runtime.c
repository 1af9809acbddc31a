/*
 * The runtime's side of user functions, called as the pipeline calls it, against hostile_worker.c. Built with
 * sanitizers: what is read or written outside of its bounds ends the program, and so does a call that takes longer than
 * its deadline and a grace for a loaded machine.
 *
 * FUZZ_WORKER_SECONDS (30) says how long, FUZZ_WORKER_SEED which seed to begin with; it is printed. One seed is one
 * worker's life.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "runtime/udf/udf_calls.h"

#define SECONDS    30
#define TIMEOUT_MS 150
#define START_MS   800
#define HANG_MS    15000 /* beyond the deadline */
#define CALLS_MAX  24
#define ROWS_MAX   200
#define COLUMNS    3

static struct udf_counts counts;
static struct row_failures failures;
static struct udf_failure failure;
static struct {
	uint64_t lives, started, calls, good, row_failures;
	volatile uint64_t sum; /* of all that was given, so that it is read */
} seen;

static void ignore_line(void *context, const char *function, bool is_stderr, struct slice line)
{
	(void)context;
	(void)function;
	(void)is_stderr;
	for (size_t i = 0; i < line.size; i++)
		seen.sum += (unsigned char)line.data[i];
}

static uint64_t next(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void in_time(uint64_t seed, const char *what, int64_t begin_ms, int64_t limit_ms)
{
	int64_t took_ms = now_ms() - begin_ms;

	if (took_ms <= limit_ms + HANG_MS)
		return;
	fprintf(stderr, "seed %" PRIu64 ": %s took %" PRId64 " ms, its deadline is %" PRId64 " ms\n", seed, what,
	        took_ms, limit_ms);
	abort();
}

static void read_column(const struct column *column, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct value value = column_value(column, i);

		if (column->valid[i] > 1)
			abort();
		if (value.null)
			continue;
		if (value.type != TYPE_STRING) {
			seen.sum += value.type == TYPE_BOOLEAN ? value.boolean : (uint64_t)value.bigint;
			continue;
		}
		for (size_t b = 0; b < value.string.size; b++)
			seen.sum += (unsigned char)value.string.data[b];
	}
}

static void read_rows(const struct udf_signature *signature, const struct udf_rows *rows, size_t parents)
{
	for (size_t i = 0; i < rows->count; i++)
		if (rows->parents[i] >= parents)
			abort();
	for (size_t c = 0; c < signature->results.count; c++)
		read_column(&rows->columns[c], rows->count);
}

struct life {
	uint64_t seed, state;
	struct udf_worker *worker;
	struct udf_signature signature;
	struct column arguments[COLUMNS], *results; /* as the pipeline has them: results_of */
	const struct column *list[COLUMNS];
	uint32_t rows[ROWS_MAX], slots[ROWS_MAX];
};

/* An expression has one column for a scalar function, whatever it declares; the others have what is declared. */
static size_t results_of(const struct life *life)
{
	return life->signature.kind == FUNCTION_SCALAR ? 1 : life->signature.results.count;
}

/* Exactly as many rows as are asked for: what is written beside is outside. */
static void begin(struct life *life, size_t n)
{
	static const enum type kinds[COLUMNS] = {TYPE_BIGINT, TYPE_STRING, TYPE_BOOLEAN};

	for (size_t c = 0; c < COLUMNS; c++) {
		column_init(&life->arguments[c], kinds[c], n);
		life->list[c] = &life->arguments[c];
		for (size_t i = 0; i < n; i++)
			column_set(&life->arguments[c], i,
			           c == 0   ? (struct value){.type = TYPE_BIGINT, .bigint = (int64_t)next(&life->state)}
			           : c == 1 ? (struct value){.type = TYPE_STRING, .string = SLICE_LITERAL("text")}
			                    : (struct value){.type = TYPE_BOOLEAN, .null = i % 2});
	}
	life->results = xcalloc(results_of(life), sizeof(struct column));
	for (size_t c = 0; c < results_of(life); c++)
		column_init(&life->results[c], life->signature.results.columns[c].type, n);
	for (size_t i = 0; i < n; i++) {
		life->rows[i] = (uint32_t)i;
		life->slots[i] = (uint32_t)(next(&life->state) % 50);
	}
}

static void end(struct life *life)
{
	for (size_t c = 0; c < COLUMNS; c++)
		column_release(&life->arguments[c]);
	for (size_t c = 0; c < results_of(life); c++)
		column_release(&life->results[c]);
	free(life->results);
}

static int save_and_merge(struct life *life, size_t n)
{
	struct buffer saved;
	int result;

	buffer_init(&saved);
	result = udf_save(life->worker, 0, life->slots, n, &saved, &failures, &failure);
	if (result == 0 && !failures.count) /* its reasons live until the next call */
		result = udf_merge(life->worker, 1, life->slots, n, buffer_slice(&saved), &failures, &failure);
	buffer_release(&saved);
	return result;
}

static int call(struct life *life, size_t n)
{
	struct udf_arguments arguments = {life->list, COLUMNS, life->rows, n};
	enum function_kind kind = life->signature.kind;
	struct udf_rows rows;
	int result;

	switch (kind == FUNCTION_SCALAR || kind == FUNCTION_TABLE ? 0 : next(&life->state) % 5) {
	case 0:
		if (kind == FUNCTION_SCALAR)
			return udf_eval(life->worker, &arguments, life->results, &failures, &failure);
		if (kind != FUNCTION_TABLE)
			return udf_accumulate(life->worker, 0, life->slots, &arguments, &failures, &failure);
		result = udf_eval_table(life->worker, &arguments, &rows, &failures, &failure);
		break;
	case 1:
		return udf_values(life->worker, 0, life->slots, n, life->results, &failures, &failure);
	case 2:
		result = udf_emit(life->worker, 0, life->slots, n, &rows, &failures, &failure);
		break;
	case 3:
		return udf_clear(life->worker, 0, &failure);
	default:
		return save_and_merge(life, n);
	}
	if (result == 0)
		read_rows(&life->signature, &rows, n);
	return result;
}

static int one_call(struct life *life)
{
	size_t n = 1 + next(&life->state) % ROWS_MAX;
	struct udf_metric metrics[UDF_METRICS_MAX];
	int64_t begin_ms;
	int result;

	begin(life, n);
	failures.count = 0;
	begin_ms = now_ms();
	result = call(life, n);
	in_time(life->seed, "a call", begin_ms, 2 * TIMEOUT_MS);
	seen.calls++;
	seen.good += result == 0;
	if (result < 0)
		seen.sum += strlen(failure.text);
	for (size_t c = 0; result == 0 && c < results_of(life); c++)
		read_column(&life->results[c], n);
	for (size_t i = 0; result == 0 && i < failures.count; i++, seen.row_failures++) {
		if (failures.rows[i] >= n)
			abort();
		seen.sum += strlen(failures.reasons[i]);
	}
	for (size_t i = 0, count = udf_metrics(life->worker, metrics, UDF_METRICS_MAX); i < count; i++)
		seen.sum += strlen(metrics[i].name) + metrics[i].labels_count;
	end(life);
	return result;
}

static void live(uint64_t seed, const char *worker_path)
{
	struct life life = {.seed = seed, .state = seed};
	struct udf_environment environment = {.worker_path = worker_path,
	                                      .python_path = "python",
	                                      .job = "fuzz",
	                                      .counts = &counts,
	                                      .say = ignore_line};
	char entrypoint[32];
	struct function_spec spec = {.name = "hostile",
	                             .kind = (enum function_kind)(seed % 4),
	                             .language = seed % 16 < 12 ? LANGUAGE_NATIVE : LANGUAGE_PYTHON,
	                             .entrypoint = entrypoint,
	                             .code = {.source = CODE_INSTALLED},
	                             .timeout_ms = TIMEOUT_MS,
	                             .start_timeout_ms = START_MS,
	                             .memory_bytes = 64 << 20};
	int64_t begin_ms = now_ms();

	snprintf(entrypoint, sizeof(entrypoint), "m:%" PRIu64, seed);
	seen.lives++;
	life.worker = udf_start(&spec, &environment, &life.signature, &failure);
	in_time(seed, "the start", begin_ms, START_MS);
	if (!life.worker)
		return;
	seen.started++;
	for (int i = 0; i < CALLS_MAX && one_call(&life) == 0; i++)
		;
	begin_ms = now_ms();
	udf_stop(life.worker, &failure);
	in_time(seed, "the end", begin_ms, UDF_CLOSE_MS);
	udf_signature_release(&life.signature);
}

int main(int argc, char **argv)
{
	const char *seconds = getenv("FUZZ_WORKER_SECONDS"), *given = getenv("FUZZ_WORKER_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 1000003u;
	int64_t end_ms = now_ms() + (seconds ? strtoll(seconds, NULL, 10) : SECONDS) * 1000;

	if (argc < 2) {
		fprintf(stderr, "usage: %s HOSTILE_WORKER\n", argv[0]);
		return 2;
	}
	printf("the seeds begin with FUZZ_WORKER_SEED=%" PRIu64 "\n", seed);
	fflush(stdout);
	for (; now_ms() < end_ms; seed++)
		live(seed, argv[1]);
	printf("workers %" PRIu64 ", started %" PRIu64 ", calls %" PRIu64 ", good %" PRIu64 ", failed rows %" PRIu64
	       ";",
	       seen.lives, seen.started, seen.calls, seen.good, seen.row_failures);
	for (int r = 0; r < UDF_REASONS; r++)
		printf(" %s %" PRIu64, udf_reason_name((enum udf_reason)r), counts.failures[r]);
	printf("\n");
	if (!seen.good || !seen.row_failures || seen.started == seen.lives || !counts.failures[UDF_PROTOCOL] ||
	    !counts.failures[UDF_TIMEOUT] || !counts.failures[UDF_CRASH] || !counts.failures[UDF_START])
		fprintf(stderr, "not everything was tried: too short\n");
	else
		printf("1 passed, 0 failed\n");
	return seen.good && counts.failures[UDF_PROTOCOL] ? 0 : 1;
}
