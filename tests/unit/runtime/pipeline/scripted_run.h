/*
 * A job from its text to its end, between a scripted source and a scripted sink, with scripted workers: the pipeline is
 * the real one.
 */
#ifndef STREAMJOB_TEST_SCRIPTED_RUN_H
#define STREAMJOB_TEST_SCRIPTED_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "lib/spec/read/load.h"
#include "runtime/pipeline/pipeline.h"
#include "tests/unit/runtime/pipeline/row_source.h"
#include "tests/unit/runtime/pipeline/scripted_workers.h"
#include "tests/unit/runtime/pipeline/step_source.h"

struct scripted_run {
	struct witness witness;
	struct scripted_clock clock;
	struct row_source rows; /* one of the two is the job's */
	struct step_source steps;
	struct scripted_sink sink;
	struct scripted_letters letters;
	struct stop stop;
	struct status status;
	struct functions *functions;
	struct jobspecs jobs;
	struct sink *sinks[1];
	struct pipeline_options options;
	struct error error;
	int outcome;
};

/* A job of `spec` (YAML lines after "spec:"; source, columns k, v and t and sinks left out), ready to run. */
struct scripted_run *scripted_on_rows(const char *name, const char *spec, size_t partitions, int64_t rows,
                                      unsigned lanes);
struct scripted_run *scripted_on_steps(const char *name, const char *spec, size_t partitions, const struct step *steps,
                                       unsigned lanes);
void scripted_run(struct scripted_run *run);
void scripted_free(struct scripted_run *run);

#endif
