#include "tests/unit/runtime/udf/worker_case.h"

struct udf_counts case_counts;
struct udf_environment case_environment;
char case_worker[4096];
struct row_failures case_failures;
struct udf_failure case_failure;

static void ignore_line(void *context, const char *function, bool is_stderr, struct slice line)
{
	(void)context;
	(void)function;
	(void)is_stderr;
	(void)line;
}

void case_find(void)
{
	ssize_t length = readlink("/proc/self/exe", case_worker, sizeof(case_worker) - 32);
	char *tests;

	assert_true(length > 0);
	case_worker[length] = '\0';
	tests = strstr(case_worker, "/tests/");
	assert_non_null(tests);
	memcpy(tests, "/streamjob-worker", sizeof("/streamjob-worker"));
	memset(&case_counts, 0, sizeof(case_counts));
	case_environment = (struct udf_environment){.worker_path = case_worker,
	                                            .python_path = "python",
	                                            .job = "test",
	                                            .counts = &case_counts,
	                                            .say = ignore_line};
}

struct function_spec case_function(enum function_kind kind, const char *entrypoint, const char *code)
{
	return (struct function_spec){.name = "score",
	                              .kind = kind,
	                              .entrypoint = entrypoint,
	                              .code = {.source = CODE_INLINE, .text = code},
	                              .timeout_ms = CASE_TIMEOUT_MS,
	                              .start_timeout_ms = CASE_TIMEOUT_MS,
	                              .memory_bytes = 256 << 20};
}

struct udf_worker *case_start(const struct function_spec *spec, struct udf_signature *signature)
{
	struct udf_worker *worker;

	case_find();
	worker = udf_start(spec, &case_environment, signature, &case_failure);
	if (!worker)
		fail_msg("%s", case_failure.text);
	case_failures.count = 0;
	return worker;
}

struct column case_column(enum type type, const void *values, size_t n, const char *nulls)
{
	struct column column;

	column_init(&column, type, BATCH_ROWS_MAX);
	memcpy(column.values, values, n * type_width(type));
	for (size_t i = 0; i < n; i++)
		column.valid[i] = !nulls || nulls[i] != 'x';
	return column;
}

const uint32_t *case_rows(void)
{
	static uint32_t rows[BATCH_ROWS_MAX];

	for (uint32_t i = 0; i < BATCH_ROWS_MAX; i++)
		rows[i] = i;
	return rows;
}

void case_alive(int result)
{
	if (result < 0)
		fail_msg("%s", case_failure.text);
	if (case_failures.count)
		fail_msg("row %u failed: %s", case_failures.rows[0], case_failures.reasons[0]);
}
