/* A kernel before 5.16, or a container's filter that does not know futex_waitv: the sleep is cut into slices. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "tests/unit/runtime/udf/worker_case.h"

#define FUTEX_WAITV 449

#define HEAD                                                                                                           \
	"import ctypes, os, time\n"                                                                                    \
	"from streamjob import DataTypes, udf\n"                                                                       \
	"libc, FUTEX = ctypes.CDLL(None), 202 if os.uname().machine == 'x86_64' else 98\n"                             \
	"base = min(int(l.split('-')[0], 16) for l in open('/proc/self/maps') if 'memfd:streamjob-worker' in l)\n"

/* For this process and all that it starts. */
static void without(int number, int error)
{
	struct sock_filter code[] = {
	        {BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
	        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (unsigned)number},
	        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | (unsigned)error},
	        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
	assert_int_equal(syscall(number, NULL, 0, 0, NULL, 0), -1);
	assert_int_equal(errno, error);
}

/* The request's number is the first word, the reply's the fourth. */
static void calls_and_ends(void **state)
{
	static const struct {
		const char *deed;
		int64_t timeout_ms;
		enum udf_reason reason;
	} cases[] = {
	        {"return x + 1", CASE_TIMEOUT_MS, UDF_REASONS},
	        {"time.sleep(0.05); return x + 1", CASE_TIMEOUT_MS, UDF_REASONS},
	        {"os._exit(3)", CASE_TIMEOUT_MS, UDF_CRASH},
	        {"ctypes.string_at(8)", CASE_TIMEOUT_MS, UDF_CRASH},
	        {"libc.syscall(FUTEX, ctypes.c_void_p(base + 12), 3, 0, 2147483647, ctypes.c_void_p(base + 40), 0); "
	         "os._exit(3)",
	         CASE_TIMEOUT_MS, UDF_CRASH},
	        {"time.sleep(1000)", 300, UDF_TIMEOUT},
	        {"ctypes.c_uint32.from_address(base + 12).value = 4711; time.sleep(1000)", CASE_TIMEOUT_MS,
	         UDF_PROTOCOL},
	};
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
		int result;

		buffer_init(&code);
		buffer_append_text(&code, HEAD "def g(x):\n    ");
		buffer_append_text(&code, cases[i].deed);
		buffer_append_text(&code, "\nf = udf(g, result_type=DataTypes.BIGINT())\n");
		spec = case_function(FUNCTION_SCALAR, "m:f", code.data);
		spec.timeout_ms = cases[i].timeout_ms;
		worker = case_start(&spec, NULL);
		result = udf_eval(worker, &arguments, &out, &case_failures, &case_failure);
		if ((result < 0) != (cases[i].reason != UDF_REASONS) ||
		    (result < 0 && case_failure.reason != cases[i].reason))
			fail_msg("%s: %d, %s", cases[i].deed, result, result < 0 ? case_failure.text : "");
		udf_stop(worker, NULL);
		buffer_release(&code);
	}
	column_release(&x);
	column_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(calls_and_ends)};

	without(FUTEX_WAITV, ENOSYS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
