/*
 * Shapes of strings: for each a regular expression that the CRD has, the same as a check in C, and its words.
 */
#ifndef STREAMJOB_PATTERNS_H
#define STREAMJOB_PATTERNS_H

#include "lib/base/error.h"
#include "lib/base/slice.h"

struct pattern {
	const char *regex; /* RE2 */
	bool (*matches)(struct slice text);
	const char *what; /* "a topic's name: letters, digits, ., _ and -": follows "expected" */
};

extern const struct pattern column_name_pattern, job_name_pattern, topic_pattern, secret_name_pattern, url_pattern,
        metric_name_pattern, label_name_pattern, path_pattern, duration_pattern, bytes_pattern, entrypoint_pattern,
        variable_name_pattern;

/* 0 where `path` is $ followed by .name, ['name'] or [index] parts, at most 16; else -1 and what is wrong. */
int jobspec_path_check(struct slice path, struct error *err);

#endif
