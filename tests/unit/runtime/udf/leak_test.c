/*
 * Nothing grows: this process over many restarts, a worker over many windows. A few of each in the quick run;
 * UDF_RESTARTS=1000 UDF_WINDOWS=10000 for the whole. With UDF_DEBUG_WORKER, a worker with a debug build of CPython, the
 * references of its interpreter are counted too.
 */
#include "tests/unit/runtime/udf/worker_case.h"

#include <dirent.h>

#define RESTARTS 20
#define WINDOWS  300
#define GROUPS   50
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GROWTH_KIB_MAX (1 << 20) /* a sanitizer holds back what is freed */
#else
#define GROWTH_KIB_MAX 2048 /* an arena or a thread's stack that is kept */
#endif
#define REFERENCES_MAX 50 /* of all windows together: caches that fill up */

static size_t count_of(const char *name, size_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

static long resident_kib(const char *who)
{
	char path[64], line[256];
	long kib = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/status", who);
	file = fopen(path, "r");
	assert_non_null(file);
	while (kib < 0 && fgets(line, sizeof(line), file))
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	fclose(file);
	return kib;
}

static size_t descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static const char code[] = "import os, sys\n"
                           "from streamjob import AggregateFunction, DataTypes\n"
                           "class F(AggregateFunction):\n"
                           "    def get_result_type(self): return DataTypes.BIGINT()\n"
                           "    def create_accumulator(self): return {}\n"
                           "    def accumulate(self, acc, x, label):\n"
                           "        if label == 'exit': os._exit(1)\n"
                           "        if label == 'raise': raise ValueError(x)\n"
                           "        acc[label] = acc.get(label, 0) + x\n"
                           "    def merge(self, acc, others):\n"
                           "        for o in others:\n"
                           "            for k, v in o.items(): acc[k] = acc.get(k, 0) + v\n"
                           "    def get_value(self, acc): return sum(acc.values()) if acc else other()\n"
                           "other = getattr(sys, 'gettotalrefcount', os.getpid)\n";

struct window {
	struct column x, label, out;
	const struct column *columns[2];
	uint32_t slots[BATCH_ROWS_MAX];
	char bytes[BATCH_ROWS_MAX][16];
};

static struct window window;

static void make_window(size_t number, bool exits)
{
	for (size_t i = 0; i < BATCH_ROWS_MAX; i++) {
		window.x.valid[i] = window.label.valid[i] = 1;
		window.x.bigints[i] = (int64_t)(1000 + number + i);
		window.slots[i] = (uint32_t)(i % GROUPS);
		snprintf(window.bytes[i], sizeof(window.bytes[i]), "%s%zu", i % 100 == 7 ? "" : "n", number + i);
		if (i % 100 == 7)
			strcpy(window.bytes[i], exits && i > 500 ? "exit" : "raise");
		window.label.strings[i] = slice_of(window.bytes[i]);
	}
}

static void run_window(struct udf_worker *worker, size_t number)
{
	struct udf_arguments arguments = {window.columns, 2, case_rows(), BATCH_ROWS_MAX};
	struct buffer saved;

	make_window(number, false);
	buffer_init(&saved);
	assert_int_equal(udf_accumulate(worker, 0, window.slots, &arguments, &case_failures, &case_failure), 0);
	assert_int_equal(case_failures.count, 11);
	case_failures.count = 0;
	case_alive(udf_save(worker, 0, window.slots, GROUPS, &saved, &case_failures, &case_failure));
	case_alive(udf_merge(worker, 1, window.slots, GROUPS, buffer_slice(&saved), &case_failures, &case_failure));
	case_alive(udf_merge(worker, 1, window.slots, GROUPS, buffer_slice(&saved), &case_failures, &case_failure));
	case_alive(udf_values(worker, 1, window.slots, GROUPS, &window.out, &case_failures, &case_failure));
	for (unsigned table = 0; table < 2; table++)
		case_alive(udf_clear(worker, table, &case_failure));
	buffer_release(&saved);
}

static int set_up(void **state)
{
	(void)state;
	column_init(&window.x, TYPE_BIGINT, BATCH_ROWS_MAX);
	column_init(&window.label, TYPE_STRING, BATCH_ROWS_MAX);
	column_init(&window.out, TYPE_BIGINT, BATCH_ROWS_MAX);
	window.columns[0] = &window.x;
	window.columns[1] = &window.label;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	column_release(&window.x);
	column_release(&window.label);
	column_release(&window.out);
	return 0;
}

static void windows(void **state)
{
	struct function_spec spec = case_function(FUNCTION_AGGREGATE, "m:F", code);
	struct udf_worker *worker = case_start(&spec, NULL);
	size_t count = count_of("UDF_WINDOWS", WINDOWS);
	const uint32_t empty = 200;
	char pid[24];
	long before = 0, own = 0;

	(void)state;
	case_alive(udf_values(worker, 3, &empty, 1, &window.out, &case_failures, &case_failure));
	snprintf(pid, sizeof(pid), "%lld", (long long)window.out.bigints[0]);
	for (size_t i = 0; i < count; i++) {
		run_window(worker, i);
		if (i == count / 4) {
			before = resident_kib(pid);
			own = resident_kib("self");
		}
	}
	if (resident_kib(pid) - before > GROWTH_KIB_MAX || resident_kib("self") - own > 2 * GROWTH_KIB_MAX)
		fail_msg("after %zu windows the worker has %ld KiB, %ld before; this process %ld, %ld before", count,
		         resident_kib(pid), before, resident_kib("self"), own);
	udf_stop(worker, NULL);
}

static void restarts(void **state)
{
	struct function_spec spec = case_function(FUNCTION_AGGREGATE, "m:F", code);
	struct udf_arguments arguments = {window.columns, 2, case_rows(), BATCH_ROWS_MAX};
	size_t count = count_of("UDF_RESTARTS", RESTARTS), open = 0;
	long own = 0;

	(void)state;
	make_window(1, true);
	for (size_t i = 0; i < count; i++) {
		struct udf_worker *worker = case_start(&spec, NULL);

		assert_int_equal(udf_accumulate(worker, 0, window.slots, &arguments, &case_failures, &case_failure),
		                 -1);
		assert_int_equal(case_failure.reason, UDF_CRASH);
		assert_int_equal(case_failure.row, 507);
		udf_stop(worker, NULL);
		if (i == count / 4) {
			own = resident_kib("self");
			open = descriptors();
		}
	}
	assert_int_equal(descriptors(), open);
	if (resident_kib("self") - own > 2 * GROWTH_KIB_MAX)
		fail_msg("after %zu restarts this process has %ld KiB, %ld before", count, resident_kib("self"), own);
}

static int64_t references(struct udf_worker *worker)
{
	const uint32_t empty = 200;

	case_alive(udf_values(worker, 3, &empty, 1, &window.out, &case_failures, &case_failure));
	return window.out.bigints[0];
}

/* Scalar, table and vectorized calls, for the same count. */
static const char calls_code[] = "import sys\n"
                                 "from streamjob import DataTypes, udf, udtf\n"
                                 "@udf(result_type=DataTypes.BIGINT())\n"
                                 "def plain(x, label):\n"
                                 "    if label == 'raise': raise ValueError(label)\n"
                                 "    return sys.gettotalrefcount() if label == 'exit' else x\n"
                                 "@udf(result_type=DataTypes.BIGINT(), func_type='pandas', columns='memoryview')\n"
                                 "def columns(x, label):\n"
                                 "    return [sys.gettotalrefcount() if l == 'exit' else v for v, l in zip(x, label)]\n"
                                 "@udtf(result_types=[DataTypes.BIGINT(), DataTypes.STRING()])\n"
                                 "def rows(x, label):\n"
                                 "    if label == 'raise': raise ValueError(label)\n"
                                 "    yield (sys.gettotalrefcount() if label == 'exit' else x), label\n"
                                 "    yield None, None\n";

static int64_t counted_call(struct udf_worker *worker, enum function_kind kind)
{
	struct udf_arguments arguments = {window.columns, 2, case_rows(), 510};
	struct udf_rows rows;
	int64_t last = 0;

	case_failures.count = 0;
	if (kind == FUNCTION_SCALAR) {
		assert_int_equal(udf_eval(worker, &arguments, &window.out, &case_failures, &case_failure), 0);
		return window.out.bigints[507];
	}
	assert_int_equal(udf_eval_table(worker, &arguments, &rows, &case_failures, &case_failure), 0);
	for (size_t i = 0; i < rows.count; i++)
		if (rows.parents[i] == 507 && rows.columns[0].valid[i])
			last = rows.columns[0].bigints[i];
	return last;
}

/* case_environment with the worker of the debug build; the test is skipped where there is none. */
static void debug_worker(void)
{
	const char *path = getenv("UDF_DEBUG_WORKER");

	if (!path)
		skip();
	case_find();
	case_environment.worker_path = path;
}

static void no_reference_is_lost_in_calls(void **state)
{
	static const struct {
		const char *entrypoint;
		enum function_kind kind;
	} calls[] = {{"m:plain", FUNCTION_SCALAR}, {"m:columns", FUNCTION_SCALAR}, {"m:rows", FUNCTION_TABLE}};

	(void)state;
	debug_worker();
	make_window(1, true);
	for (size_t c = 0; c < sizeof(calls) / sizeof(calls[0]); c++) {
		struct function_spec spec = case_function(calls[c].kind, calls[c].entrypoint, calls_code);
		struct udf_worker *worker = udf_start(&spec, &case_environment, NULL, &case_failure);
		int64_t before = 0, after = 0;

		if (!worker)
			fail_msg("%s", case_failure.text);
		for (size_t i = 0; i < 100; i++) {
			after = counted_call(worker, calls[c].kind);
			if (i == 20)
				before = after;
		}
		assert_true(before > 0);
		if (after - before > REFERENCES_MAX || before - after > REFERENCES_MAX)
			fail_msg("%s: %lld references, %lld after 80 calls", calls[c].entrypoint, (long long)before,
			         (long long)after);
		udf_stop(worker, NULL);
	}
}

static void no_reference_is_lost_in_windows(void **state)
{
	struct function_spec spec = case_function(FUNCTION_AGGREGATE, "m:F", code);
	struct udf_worker *worker;
	int64_t before = 0, after;

	(void)state;
	debug_worker();
	case_failures.count = 0;
	worker = udf_start(&spec, &case_environment, NULL, &case_failure);
	if (!worker)
		fail_msg("%s", case_failure.text);
	for (size_t i = 0; i < 100; i++) {
		run_window(worker, 0);
		if (i == 20)
			before = references(worker);
	}
	after = references(worker);
	if (after - before > REFERENCES_MAX || before - after > REFERENCES_MAX)
		fail_msg("%lld references, %lld after 80 windows", (long long)before, (long long)after);
	udf_stop(worker, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(no_reference_is_lost_in_windows),
	        cmocka_unit_test(no_reference_is_lost_in_calls),
	        cmocka_unit_test(windows),
	        cmocka_unit_test(restarts),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
