/*
 * A source, a sink, a dead letter and user functions that do what a test says: the pipeline between them is the real
 * one.
 */
#ifndef STREAMJOB_FUNCTION_SCRIPT_H
#define STREAMJOB_FUNCTION_SCRIPT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "lib/base/memory.h"
#include "lib/jobspec/load.h"
#include "runtime/pipeline/pipeline.h"
#include "runtime/pipeline/recover.h"

#define SCRIPT_PARTITIONS_MAX 4
#define SCRIPT_ROWS_MAX       20000
#define SCRIPT_WINDOWS_MAX    64

/* Row i of a partition: {"k": "k0".."k2", "v": i, "t": i milliseconds}. */
struct scripted_source {
	struct source source;
	int64_t rows; /* of each partition */
	size_t batch;
	unsigned lanes;
	_Atomic int64_t committed[SCRIPT_PARTITIONS_MAX];
	int64_t position[SCRIPT_PARTITIONS_MAX], to[SCRIPT_PARTITIONS_MAX];
	bool said[SCRIPT_PARTITIONS_MAX], replaying;
	unsigned rewinds;
	int commits;
	char *texts[SCRIPT_PARTITIONS_MAX];
	struct error problem;
};

struct scripted_sink {
	struct sink sink;
	size_t windows;
	uint64_t sequences[SCRIPT_WINDOWS_MAX];
	struct buffer rows; /* all windows' rows as JSON lines, without window_start and window_end */
};

struct scripted_letters {
	struct dead_letter letters;
	pthread_mutex_t mutex;
	size_t count;
	int64_t offsets[64];
	char reason[4096];
};

/* What happens to calls: the counts go down by one each time it did. */
struct script {
	_Atomic int start_failures, clear_failures, value_failures, value_exceptions, merge_exceptions;
	_Atomic int kills_every, kills_left; /* every so many accumulate or eval calls one worker dies */
	_Atomic int calls;
	int64_t poison, raises; /* the value that kills, or raises; -1: none */
	bool knows_row;         /* the failure says at which row it was */
	_Atomic int starts, stops, probes;
};
extern struct script script;

struct scripted_run {
	struct scripted_source *source;
	struct scripted_sink *sink;
	struct scripted_letters *letters;
	struct stop stop;
	struct status status;
	struct functions *functions;
	struct jobspecs jobs;
	struct pipeline_options options;
	struct error error;
	int outcome;
};

extern const struct worker_ops scripted_workers;

/* A job of `spec` (YAML lines after "spec:", source and columns left out), ready to run. */
struct scripted_run *scripted_new(const char *name, const char *spec, size_t partitions, int64_t rows, unsigned lanes);
void scripted_run(struct scripted_run *run);
void scripted_free(struct scripted_run *run);

#endif
