/*
 * A window that is pending under another query: the job file that has it is run until exactly that window is delivered,
 * by this process and under its claim. It is read where this job reads; sinks, dead letter, columns, functions and
 * query are the earlier file's.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/process/system_clock.h"
#include "runtime/cli/function_loader.h"
#include "runtime/cli/previous.h"
#include "runtime/cli/running.h"

static int not_to_be_finished(struct run *run, const struct error *why)
{
	const char *query = run->identity.job.pending_query;
	struct error found = run->error;

	return error_set(&run->error,
	                 "%s; %s. Give the job file that began it with --previous FILE: it finishes the window, and "
	                 "the job goes on with this one; or give the window up with --drop-pending=%s (in a cluster "
	                 "the annotation streamjob.dev/drop-pending: %s): its rows then go into windows of this query",
	                 found.text, why->text, query, query);
}

/* 0: the earlier job's parts stand; 1: the stop came first; -1. */
static int prepare(struct run *run, struct pipeline_options *parts, struct query **ret_query, struct error *err)
{
	int outcome = parts->functions ? run_load_functions(run, parts, err) : 0;

	if (outcome)
		return outcome;
	*ret_query = run_compile(parts, err);
	if (!*ret_query)
		return -1;
	run_make_parts(parts->job, &run->parts.job->source, *ret_query, run->options, &run->identity.job, parts);
	return 0;
}

static int run_earlier(struct run *run, struct pipeline_options *parts, struct error *err)
{
	struct query *query = NULL;
	int outcome = prepare(run, parts, &query, err);

	if (outcome > 0)
		return 0;
	if (!outcome)
		outcome = pipeline_run(parts, err);
	free(parts->sinks);
	query_free(query);
	return outcome;
}

static int finish(struct run *run, const struct jobspec *job, const struct previous_file *file)
{
	const char *folder = file->functions_dir ? file->functions_dir : run->options->functions_dir;
	struct udf_environment environment = cli_environment(folder);
	struct job_identity *identity = &run->identity.job;
	const char *own_query = identity->query;
	struct status *status = xcalloc(1, sizeof(*status));
	struct pipeline_options parts = run->parts;
	char query[JOBSPEC_QUERY_HASH_BYTES];
	struct buffer outputs;
	int outcome;

	environment.kept = run->options->secrets;
	run_outputs(job, run->options, &outputs);
	environment.outputs = outputs.data;
	memcpy(query, identity->pending_query, sizeof(query));
	status_init(status, job, &system_clock);
	status->losses.show_values = run->status.losses.show_values;
	snprintf(status->finishing, sizeof(status->finishing),
	         "window %" PRIu64 " is being finished by the job file before this one, which began it (%s)",
	         identity->pending_sequence, file->path);
	parts.job = job;
	parts.status = status;
	parts.pending_only = true;
	parts.until_idle_ms = 0;
	parts.clock_column = NULL; /* the boundary says which window it is */
	parts.sinks = NULL;
	environment.job = job->name;
	parts.functions =
	        job->functions_count ? functions_new(job, &udf_worker_ops, &environment, &system_clock) : NULL;
	status_functions(status, parts.functions);
	identity->query = query;
	pages_show(&run->pages, status);
	log_info("a window is finished by the job file before this one", "sequence=%" PRIu64 " file=\"%s\" query=%s",
	         identity->pending_sequence, file->path, query);
	outcome = run_earlier(run, &parts, &run->error);
	run->lost = run_summary(status) || run->lost;
	identity->query = own_query;
	pages_show(&run->pages, &run->status);
	status_release(status);
	functions_free(parts.functions);
	buffer_release(&outputs);
	free(status);
	return outcome;
}

int run_finish_pending(struct run *run)
{
	struct previous_file file;
	struct jobspecs jobs;
	const struct jobspec *job;
	struct error why;
	int outcome;

	job = previous_find(run->options, run->parts.job, run->identity.job.pending_query, &jobs, &file, &why);
	if (!job)
		return not_to_be_finished(run, &why);
	status_error(&run->status, NULL);
	outcome = finish(run, job, &file);
	if (outcome < 0)
		error_prefix(&run->error,
		             "window %" PRIu64 " is to be finished by the job file before this one, %s (or given up "
		             "with --drop-pending=%s)",
		             run->identity.job.pending_sequence, file.path, run->identity.job.pending_query);
	jobspecs_release(&jobs);
	return outcome;
}
