/*
 * One good job, and cases that spoil a part of it: what `find` was becomes `replace`, and the problems must be the
 * lines of `expected`, each whole or, where it ends in '*', up to there. "" is no problem.
 */
#ifndef STREAMJOB_JOB_CASE_H
#define STREAMJOB_JOB_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/spec/read/load.h"

#define SOURCE  "source: {stdin: {}}"
#define SINK    "- stdout: {}"
#define KEYS    "groupBy: [bucket]"
#define AVERAGE "\"AVG(v)\""
#define COLUMN  "type: BIGINT"
#define SIZE    "size: 1m"

extern const char good_job[];

struct job_case {
	const char *name, *find, *replace, *expected;
};

/* The good job with one part replaced; free(). */
char *spoil(const char *name, const char *find, const char *replace);
/* The jobs of a good text; fails the test where there is a problem. */
struct jobspecs good_jobs(const char *name, struct slice text);
/* The problems of a text as `streamjob validate` prints them; free(). */
char *problems_of(struct slice text);
bool lines_match(const char *expected, const char *found);
void expect_problems(const char *name, const char *text, const char *expected);
void run_cases(const struct job_case *cases, size_t count);
#define RUN_CASES(cases) run_cases(cases, sizeof(cases) / sizeof((cases)[0]))

#endif
