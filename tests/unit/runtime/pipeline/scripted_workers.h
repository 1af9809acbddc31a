/*
 * Workers in this process, of functions that answer 2 * v to eval, (v, 0), (v, 1) to eval of a table function, v % 3
 * times, and the sum or the two greatest values to an aggregate; and that fail as a test says.
 */
#ifndef STREAMJOB_TEST_SCRIPTED_WORKERS_H
#define STREAMJOB_TEST_SCRIPTED_WORKERS_H

#include "runtime/pipeline/functions.h"

/* What happens to calls: the counts go down by one each time it did. */
struct worker_script {
	_Atomic int start_failures, clear_failures, value_failures, value_exceptions, merge_exceptions;
	const char *start_method; /* where a start fails, with start_reason; NULL: in open, UDF_START */
	enum udf_reason start_reason;
	_Atomic int kills_every, kills_left; /* every so many accumulate or eval calls one worker dies */
	_Atomic int calls;
	int64_t poison, raises; /* the value that kills, or raises; -1: none */
	bool knows_row;         /* the failure says at which row it was */
	_Atomic int starts, stops, probes;
};
extern struct worker_script worker_script;

extern const struct worker_ops scripted_workers;

#endif
