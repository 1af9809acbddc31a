/* The container's own limit: read from a cgroup of either version, and before it the function that holds most is ended.
 */
#include <limits.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/process/container.h"
#include "tests/unit/runtime/udf/worker_case.h"

#define MI        ((long long)1 << 20)
#define TURNS_MAX 3000

static char folder[] = "/tmp/streamjob-container-XXXXXX";
static char empty[] = "/tmp/streamjob-container-XXXXXX";

static void put(const char *name, const char *text)
{
	char path[PATH_MAX], other[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	snprintf(other, sizeof(other), "%s/.new", folder);
	if (!text) {
		unlink(path);
		return;
	}
	file = fopen(other, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(rename(other, path), 0); /* a keeper may read it */
}

static int begin(void **state)
{
	(void)state;
	return mkdtemp(folder) && mkdtemp(empty) ? 0 : -1;
}

static const char *const names[] = {"memory.max",  "memory.current",        "memory.limit_in_bytes",
                                    "memory.stat", "memory.usage_in_bytes", NULL};

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; names[i]; i++)
		put(names[i], NULL);
	return rmdir(folder) | rmdir(empty);
}

static void what_a_cgroup_says(void **state)
{
	static const struct {
		const char *name, *most, *held, *stat;
		bool second, near;
		int64_t held_bytes;
	} cases[] = {
	        {"far", "1073741824", "536870912", "anon 1\n", true, false, 0},
	        {"near", "1073741824", "1063256064", "anon 1\ninactive_file 0\n", true, true, 1063256064},
	        {"over", "1073741824\n", "1073741825\n", "", true, false, 0}, /* no stat: nobody knows */
	        {"files can go", "1073741824", "1063256064", "active_file 536870912\ninactive_file 1048576\n", true,
	         false, 0},
	        {"some files can go", "1073741824", "1073741824",
	         "active_file 1048576\ninactive_file 1048576\nslab_reclaimable 1\n", true, true, 1071644671},
	        {"another name's end", "1073741824", "1063256064",
	         "workingset_active_file 536870912\nx_inactive_file 536870912\n", true, true, 1063256064},
	        {"no limit", "max", "1063256064", "anon 1\n", true, false, 0},
	        {"a small one", "67108864", "64000000", "anon 1\n", true, true, 64000000},
	        {"version 1, far", "1073741824", "536870912", "cache 1\n", false, false, 0},
	        {"version 1, near", "1073741824", "1063256064", "inactive_file 999999999\ntotal_inactive_file 4096\n",
	         false, true, 1063251968},
	        {"version 1, files can go", "1073741824", "1063256064", "total_active_file 536870912\n", false, false,
	         0},
	        {"version 1, no limit", "9223372036854771712", "1063256064", "cache 1\n", false, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct container_memory memory = {0};

		for (size_t n = 0; names[n]; n++)
			put(names[n], NULL);
		put(cases[i].second ? "memory.max" : "memory.limit_in_bytes", cases[i].most);
		put(cases[i].second ? "memory.current" : "memory.usage_in_bytes", cases[i].held);
		put("memory.stat", cases[i].stat);
		if (container_memory_limit(folder) != (strstr(cases[i].name, "no limit") ? 0 : atoll(cases[i].most)))
			fail_msg("%s: a limit of %lld", cases[i].name, (long long)container_memory_limit(folder));
		if (container_is_near(folder, &memory) != cases[i].near)
			fail_msg("%s", cases[i].name);
		if (cases[i].near && memory.held_bytes != cases[i].held_bytes)
			fail_msg("%s: %lld", cases[i].name, (long long)memory.held_bytes);
	}
	assert_int_equal(container_memory_limit(empty), 0);
	assert_true(container_memory_limit(NULL) >= 0);
	assert_false(container_is_near(empty, &(struct container_memory){0}));
	container_is_near(NULL, &(struct container_memory){0}); /* its own, whatever that is */
}

static struct udf_worker *start_holding(const struct function_spec *spec)
{
	struct udf_worker *worker;

	case_environment.cgroup = folder;
	worker = udf_start(spec, &case_environment, NULL, &case_failure);
	if (!worker)
		fail_msg("%s", case_failure.text);
	return worker;
}

/* Both go on while there is room; then the larger one is ended and named, and the other goes on. */
static void the_largest_is_ended(void **state)
{
	static const char code[] = "from streamjob import DataTypes, udf\nkept = []\n"
	                           "def g(x):\n    kept.append(bytearray(x << 20))\n    return x\n"
	                           "f = udf(g, result_type=DataTypes.BIGINT())\n";
	struct function_spec spec = case_function(FUNCTION_SCALAR, "m:f", code);
	int64_t values[] = {1, 150};
	struct column x = case_column(TYPE_BIGINT, values, 2, NULL), out;
	const struct column *columns[] = {&x};
	uint32_t first = 0, second = 1;
	struct udf_arguments small = {columns, 1, &first, 1}, large = {columns, 1, &second, 1};
	struct udf_worker *workers[2];
	char text[64];
	int result = 0;

	(void)state;
	column_init(&out, TYPE_BIGINT, 2);
	case_find();
	for (size_t n = 0; names[n]; n++)
		put(names[n], NULL);
	put("memory.stat", "anon 1\n");
	put("memory.current", "1000000");
	snprintf(text, sizeof(text), "%lld", 2048 * MI);
	put("memory.max", text);
	for (int i = 0; i < 2; i++)
		workers[i] = start_holding(&spec);
	for (int i = 0; i < 2; i++)
		case_alive(udf_eval(workers[i], &small, &out, &case_failures, &case_failure));
	snprintf(text, sizeof(text), "%lld", 2000 * MI);
	case_alive(udf_eval(workers[1], &large, &out, &case_failures, &case_failure));
	nanosleep(&(struct timespec){.tv_sec = 1}, NULL); /* there is room: nobody is ended */
	case_alive(udf_eval(workers[1], &small, &out, &case_failures, &case_failure));
	put("memory.current", text);
	for (int turns = 0; turns < TURNS_MAX && result == 0; turns++) {
		result = udf_eval(workers[1], &small, &out, &case_failures, &case_failure);
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	put("memory.current", "1000000");
	assert_int_equal(result, -1);
	assert_int_equal(case_failure.reason, UDF_MEMORY);
	assert_non_null(strstr(case_failure.text, "needs more memory than its container has left"));
	assert_non_null(strstr(case_failure.text, "the container held 2097152000 of 2147483648 bytes"));
	case_alive(udf_eval(workers[0], &small, &out, &case_failures, &case_failure));
	udf_stop(workers[0], NULL);
	udf_stop(workers[1], NULL);
	column_release(&x);
	column_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_a_cgroup_says),
	        cmocka_unit_test(the_largest_is_ended),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
