/*
 * A run of `streamjob run`: what main's thread and the job's share. Inside runtime/cli only.
 */
#ifndef STREAMJOB_CLI_RUNNING_H
#define STREAMJOB_CLI_RUNNING_H

#include "runtime/cli/identity.h"
#include "runtime/cli/pages.h"
#include "runtime/cli/previous.h"

struct run {
	const struct run_options *options;
	struct pipeline_options parts;
	struct run_identity identity;
	struct stop stop;
	struct status status;
	struct pages pages;
	pthread_t main_thread, job_thread;
	_Atomic bool done;
	struct former_groups former;
	bool refused; /* the job file is at fault: a function's code does not load, or does not fit the job */
	bool lost;    /* rows, by a job file before this one */
	int outcome;
	struct error error;
};

/* The job was checked, but the functions' own words come with their code. NULL: err says what is wrong. */
struct query *run_compile(const struct pipeline_options *parts, struct error *err);
/* The functions of `parts`, loaded. 1: the stop came first; -1. */
int run_load_functions(struct run *run, const struct pipeline_options *parts, struct error *err);

/*
 * The source found a window that another query began (identity.job.pending_query): a job file before this one finishes
 * it. PIPELINE_AGAIN: the job is to be opened again; 0: the stop came first; -1: run->error says why.
 */
int run_finish_pending(struct run *run);

#endif
