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

extern struct udf_counts case_counts;
extern struct udf_environment case_environment;
extern char case_worker[4096];
extern struct row_failures case_failures;
extern struct udf_failure case_failure;

/* The worker of the build that this test is of, and the packages of the source tree. */
void case_find(void);
struct function_spec case_function(enum function_kind kind, const char *entrypoint, const char *code);
struct udf_worker *case_start(const struct function_spec *spec, struct udf_signature *signature);
/* A column of n values; a NULL has its place in `nulls` ("..x" : the third is NULL). */
struct column case_column(enum type type, const void *values, size_t n, const char *nulls);
const uint32_t *case_rows(void);
void case_alive(int result);

#endif
