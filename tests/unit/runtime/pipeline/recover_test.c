/*
 * The restart path: whatever a user's function does, each row is counted once and no sink sees a window twice.
 */
#include <inttypes.h>

#include "tests/unit/runtime/pipeline/scripted_run.h"

#define SUM_FUNCTION                                                                                                   \
	"  functions:\n"                                                                                               \
	"  - {name: f, kind: aggregate, entrypoint: 'm:f', returns: [{name: s, type: BIGINT}]%s}\n"
#define SUMS                                                                                                           \
	"  groupBy: [k]\n"                                                                                             \
	"  aggregates: [{name: s, expr: f(v)}, {name: c, expr: COUNT(*)}, {name: o, expr: SUM(v)}]\n"

/* The totals of all windows, by the key's number. */
struct totals {
	int64_t sum[3], count[3], other[3];
};

static struct totals add_up(const struct scripted_run *run)
{
	struct totals totals = {0};

	for (const char *line = run->sink.rows.data; *line; line = strchr(line, '\n') + 1) {
		int64_t sum, count, other;
		int key;

		if (sscanf(line, "\"k\":\"k%d\",\"s\":%" SCNd64 ",\"c\":%" SCNd64 ",\"o\":%" SCNd64, &key, &sum, &count,
		           &other) != 4)
			fail_msg("not a row: %s", line);
		totals.sum[key] += sum;
		totals.count[key] += count;
		totals.other[key] += other;
	}
	return totals;
}

/* All rows of all partitions but the value `missing` are there, once. */
static void expect_totals(const char *name, const struct scripted_run *run, int64_t missing)
{
	struct totals found = add_up(run);

	for (int key = 0; key < 3; key++) {
		int64_t sum = 0, count = 0, partitions = (int64_t)run->rows.source.partitions;

		for (int64_t i = key; i < run->rows.rows; i += 3) {
			sum += i == missing ? 0 : i * partitions;
			count += i == missing ? 0 : partitions;
		}
		if (found.sum[key] != sum || found.count[key] != count || found.other[key] != sum)
			fail_msg("%s: k%d has sum %" PRId64 ", count %" PRId64 ", SUM %" PRId64 ", expected %" PRId64
			         " and %" PRId64,
			         name, key, found.sum[key], found.count[key], found.other[key], sum, count);
	}
	for (size_t i = 0; i < run->sink.windows; i++)
		if (run->sink.sequences[i] != i + 1)
			fail_msg("%s: window %zu has sequence %" PRIu64, name, i, run->sink.sequences[i]);
	for (size_t p = 0; p < run->rows.source.partitions; p++)
		assert_int_equal(run->rows.committed[p], run->rows.rows);
}

static char *sums_job(const char *window, const char *policies, const char *rest)
{
	struct buffer text;

	buffer_init(&text);
	buffer_printf(&text, "  window: {tumbling: {size: %s}}\n" SUM_FUNCTION SUMS "%s", window, policies, rest);
	return buffer_take(&text);
}

static void recoverable_test(void **state)
{
	static const struct {
		const char *name, *window;
		size_t partitions;
		unsigned lanes;
		bool clock;
		int start_failures, clear_failures, value_failures, value_exceptions, merge_exceptions;
		int kills_every, kills;
		unsigned rewinds; /* at least */
	} rows[] = {
	        {"nothing goes wrong", "1d", 1, 1, false, 0, 0, 0, 0, 0, 0, 0, 0},
	        {"four lanes", "1d", 4, 4, false, 0, 0, 0, 0, 0, 0, 0, 0},
	        {"many windows", "1s", 1, 1, true, 0, 0, 0, 0, 0, 0, 0, 0},
	        {"a start fails", "1d", 1, 1, false, 2, 0, 0, 0, 0, 0, 0, 0},
	        {"a worker dies", "1d", 1, 1, false, 0, 0, 0, 0, 0, 7, 1, 1},
	        {"workers die in every window", "1s", 1, 1, true, 0, 0, 0, 0, 0, 31, 40, 3},
	        {"one of four lanes' dies", "1d", 4, 4, false, 0, 0, 0, 0, 0, 100, 2, 1},
	        {"get_value hangs", "1s", 1, 1, true, 0, 0, 3, 0, 0, 0, 0, 3},
	        {"get_value raises", "1s", 1, 1, true, 0, 0, 0, 2, 0, 0, 0, 2},
	        {"merge raises", "1d", 4, 4, false, 0, 0, 0, 0, 1, 0, 0, 1},
	        {"a clear fails", "1s", 1, 1, true, 0, 2, 0, 0, 0, 0, 0, 1},
	        {"a window and its clear", "1s", 1, 1, true, 0, 1, 1, 0, 0, 31, 3, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *job = sums_job(rows[i].window, "", "");
		struct scripted_run *run =
		        scripted_on_rows(rows[i].name, job, rows[i].partitions, 10000, rows[i].lanes);

		worker_script.start_failures = rows[i].start_failures;
		worker_script.clear_failures = rows[i].clear_failures;
		worker_script.value_failures = rows[i].value_failures;
		worker_script.value_exceptions = rows[i].value_exceptions;
		worker_script.merge_exceptions = rows[i].merge_exceptions;
		worker_script.kills_every = rows[i].kills_every;
		worker_script.kills_left = rows[i].kills;
		if (rows[i].clock)
			run->options.clock_column = "t";
		scripted_run(run);
		if (run->outcome)
			fail_msg("%s: %s", rows[i].name, run->error.text);
		expect_totals(rows[i].name, run, -1);
		if (run->rows.rewinds < rows[i].rewinds || (!rows[i].rewinds && run->rows.rewinds))
			fail_msg("%s: %u rewinds, expected %u", rows[i].name, run->rows.rewinds, rows[i].rewinds);
		assert_int_equal(functions_healthy(run->functions, &run->error), 0);
		scripted_free(run);
		free(job);
	}
}

/* What get_value and merge raise has values of rows in it: neither the function's state nor the status shows it. */
static void hidden_test(void **state)
{
	(void)state;
	for (unsigned lanes = 1; lanes <= 4; lanes += 3) {
		for (int hide = 0; hide < 2; hide++) {
			char *job = sums_job("1d", "", "");
			struct scripted_run *run = scripted_on_rows("hidden", job, lanes, 1000, lanes);
			const struct function_state *function = &run->functions->items[0];

			run->status.losses.show_values = !hide;
			status_functions(&run->status, run->functions);
			worker_script.value_exceptions = lanes == 1;
			worker_script.merge_exceptions = lanes > 1;
			scripted_run(run);
			assert_int_equal(run->outcome, 0);
			assert_string_equal(function->error_method, lanes == 1 ? "get_value" : "merge");
			assert_string_equal(function->error_message,
			                    hide && lanes == 1 ? "an exception in get_value; spec.showValues shows it"
			                    : hide             ? "an exception in merge; spec.showValues shows it"
			                    : lanes == 1       ? "KeyError: scripted"
			                                       : "TypeError: scripted");
			assert_true(!hide || !strstr(run->status.last_error.text, "scripted"));
			scripted_free(run);
			free(job);
		}
	}
}

/* A crash left window 7 pending: its rows, and only they, are in it, also when a function fails meanwhile. */
static void pending_test(void **state)
{
	char *job = sums_job("1h", "", "");

	(void)state;
	for (unsigned lanes = 1; lanes <= 2; lanes++) {
		struct scripted_run *run = scripted_on_rows("pending", job, 2, 3000, lanes);

		run->rows.source.boundary =
		        (struct boundary){.pending = true, .sequence = 7, .start_ms = 3600000, .end_ms = 7200000};
		for (size_t p = 0; p < 2; p++) {
			run->rows.committed[p] = run->rows.position[p] = 300;
			run->rows.to[p] = 900;
		}
		worker_script.kills_every = 5;
		worker_script.kills_left = 2;
		worker_script.value_failures = 1;
		scripted_run(run);
		if (run->outcome)
			fail_msg("%s", run->error.text);
		assert_int_equal(run->rows.rewinds, 3);
		assert_int_equal(run->sink.windows, 2);
		assert_int_equal(run->sink.sequences[0], 7);
		assert_int_equal(run->sink.sequences[1], 8);
		/* k0 of offsets 300 to 899, twice: 200 values from 300 on, 3 apart. */
		if (!strstr(run->sink.rows.data, "\"k\":\"k0\",\"s\":239400,\"c\":400,"))
			fail_msg("window 7 is %s", run->sink.rows.data);
		scripted_free(run);
	}
	free(job);
}

static void poison_test(void **state)
{
	static const struct {
		const char *name, *policies;
		bool knows_row, letter;
		unsigned lanes;
	} rows[] = {
	        {"to the dead letter", "", true, true, 1},
	        {"no hint", "", false, true, 1},
	        {"left out", ", onPoisonRow: skip", true, false, 1},
	        {"in each of four lanes", "", true, true, 4},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *job = sums_job("1d", rows[i].policies, "  deadLetter: {file: {path: d}}\n");
		struct scripted_run *run = scripted_on_rows(rows[i].name, job, rows[i].lanes, 5000, rows[i].lanes);

		worker_script.poison = 4321;
		worker_script.knows_row = rows[i].knows_row;
		scripted_run(run);
		if (run->outcome)
			fail_msg("%s: %s", rows[i].name, run->error.text);
		expect_totals(rows[i].name, run, 4321);
		assert_true(worker_script.probes >= 1);
		assert_int_equal(run->functions->items[0].poison_rows, rows[i].lanes);
		assert_true(rows[i].letter == (run->letters.count > 0));
		if (rows[i].letter) {
			assert_int_equal(run->letters.offsets[0], 4321);
			assert_non_null(strstr(run->letters.reason, "function f, accumulate: this row kills it"));
			assert_non_null(strstr(run->letters.reason, "timeout"));
		}
		assert_int_equal(run->functions->quarantine.count, 0); /* forgotten with the offsets */
		scripted_free(run);
		free(job);
	}
}

static void exceptions_test(void **state)
{
	static const struct {
		const char *name, *policies;
		int64_t missing; /* of the built-in aggregates; the function's own has it never */
		size_t letters;
	} rows[] = {
	        {"skip", ", onError: skip", 77, 0},
	        {"deadLetter", ", onError: deadLetter", 77, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *job = sums_job("1d", rows[i].policies, "  deadLetter: {file: {path: d}}\n");
		struct scripted_run *run = scripted_on_rows(rows[i].name, job, 1, 1000, 1);

		worker_script.raises = 77;
		scripted_run(run);
		if (run->outcome)
			fail_msg("%s: %s", rows[i].name, run->error.text);
		expect_totals(rows[i].name, run, rows[i].missing);
		assert_int_equal(run->letters.count, rows[i].letters);
		assert_int_equal(run->rows.rewinds, 0);
		assert_string_equal(run->functions->items[0].error_message, "ValueError: scripted");
		scripted_free(run);
		free(job);
	}
}

/* null: only the function's own aggregate leaves the row out. */
static void null_test(void **state)
{
	char *job = sums_job("1d", ", onError: 'null'", "");
	struct scripted_run *run = scripted_on_rows("null", job, 1, 300, 1);
	struct totals totals;

	(void)state;
	worker_script.raises = 75;
	scripted_run(run);
	totals = add_up(run);
	assert_int_equal(run->outcome, 0);
	assert_int_equal(totals.sum[0], totals.other[0] - 75);
	assert_int_equal(totals.count[0], 100);
	scripted_free(run);
	free(job);
}

static void fails_test(void **state)
{
	static const struct {
		const char *name, *policies;
		int64_t raises, poison;
		int starts, kills;
		const char *words;
	} rows[] = {
	        {"onError: fail", "", 77, -1, 0, 0, "accumulate raised on the record at partition 0, offset 77"},
	        {"onPoisonRow: fail", ", onPoisonRow: fail", -1, 78, 0, 0,
	         "this row kills it again and again (timeout)"},
	        {"never starts", "", -1, -1, 100, 0, "given up after 4 restarts: function f: scripted start in open"},
	        {"always dies", "", -1, -1, 0, 1000000, "given up after 4 restarts: function f: scripted crash"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *job = sums_job("1d", rows[i].policies, "");
		struct scripted_run *run = scripted_on_rows(rows[i].name, job, 1, 1000, 1);

		worker_script.raises = rows[i].raises;
		worker_script.poison = rows[i].poison;
		worker_script.start_failures = rows[i].starts;
		worker_script.kills_every = rows[i].kills ? 1 : 0;
		worker_script.kills_left = rows[i].kills;
		scripted_run(run);
		if (!run->outcome || !strstr(run->error.text, rows[i].words))
			fail_msg("%s: %d, %s", rows[i].name, run->outcome, run->error.text);
		assert_int_equal(run->sink.windows, 0);
		assert_int_equal(run->rows.committed[0], 0);
		assert_true(functions_healthy(run->functions, &run->error) < 0);
		scripted_free(run);
		free(job);
	}
}

/* Which failures of the first start are the job file's, and end the job at once, whether its input ends or not. */
static void refused_test(void **state)
{
	static const struct {
		const char *method;
		enum udf_reason reason;
		bool refused;
	} rows[] = {
	        {"import", UDF_START, true},   {"import", UDF_CRASH, true},     {"import", UDF_TIMEOUT, false},
	        {"import", UDF_MEMORY, false}, {"import", UDF_PROTOCOL, false}, {"open", UDF_START, false},
	        {"open", UDF_CRASH, false},    {"open", UDF_TIMEOUT, false},    {"start", UDF_START, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int bounded = 0; bounded < 2; bounded++) {
			char *job = sums_job("1d", "", "");
			struct scripted_run *run = scripted_on_rows(rows[i].method, job, 1, 1000, 1);

			run->rows.source.bounded = bounded || !rows[i].refused;
			worker_script.start_failures = 2;
			worker_script.start_method = rows[i].method;
			worker_script.start_reason = rows[i].reason;
			scripted_run(run);
			if ((run->outcome < 0) != rows[i].refused || worker_script.start_failures != rows[i].refused)
				fail_msg("%s, %s: %d, and %d more failures were to come: %s", rows[i].method,
				         udf_reason_name(rows[i].reason), run->outcome,
				         (int)worker_script.start_failures, run->error.text);
			scripted_free(run);
			free(job);
		}
	}
}

static void *stop_when_stopped(void *context)
{
	struct scripted_run *run = context;

	while (atomic_load(&run->status.phase) != PHASE_STOPPED)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	assert_true(status_ready(&run->status, &run->error) < 0);
	if (!strstr(run->error.text,
	            "the job has stopped reading, and its offsets stay: function f: accumulate raised"))
		fail_msg("%s", run->error.text);
	atomic_store(&run->stop.requested, true);
	return NULL;
}

/* An unbounded job does not end by itself: it says that it has stopped, and waits. */
static void stops_test(void **state)
{
	char *job = sums_job("1d", "", "");
	struct scripted_run *run = scripted_on_rows("stops", job, 1, 1000, 1);
	pthread_t thread;

	(void)state;
	run->rows.source.bounded = false;
	worker_script.raises = 5;
	assert_int_equal(pthread_create(&thread, NULL, stop_when_stopped, run), 0);
	scripted_run(run);
	pthread_join(thread, NULL);
	assert_int_equal(run->outcome, -1);
	assert_int_equal(run->rows.committed[0], 0);
	scripted_free(run);
	free(job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(recoverable_test), cmocka_unit_test(pending_test),    cmocka_unit_test(hidden_test),
	        cmocka_unit_test(poison_test),      cmocka_unit_test(exceptions_test), cmocka_unit_test(null_test),
	        cmocka_unit_test(fails_test),       cmocka_unit_test(refused_test),    cmocka_unit_test(stops_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
