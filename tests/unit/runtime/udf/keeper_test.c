/* The keeper and what it reads: floods, and a log that takes no line, cost the runtime little and the lane nothing. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

#include "runtime/udf/output.h"
#include "tests/unit/runtime/udf/worker_case.h"

#define TIMEOUT_MS 500

#define HEAD "import os, sys, threading, time\nfrom streamjob import DataTypes, udf\n"
#define TAIL "f = udf(g, result_type=DataTypes.BIGINT())\n"

struct said {
	size_t lines, bytes;
	struct buffer text;
};

static void note(void *context, bool is_stderr, struct slice line)
{
	struct said *said = context;

	said->lines++;
	said->bytes += line.size;
	buffer_append_text(&said->text, is_stderr ? "2:" : "1:");
	buffer_append_slice(&said->text, line.size > 200 ? (struct slice){line.data, 200} : line);
	buffer_append_char(&said->text, '\n');
}

static void begin(struct output *output, struct said *said, int *ret_write)
{
	int ends[2];

	memset(output, 0, sizeof(*output));
	*said = (struct said){0};
	buffer_init(&said->text);
	output_init(output, note, said);
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	output->streams[1].fd = ends[0];
	*ret_write = ends[1];
}

static void end(struct output *output, struct said *said, int write_end)
{
	close(write_end);
	output_release(output);
	buffer_release(&said->text);
}

static void lines_of_blocks(void **state)
{
	static const struct {
		const char *name;
		struct slice blocks[3];
		const char *said;
	} cases[] = {
	        {"two lines", {SLICE_LITERAL("one\ntwo\n")}, "2:one\n2:two\n"},
	        {"a line over blocks",
	         {SLICE_LITERAL("o"), SLICE_LITERAL("n"), SLICE_LITERAL("e\ntwo")},
	         "2:one\n2:two\n"},
	        {"an empty one", {SLICE_LITERAL("\n\nx\n")}, "2:\n2:\n2:x\n"},
	        {"NULs", {SLICE_LITERAL("a\0b\0\n\0"), SLICE_LITERAL("\0\n")}, "2:a b \n2:  \n"},
	        {"nothing", {SLICE_LITERAL("")}, ""},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct output output;
		struct said said;
		int write_end;

		begin(&output, &said, &write_end);
		for (size_t b = 0; b < 3 && cases[c].blocks[b].size; b++) {
			assert_int_equal(write(write_end, cases[c].blocks[b].data, cases[c].blocks[b].size),
			                 cases[c].blocks[b].size);
			assert_true(output_read(&output, 1));
		}
		output_drain(&output);
		if (strcmp(said.text.size ? said.text.data : "", cases[c].said) != 0)
			fail_msg("%s: %s", cases[c].name, said.text.data);
		end(&output, &said, write_end);
	}
}

/* Ten times the budget, within however many seconds it takes: of each second the budget at most. */
static void a_flood_is_thrown_away(void **state)
{
	static char block[60000];
	struct output output;
	struct said said;
	struct buffer tail;
	int64_t seconds;
	int write_end;

	(void)state;
	memset(block, 'x', sizeof(block));
	for (size_t at = 999; at < sizeof(block); at += 1000)
		block[at] = '\n';
	begin(&output, &said, &write_end);
	seconds = time(NULL);
	for (size_t written = 0; written < 10 * OUTPUT_BYTES_MAX; written += sizeof(block)) {
		assert_int_equal(write(write_end, block, sizeof(block)), sizeof(block));
		assert_true(output_read(&output, 1));
	}
	seconds = time(NULL) - seconds + 2;
	assert_int_equal(write(write_end, "the last words\n", 15), 15);
	output_drain(&output);
	assert_true(said.lines <= (size_t)seconds * (UDF_LINES_MAX + 1));
	assert_true(said.bytes <= (size_t)seconds * OUTPUT_BYTES_MAX);
	assert_non_null(strstr(said.text.data, " more bytes within a second were left out)"));
	buffer_init(&tail);
	output_tail(&output, &tail);
	assert_int_equal(tail.size, TAIL_BYTES_MAX - 1);
	assert_string_equal(tail.data + tail.size - 14, "the last words");
	buffer_release(&tail);
	end(&output, &said, write_end);
}

static double own_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void floods_cost_little(void **state)
{
	static const char *const floods[] = {
	        "b = b'\\n' * 65536\n",
	        "b = b'x' * 1000 + b'\\n'\n",
	        "b = b'x' * 65536\n",
	        "b = b'y'\n",
	};
	int64_t values[] = {1};
	struct column x = case_column(TYPE_BIGINT, values, 1, NULL), out;
	const struct column *columns[] = {&x};
	struct udf_arguments arguments = {columns, 1, case_rows(), 1};

	(void)state;
	column_init(&out, TYPE_BIGINT, 1);
	for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
		struct buffer code;
		struct function_spec spec;
		struct udf_worker *worker;
		double cpu, wall;

		buffer_init(&code);
		buffer_printf(
		        &code,
		        HEAD
		        "%sdef flood(fd):\n    while True: os.write(fd, b)\n"
		        "def g(x):\n    if threading.active_count() == 1:\n"
		        "        for fd in (1, 2): threading.Thread(target=flood, args=(fd,), daemon=True).start()\n"
		        "    time.sleep(0.2)\n    return x\n" TAIL,
		        floods[i]);
		spec = case_function(FUNCTION_SCALAR, "m:f", code.data);
		worker = case_start(&spec, NULL);
		case_alive(udf_eval(worker, &arguments, &out, &case_failures, &case_failure));
		cpu = own_seconds();
		wall = now_seconds();
		for (int turn = 0; turn < 4; turn++)
			case_alive(udf_eval(worker, &arguments, &out, &case_failures, &case_failure));
		cpu = own_seconds() - cpu;
		wall = now_seconds() - wall;
		if (cpu > wall / 2)
			fail_msg("flood %zu: %.2f s of a core in %.2f s", i, cpu, wall);
		udf_stop(worker, NULL);
		buffer_release(&code);
	}
	column_release(&x);
	column_release(&out);
}

static pthread_mutex_t stuck = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int stuck_lines, passed_lines;

static void get_stuck(void *context, const char *function, bool is_stderr, struct slice line)
{
	(void)context;
	(void)function;
	(void)is_stderr;
	(void)line;
	stuck_lines++;
	pthread_mutex_lock(&stuck);
	pthread_mutex_unlock(&stuck);
	passed_lines++;
}

/* A log whose reader stands still: the process ends, but its keeper cannot. Nobody waits for it without a bound. */
static void a_keeper_that_stands_still(void **state)
{
	static const struct {
		const char *deed;
		enum udf_reason reason;
	} cases[] = {{"time.sleep(1000)", UDF_TIMEOUT}, {"os._exit(3)", UDF_TIMEOUT}};
	int64_t values[] = {1};
	struct column x = case_column(TYPE_BIGINT, values, 1, NULL), out;
	const struct column *columns[] = {&x};
	struct udf_arguments arguments = {columns, 1, case_rows(), 1};

	(void)state;
	column_init(&out, TYPE_BIGINT, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer code;
		struct function_spec spec;
		struct udf_worker *worker;

		buffer_init(&code);
		buffer_printf(&code, HEAD "def g(x):\n    print('a line', flush=True)\n    %s\n" TAIL, cases[i].deed);
		spec = case_function(FUNCTION_SCALAR, "m:f", code.data);
		spec.timeout_ms = TIMEOUT_MS;
		case_find();
		case_environment.say = get_stuck;
		pthread_mutex_lock(&stuck);
		worker = udf_start(&spec, &case_environment, NULL, &case_failure);
		assert_non_null(worker);
		assert_int_equal(udf_eval(worker, &arguments, &out, &case_failures, &case_failure), -1);
		assert_int_equal(case_failure.reason, cases[i].reason);
		udf_stop(worker, NULL);
		assert_int_equal(stuck_lines, i + 1);
		assert_int_equal(passed_lines, i);
		pthread_mutex_unlock(&stuck);
		for (int turns = 0; passed_lines == (int)i && turns < 2000; turns++)
			usleep(10000);
		assert_int_equal(passed_lines, i + 1);
		buffer_release(&code);
	}
	usleep(100000); /* the keepers that were left behind free themselves: a sanitizer looks */
	column_release(&x);
	column_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(lines_of_blocks),
	        cmocka_unit_test(a_flood_is_thrown_away),
	        cmocka_unit_test(floods_cost_little),
	        cmocka_unit_test(a_keeper_that_stands_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
