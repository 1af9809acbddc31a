/*
 * Functions that do what no function should. Each case says which call fails, how, and which words the failure has;
 * then a fresh worker with a good function must work, and no process may be left.
 */
#include <sys/wait.h>

#include "tests/unit/runtime/udf/worker_case.h"

#define SHORT_TIMEOUT_MS 700
#define AGAIN_MAX        500

enum call { START, ACCUMULATE, AGAIN, VALUES, MERGE, STOP };
#define ROW_FAILURE UDF_REASONS

/* Parts of a class; each case replaces what it needs. */
#define HEAD "import ctypes, os, signal, sys, threading, time\nfrom streamjob import AggregateFunction, DataTypes\n"
#define CLASS                                                                                                          \
	"class F(AggregateFunction):\n"                                                                                \
	"    def get_result_type(self): return DataTypes.BIGINT()\n"                                                   \
	"    def create_accumulator(self): return [0]\n"                                                               \
	"    def accumulate(self, acc, x): acc[0] += x\n"                                                              \
	"    def merge(self, acc, others): acc[0] += sum(o[0] for o in others)\n"                                      \
	"    def get_value(self, acc): return acc[0]\n"

/* Writes over a page of what it shares with the runtime. */
#define MAPS                                                                                                           \
	"base = min(int(l.split('-')[0], 16) for l in open('/proc/self/maps') if 'memfd:streamjob-worker' in l)\n"     \
	"def scribble(at, size=4096): ctypes.memset(base + at, 0xff, size)\n"
/* The futex system call; the reply's number, on which the lane sleeps, is the word at base + 12. */
#define FUTEX                                                                                                          \
	"def futex(at, operation, value, value2, at2):\n"                                                              \
	"    ctypes.CDLL(None).syscall(202 if os.uname().machine == 'x86_64' else 98, ctypes.c_void_p(at), "           \
	"operation, value, ctypes.c_void_p(value2), ctypes.c_void_p(at2), 0)\n"

static const struct bad {
	const char *name, *code;
	enum call call;
	int reason; /* or ROW_FAILURE */
	const char *method, *words;
} bads[] = {
        {"sleeps at import", HEAD "time.sleep(1000)\n" CLASS, START, UDF_TIMEOUT, "import", "m.py\", line 3"},
        {"sleeps in __init__", HEAD CLASS "    def __init__(self): time.sleep(1000)\n", START, UDF_TIMEOUT, "import",
         "in __init__"},
        {"sleeps in open", HEAD CLASS "    def open(self, c): time.sleep(1000)\n", START, UDF_TIMEOUT, "open",
         "in open"},
        {"sleeps in create_accumulator", HEAD CLASS "    def create_accumulator(self): time.sleep(1000)\n", ACCUMULATE,
         UDF_TIMEOUT, "create_accumulator", "in create_accumulator"},
        {"sleeps in accumulate", HEAD CLASS "    def accumulate(self, acc, x):\n        if x == 2: time.sleep(1000)\n",
         ACCUMULATE, UDF_TIMEOUT, "accumulate", "at row 2 of the batch"},
        {"sleeps in get_value", HEAD CLASS "    def get_value(self, acc): time.sleep(1000)\n", VALUES, UDF_TIMEOUT,
         "get_value", "in get_value"},
        {"sleeps in merge", HEAD CLASS "    def merge(self, acc, o): time.sleep(1000)\n", MERGE, UDF_TIMEOUT, "merge",
         "in merge"},
        {"sleeps in close", HEAD CLASS "    def close(self): time.sleep(1000)\n", STOP, UDF_TIMEOUT, "close",
         "in close"},
        {"loops with the GIL", HEAD CLASS "    def accumulate(self, acc, x):\n        while True: pass\n", ACCUMULATE,
         UDF_TIMEOUT, "accumulate", "m.py\", line 10 in accumulate"},
        {"blocks signals, then loops",
         HEAD CLASS
         "    def accumulate(self, acc, x):\n        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))\n"
         "        while True: pass\n",
         ACCUMULATE, UDF_TIMEOUT, "accumulate", "did not come back"},
        {"changes signal handlers",
         HEAD CLASS
         "    def accumulate(self, acc, x):\n        for s in (2, 15, 10, 12): signal.signal(s, lambda *a: None)\n"
         "        time.sleep(1000)\n",
         ACCUMULATE, UDF_TIMEOUT, "accumulate", "did not come back"},
        {"floods stdout", HEAD CLASS "    def accumulate(self, acc, x):\n        while True: print('x' * 1000)\n",
         ACCUMULATE, UDF_TIMEOUT, "accumulate", "did not come back"},
        {"os._exit", HEAD CLASS "    def accumulate(self, acc, x): os._exit(3)\n", ACCUMULATE, UDF_CRASH, "accumulate",
         "exit code 3"},
        {"segfault", HEAD CLASS "    def accumulate(self, acc, x): ctypes.string_at(8)\n", ACCUMULATE, UDF_CRASH,
         "accumulate", "Segmentation fault"},
        {"segfault in open", HEAD CLASS "    def open(self, c): ctypes.string_at(8)\n", START, UDF_CRASH, "open",
         "in open"},
        {"kills itself", HEAD CLASS "    def accumulate(self, acc, x): os.kill(os.getpid(), 9)\n", ACCUMULATE,
         UDF_MEMORY, "accumulate", "killed"},
        {"fork bomb", HEAD CLASS "    def accumulate(self, acc, x):\n        while True: os.fork()\n", ACCUMULATE,
         ROW_FAILURE, "accumulate", "PermissionError"},
        {"subprocess", HEAD CLASS "    def accumulate(self, acc, x): os.system('true') and 1/0\n", ACCUMULATE,
         ROW_FAILURE, "accumulate", "ZeroDivisionError"},
        {"kills the runtime", HEAD CLASS "    def accumulate(self, acc, x): os.kill(os.getppid(), 9)\n", ACCUMULATE,
         ROW_FAILURE, "accumulate", "PermissionError"},
        {"lifts its limits",
         HEAD "import resource\n" CLASS
              "    def accumulate(self, acc, x): resource.setrlimit(resource.RLIMIT_DATA, (-1, -1))\n",
         ACCUMULATE, ROW_FAILURE, "accumulate", "m.py\", line"},
        {"eats memory, and lets go", HEAD CLASS "    def accumulate(self, acc, x): bytearray(1 << 32)\n", ACCUMULATE,
         UDF_MEMORY, "accumulate", "in accumulate"},
        {"eats memory at a row",
         HEAD CLASS "    def accumulate(self, acc, x):\n        if x == 2: [bytearray(1 << 20) for _ in range(4000)]\n",
         ACCUMULATE, UDF_MEMORY, "accumulate", "keep less, or raise memory"},
        {"eats memory, and catches it",
         HEAD CLASS "    def accumulate(self, acc, x):\n        try: bytearray(1 << 32)\n"
                    "        except MemoryError: raise ValueError('too much')\n",
         ACCUMULATE, ROW_FAILURE, "accumulate", "ValueError: too much"},
        {"eats memory in get_value", HEAD CLASS "    def get_value(self, acc): bytearray(1 << 32)\n", VALUES,
         UDF_MEMORY, "get_value", "MemoryError"},
        {"eats memory, and holds it",
         HEAD "kept = []\n" CLASS
              "    def accumulate(self, acc, x):\n        while True: kept.append(bytearray(1 << 20))\n",
         ACCUMULATE, UDF_MEMORY, "accumulate", "MemoryError"},
        {"eats memory in open", HEAD CLASS "    def open(self, c): self.kept = bytearray(1 << 32)\n", START, UDF_MEMORY,
         "open", "memory"},
        {"eats shared memory of /dev/zero",
         HEAD "import mmap\nkept = []\n" CLASS
              "    def accumulate(self, acc, x):\n        f = open('/dev/zero', 'r+b')\n"
              "        for _ in range(60):\n            m = mmap.mmap(f.fileno(), 32 << 20)\n"
              "            m.write(b'x' * (32 << 20))\n            kept.append(m)\n            time.sleep(0.02)\n"
              "        time.sleep(1000)\n",
         ACCUMULATE, UDF_MEMORY, "accumulate", "with shared mappings its process held"},
        {"aborts for want of memory",
         HEAD CLASS "    def accumulate(self, acc, x):\n        os.write(2, b'std::bad_alloc')\n        os.abort()\n",
         ACCUMULATE, UDF_MEMORY, "accumulate", "for want of memory"},
        {"has 600 threads",
         HEAD CLASS
         "    def accumulate(self, acc, x):\n        threading.stack_size(32768)\n        e = threading.Event()\n"
         "        for _ in range(600): threading.Thread(target=e.wait, daemon=True).start()\n"
         "        time.sleep(1000)\n",
         ACCUMULATE, UDF_MEMORY, "accumulate", "needs more than 512 threads"},
        {"closes all descriptors, and writes",
         HEAD CLASS "    def accumulate(self, acc, x):\n        os.closerange(0, 1000)\n        os.write(1, b'x')\n",
         ACCUMULATE, ROW_FAILURE, "accumulate", "Bad file descriptor"},
        {"sends the sleeper to another word, and ends",
         HEAD MAPS FUTEX CLASS "    def accumulate(self, acc, x):\n        futex(base + 12, 3, 0, 100, base + 4096)\n"
                               "        os._exit(3)\n",
         ACCUMULATE, UDF_CRASH, "accumulate", "exit code 3"},
        {"wakes the lane without end",
         HEAD MAPS FUTEX CLASS
         "    def accumulate(self, acc, x):\n        while True: futex(base + 12, 1, 100, 0, 0)\n",
         ACCUMULATE, UDF_TIMEOUT, "accumulate", "did not come back"},
        {"answers with a number that is none",
         HEAD MAPS FUTEX CLASS "    def accumulate(self, acc, x):\n        ctypes.memset(base + 12, 0x55, 4)\n"
                               "        futex(base + 12, 1, 100, 0, 0)\n        time.sleep(1000)\n",
         ACCUMULATE, UDF_PROTOCOL, "accumulate", "makes no sense"},
        {"raises at import", HEAD "1 / 0\n" CLASS, START, UDF_START, "import", "ZeroDivisionError"},
        {"does not parse", HEAD "def (\n", START, UDF_START, "import", "SyntaxError"},
        {"raises in __init__", HEAD CLASS "    def __init__(self): 1 / 0\n", START, UDF_START, "import",
         "ZeroDivisionError"},
        {"raises in open", HEAD CLASS "    def open(self, c): 1 / 0\n", START, UDF_START, "open", "ZeroDivisionError"},
        {"raises in create_accumulator", HEAD CLASS "    def create_accumulator(self): 1 / 0\n", ACCUMULATE,
         ROW_FAILURE, "", "in create_accumulator"},
        {"raises in accumulate", HEAD CLASS "    def accumulate(self, acc, x): 1 / 0\n", ACCUMULATE, ROW_FAILURE, "",
         "with (0)"},
        {"raises in get_value", HEAD CLASS "    def get_value(self, acc): 1 / 0\n", VALUES, ROW_FAILURE, "",
         "in get_value"},
        {"raises in merge", HEAD CLASS "    def merge(self, acc, o): 1 / 0\n", MERGE, ROW_FAILURE, "", "in merge"},
        {"raises in close", HEAD CLASS "    def close(self): 1 / 0\n", STOP, UDF_CRASH, "close", "ZeroDivisionError"},
        {"sys.exit", HEAD CLASS "    def accumulate(self, acc, x): sys.exit(1)\n", ACCUMULATE, ROW_FAILURE, "",
         "SystemExit"},
        {"wrong type", HEAD CLASS "    def get_value(self, acc): return 'text'\n", VALUES, ROW_FAILURE, "",
         "declared as BIGINT, but the function gave str"},
        {"does not fit", HEAD CLASS "    def get_value(self, acc): return 1 << 63\n", VALUES, ROW_FAILURE, "",
         "does not fit the declared BIGINT"},
        {"wrong arity", HEAD CLASS "    def accumulate(self, acc, x, y): pass\n", ACCUMULATE, ROW_FAILURE, "",
         "missing 1 required positional argument"},
        {"no get_value",
         HEAD "class F(AggregateFunction):\n    def create_accumulator(self): return []\n"
              "    def accumulate(self, acc, x): pass\n",
         START, UDF_START, "import", "get_value"},
        {"recursion", HEAD CLASS "    def accumulate(self, acc, x): self.accumulate(acc, x)\n", ACCUMULATE, ROW_FAILURE,
         "", "RecursionError"},
        {"runs out of stack", /* CPython counts the depth, but does not know how small a thread's stack is */
         HEAD CLASS
         "    def accumulate(self, acc, x):\n        sys.setrecursionlimit(1 << 30)\n"
         "        class A:\n            def __repr__(self): return repr(self)\n"
         "        threading.stack_size(65536)\n"
         "        thread = threading.Thread(target=lambda: repr(A()))\n        thread.start()\n        thread.join()\n",
         ACCUMULATE, UDF_CRASH, "accumulate", "crashed"},
        {"imports what is not there", HEAD "import nothing_of_the_sort\n" CLASS, START, UDF_START, "import",
         "No module named 'nothing_of_the_sort'"},
        {"spawns threads for ever",
         HEAD CLASS "    def accumulate(self, acc, x):\n"
                    "        while True: threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n",
         ACCUMULATE, ROW_FAILURE, "", "can't start new thread"},
        {"writes over the request", HEAD MAPS CLASS "    def accumulate(self, acc, x): scribble(65536)\n", ACCUMULATE,
         UDF_CRASH, "accumulate", "Segmentation fault"},
        {"writes over the control block, behind the reply's number",
         HEAD MAPS CLASS "    def accumulate(self, acc, x):\n        scribble(16)\n        os._exit(1)\n", ACCUMULATE,
         UDF_CRASH, "?", "exit code 1"},
        {"writes over the control block",
         HEAD MAPS FUTEX CLASS "    def accumulate(self, acc, x):\n        scribble(0)\n"
                               "        futex(base + 12, 1, 100, 0, 0)\n        time.sleep(1000)\n",
         ACCUMULATE, UDF_PROTOCOL, "?", "makes no sense"},
        {"writes over its answers",
         HEAD MAPS "def later():\n    while True: scribble(65536 + (32 << 20))\n" CLASS
                   "    def accumulate(self, acc, x):\n"
                   "        if threading.active_count() == 1: threading.Thread(target=later, daemon=True).start()\n"
                   "        time.sleep(0.005)\n",
         AGAIN, UDF_PROTOCOL, "", "wrote over the memory"},
};

static int run(struct udf_worker **worker, enum call last)
{
	int64_t xs[] = {0, 1, 2, 3};
	struct column x = case_column(TYPE_BIGINT, xs, 4, NULL), out;
	const struct column *columns[] = {&x};
	struct udf_arguments arguments = {columns, 1, case_rows(), 4};
	const uint32_t slots[] = {0, 1, 0, 1};
	struct buffer saved;
	int result;

	column_init(&out, TYPE_BIGINT, 4);
	buffer_init(&saved);
	result = udf_accumulate(*worker, 0, slots, &arguments, &case_failures, &case_failure);
	for (int again = 0; again < AGAIN_MAX && last == AGAIN && result == 0; again++)
		result = udf_accumulate(*worker, 0, slots, &arguments, &case_failures, &case_failure);
	if (result == 0 && last == VALUES)
		result = udf_values(*worker, 0, slots, 2, &out, &case_failures, &case_failure);
	if (result == 0 && last == MERGE)
		result = udf_save(*worker, 0, slots, 2, &saved, &case_failures, &case_failure);
	if (result == 0 && last == MERGE)
		result = udf_merge(*worker, 0, slots, 2, buffer_slice(&saved), &case_failures, &case_failure);
	if (result == 0 && last == STOP) {
		result = udf_stop(*worker, &case_failure);
		*worker = NULL;
	}
	buffer_release(&saved);
	column_release(&x);
	column_release(&out);
	return result;
}

static void look_at(const struct bad *bad, int result)
{
	const char *text = result < 0 ? case_failure.text : case_failures.count ? case_failures.reasons[0] : "";

	if (bad->reason == ROW_FAILURE) {
		if (result < 0 || !case_failures.count)
			fail_msg("%s: not the failure of a row: %s", bad->name, result < 0 ? text : "nothing failed");
	} else if (result == 0) {
		fail_msg("%s: nothing failed", bad->name);
	} else {
		if ((int)case_failure.reason != bad->reason)
			fail_msg("%s: %s: %s", bad->name, udf_reason_name(case_failure.reason), text);
		if (bad->method[0] && strcmp(case_failure.method, bad->method) != 0)
			fail_msg("%s: in %s: %s", bad->name, case_failure.method, text);
		if (strcmp(case_failure.function, "score") != 0 || !strstr(text, "function score, "))
			fail_msg("%s: the function has no name: %s", bad->name, text);
	}
	if (!strstr(text, bad->words))
		fail_msg("%s: no \"%s\" in: %s", bad->name, bad->words, text);
}

static void good_works(const char *after)
{
	struct function_spec spec = case_function(FUNCTION_AGGREGATE, "m:F", HEAD CLASS);
	struct udf_worker *worker = case_start(&spec, NULL);
	int result = run(&worker, VALUES);

	if (result < 0 || case_failures.count)
		fail_msg("after %s: %s", after, result < 0 ? case_failure.text : case_failures.reasons[0]);
	udf_stop(worker, NULL);
}

static void one_bad_function(void **state)
{
	const struct bad *bad = &bads[*(const size_t *)*state];
	struct function_spec spec = case_function(FUNCTION_AGGREGATE, "m:F", bad->code);
	struct udf_worker *worker;
	int result = -1;

	if (bad->reason == UDF_TIMEOUT && bad->call == START)
		spec.start_timeout_ms = 2 * SHORT_TIMEOUT_MS;
	else if (bad->reason == UDF_TIMEOUT)
		spec.timeout_ms = SHORT_TIMEOUT_MS;
	case_find();
	case_failures.count = 0;
	worker = udf_start(&spec, &case_environment, NULL, &case_failure);
	if (worker && bad->call == START)
		fail_msg("%s: it started", bad->name);
	if (!worker && bad->call != START)
		fail_msg("%s: %s", bad->name, case_failure.text);
	if (worker)
		result = run(&worker, bad->call);
	look_at(bad, result);
	udf_stop(worker, NULL);
	good_works(bad->name);
	if (waitpid(-1, NULL, WNOHANG) != -1)
		fail_msg("%s: a process is left", bad->name);
}

/* Most of the time is spent waiting for deadlines: so some at once, each in a process of its own. */
static pid_t begin_case(size_t number, FILE *said)
{
	pid_t pid = fork();

	if (pid == 0) {
		char digits[24];
		char program[] = "/proc/self/exe";
		char *arguments[] = {program, digits, NULL};

		snprintf(digits, sizeof(digits), "%zu", number);
		dup2(fileno(said), STDOUT_FILENO);
		dup2(fileno(said), STDERR_FILENO);
		execv(program, arguments);
		_exit(127);
	}
	return pid;
}

static size_t end_case(FILE *const *said, const pid_t *pids, size_t count)
{
	int status = 0;
	pid_t ended = wait(&status);
	char line[4096];
	size_t i = 0;

	while (i < count && pids[i] != ended)
		i++;
	assert_true(i < count);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	rewind(said[i]);
	while (fgets(line, sizeof(line), said[i]))
		fputs(line, stderr);
	print_error("%s: the case ended with status %d\n", bads[i].name, status);
	return 1;
}

#define BADS    (sizeof(bads) / sizeof(bads[0]))
#define AT_ONCE 6

static void bad_functions(void **state)
{
	FILE *said[BADS];
	pid_t pids[BADS];
	size_t begun = 0, ended = 0, failed = 0;

	(void)state;
	while (ended < BADS) {
		if (begun < BADS && begun - ended < AT_ONCE) {
			said[begun] = tmpfile();
			assert_non_null(said[begun]);
			pids[begun] = begin_case(begun, said[begun]);
			assert_true(pids[begun++] > 0);
		} else {
			failed += end_case(said, pids, begun);
			ended++;
		}
	}
	for (size_t i = 0; i < BADS; i++)
		fclose(said[i]);
	assert_int_equal(failed, 0);
}

/* Every call after the failure says the same, and none waits. */
static void a_dead_worker_stays_dead(void **state)
{
	struct function_spec spec =
	        case_function(FUNCTION_AGGREGATE, "m:F", HEAD CLASS "    def accumulate(self, acc, x): os._exit(3)\n");
	struct udf_worker *worker = case_start(&spec, NULL);

	(void)state;
	assert_int_equal(run(&worker, ACCUMULATE), -1);
	memset(&case_failure, 0, sizeof(case_failure));
	assert_int_equal(run(&worker, ACCUMULATE), -1);
	assert_int_equal(case_failure.reason, UDF_CRASH);
	assert_int_equal(udf_clear(worker, 0, &case_failure), -1);
	assert_int_equal(case_counts.failures[UDF_CRASH], 1);
	udf_stop(worker, NULL);
}

static void the_row_that_kills_is_found(void **state)
{
	int64_t xs[100];
	struct column x;
	const struct column *columns[] = {&x};
	struct udf_arguments arguments = {columns, 1, case_rows(), 100};
	struct function_spec spec =
	        case_function(FUNCTION_AGGREGATE, "m:F",
	                      HEAD CLASS "    def accumulate(self, acc, x):\n        if x == 63: os._exit(1)\n");
	uint32_t row = 0;

	(void)state;
	for (int64_t i = 0; i < 100; i++)
		xs[i] = i;
	x = case_column(TYPE_BIGINT, xs, 100, NULL);
	case_find();
	assert_int_equal(udf_probe_rows(&spec, &case_environment, &arguments, &row, &case_failure), 0);
	assert_int_equal(row, 63);
	arguments.n = 50;
	assert_int_equal(udf_probe_rows(&spec, &case_environment, &arguments, &row, &case_failure), 0);
	assert_true(row == UDF_NO_ROW);
	column_release(&x);
}

static void backoff(void **state)
{
	(void)state;
	assert_int_equal(udf_backoff_ms(0, 7), 0);
	assert_int_equal(udf_backoff_ms(1, 0), 50);
	assert_int_equal(udf_backoff_ms(2, 100), 200);
	for (unsigned failures = 1; failures < 100; failures++) {
		assert_true(udf_backoff_ms(failures, UINT64_MAX) <= 30000);
		assert_true(udf_backoff_ms(failures, 0) >= 50);
	}
	assert_int_equal(udf_backoff_ms(99, 15000), 30000);
}

/* Without arguments all tests; with a number that case alone. */
int main(int argc, char **argv)
{
	size_t number = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	const struct CMUnitTest one[] = {cmocka_unit_test_prestate(one_bad_function, &number)};
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(bad_functions),
	        cmocka_unit_test(a_dead_worker_stays_dead),
	        cmocka_unit_test(the_row_that_kills_is_found),
	        cmocka_unit_test(backoff),
	};

	if (argc > 1 && number < BADS)
		return cmocka_run_group_tests(one, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
