/* Workers for tests: the real program of this build, inline Python code, columns from literals. */
#ifndef STREAMJOB_TEST_WORKER_CASE_H
#define STREAMJOB_TEST_WORKER_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/udf/udf_calls.h"

#define CASE_TIMEOUT_MS 20000 /* what must not run out, on a machine under load */

static struct udf_counts case_counts;
static struct udf_environment case_environment;
static char case_worker[4096];
static struct row_failures case_failures;
static struct udf_failure case_failure;

static inline void ignore_line(void *context, const struct function_spec *spec, bool is_stderr, struct slice line)
{
	(void)context;
	(void)spec;
	(void)is_stderr;
	(void)line;
}

/* The worker of the build that this test is of, and the packages of the source tree. */
static inline void case_find(void)
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

static inline struct function_spec case_function(enum function_kind kind, const char *entrypoint, const char *code)
{
	return (struct function_spec){.name = "score",
	                              .kind = kind,
	                              .entrypoint = entrypoint,
	                              .code = {.source = CODE_INLINE, .text = code},
	                              .timeout_ms = CASE_TIMEOUT_MS,
	                              .start_timeout_ms = CASE_TIMEOUT_MS,
	                              .memory_bytes = 256 << 20};
}

static inline struct udf_worker *case_start(const struct function_spec *spec, struct udf_signature *signature)
{
	struct udf_worker *worker;

	case_find();
	worker = udf_start(spec, &case_environment, signature, &case_failure);
	if (!worker)
		fail_msg("%s", case_failure.text);
	case_failures.count = 0;
	return worker;
}

/* A column of n values; a NULL has its place in `nulls` ("..x" : the third is NULL). */
static inline struct column case_column(enum type type, const void *values, size_t n, const char *nulls)
{
	struct column column;

	column_init(&column, type, BATCH_ROWS_MAX);
	memcpy(column.values, values, n * type_width(type));
	for (size_t i = 0; i < n; i++)
		column.valid[i] = !nulls || nulls[i] != 'x';
	return column;
}

static inline const uint32_t *case_rows(void)
{
	static uint32_t rows[BATCH_ROWS_MAX];

	for (uint32_t i = 0; i < BATCH_ROWS_MAX; i++)
		rows[i] = i;
	return rows;
}

static inline void case_alive(int result)
{
	if (result < 0)
		fail_msg("%s", case_failure.text);
	if (case_failures.count)
		fail_msg("row %u failed: %s", case_failures.rows[0], case_failures.reasons[0]);
}

#endif
