/*
 * streamjob run: main's thread shows the live line and announces the stop, which last_stop.c orders on a signal; the
 * job runs in a thread of its own. First SIGTERM or SIGINT: drain within terminationGracePeriod. Second: exit at once.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/process/log_stderr.h"
#include "lib/process/system_clock.h"
#include "lib/process/watch.h"
#include "runtime/cli/function_loader.h"
#include "runtime/cli/last_stop.h"
#include "runtime/cli/running.h"
#include "runtime/pipeline/recover.h"

#define LIVE_LINE_MS 500

static int fail(struct run *run)
{
	status_error(&run->status, &run->error);
	status_phase(&run->status, PHASE_FAILED);
	return -1;
}

/* What the files before this one pushed is deleted by one of the sinks that push now. */
static void replace_groups(struct run *run)
{
	for (size_t i = 0; i < run->parts.sinks_count && run->former.count; i++) {
		if (strcmp(run->parts.sinks[i]->ops->name, "pushgateway") != 0)
			continue;
		pushgateway_sink_replaces(run->parts.sinks[i], run->former.groups, run->former.count);
		return;
	}
}

/* With new parts. */
static int run_once(struct run *run, const struct query *query)
{
	struct job_identity *identity = &run->identity.job;
	int outcome;

	free(run->parts.sinks);
	identity->pending_query[0] = '\0';
	run_make_parts(run->parts.job, &run->parts.job->source, query, run->options, identity, &run->parts);
	replace_groups(run);
	outcome = pipeline_run(&run->parts, &run->error);
	if (outcome >= 0 || !identity->pending_query[0])
		return outcome;
	outcome = run_finish_pending(run);
	return outcome < 0 ? fail(run) : outcome;
}

/* Functions first: what they yield decides what the sinks are given. */
static int run_parts(struct run *run)
{
	struct query *query;
	int outcome = run->parts.functions ? run_load_functions(run, &run->parts, &run->error) : 0;

	if (outcome)
		return outcome > 0 ? 0 : fail(run);
	query = run_compile(&run->parts, &run->error);
	run->refused = !query;
	if (!query)
		return fail(run);
	do {
		outcome = run_once(run, query);
		if (outcome == PIPELINE_AGAIN && run->parts.functions)
			functions_recover(run->parts.functions, LANES_MAX);
	} while (outcome == PIPELINE_AGAIN);
	query_free(query);
	return outcome;
}

static void *job_thread(void *argument)
{
	struct run *run = argument;

	watch_thread("job");
	run->outcome = run_parts(run);
	watch_thread_ends();
	atomic_store(&run->done, true);
	pthread_kill(run->main_thread, SIGUSR1);
	return NULL;
}

static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void announce_stop(struct run *run, int signal_number)
{
	log_info("draining", "signal=%d grace_ms=%lld", signal_number, (long long)run->parts.job->termination_grace_ms);
	pages_draining(&run->pages);
	atomic_store(&run->stop.requested, true);
}

static void wait_for_job(struct run *run, bool live)
{
	const struct timespec pause = {.tv_nsec = LIVE_LINE_MS * 1000000L};
	struct live_line line = {0};
	sigset_t woken;

	sigemptyset(&woken);
	sigaddset(&woken, SIGUSR1);
	if (live)
		log_over_live_line();
	while (!atomic_load(&run->done)) {
		bool in_time = sigtimedwait(&woken, NULL, &pause) > 0;
		int number = last_stop_signal();

		if (number)
			announce_stop(run, number);
		else if (live && !in_time)
			live_line_show(&line, &run->status);
	}
	live_line_clear(&line);
}

/* The input has ended: whoever started the job learns that from /status, and not from a process that is gone. */
static void stay(struct run *run, int code)
{
	struct error why;
	sigset_t woken;
	int number;

	sigemptyset(&woken);
	sigaddset(&woken, SIGUSR1);
	if (code == EXIT_LOSS) {
		run_losses(&run->status, &why);
		status_error(&run->status, &why);
	}
	status_phase(&run->status, code == EXIT_LOSS ? PHASE_INCOMPLETE : PHASE_COMPLETED);
	log_info("the input has ended, and every sink has it; --stay: waiting for a signal", "job=\"%s\"",
	         run->parts.job->name);
	while (!last_stop_signal())
		sigwait(&woken, &number);
}

static bool clock_is_good(const struct jobspec *job, const struct run_options *options)
{
	const char *name = options->clock_column;
	bool from_kafka = job->source.kind == SOURCE_KAFKA && !options->input;

	if (!name || (from_kafka && !strcmp(name, "kafka_timestamp")))
		return true;
	if (!strcmp(name, "kafka_timestamp")) {
		fprintf(stderr,
		        "streamjob run: --clock kafka_timestamp: only a record that is read from Kafka has one, and "
		        "not one of a file, standard input or the generator; name one of spec.columns, or leave "
		        "--input "
		        "out\n");
		return false;
	}
	for (size_t i = 0; i < job->columns_count; i++)
		if (!strcmp(job->columns[i].name, name) && job->columns[i].type == TYPE_TIMESTAMP)
			return true;
	fprintf(stderr,
	        "streamjob run: --clock %s: not a declared column of type TIMESTAMP; the clock is one of "
	        "spec.columns%s\n",
	        name, from_kafka ? ", or kafka_timestamp" : "");
	return false;
}

static bool wants_live_line(const struct pipeline_options *parts, const struct run_options *options)
{
	bool table = false;

	for (size_t i = 0; i < parts->job->sinks_count && !options->output; i++)
		table = table || (parts->job->sinks[i].kind == SINK_STDOUT &&
		                  parts->job->sinks[i].stdout_format == FORMAT_TABLE);
	return table && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
}

int run_job(const struct jobspec *job, const struct run_options *options)
{
	struct run *run = xcalloc(1, sizeof(*run));
	struct udf_environment environment = cli_environment(options->functions_dir);
	struct buffer outputs;
	int code = EXIT_FAILED;
	bool lost;

	block_signals();
	atomic_store(&run->stop.deadline_ms, INT64_MAX);
	run->stop.clock = &system_clock;
	last_stop_watch(&run->stop, job->termination_grace_ms);
	run->main_thread = pthread_self();
	former_groups_find(options, job, &run->former);
	run->options = options;
	status_init(&run->status, job, &system_clock);
	run->status.losses.show_values = !options->hide_values || job->show_values;
	run->parts = (struct pipeline_options){
	        .job = job,
	        .lanes = options->lanes ? options->lanes : processors_available(),
	        .clock_column = options->clock_column,
	        .until_idle_ms = options->until_idle_ms,
	        .clock = &system_clock,
	        .stop = &run->stop,
	        .status = &run->status,
	};
	environment.job = job->name;
	environment.kept = options->secrets;
	run_outputs(job, options, &outputs);
	environment.outputs = outputs.data;
	if (job->functions_count) {
		cli_shut_memory();
		run->parts.functions = functions_new(job, &udf_worker_ops, &environment, &system_clock);
	}
	status_functions(&run->status, run->parts.functions);
	pages_init(&run->pages, &run->status);
	if (options->listen && pages_serve(&run->pages, options->listen, &run->error) < 0) {
		fprintf(stderr, "streamjob run: --listen: %s\n", run->error.text);
	} else if (run_identity_init(&run->identity, job, options, &run->error) < 0) {
		fprintf(stderr, "streamjob run: --known: %s\n", run->error.text);
		code = EXIT_USAGE;
	} else {
		if (pthread_create(&run->job_thread, NULL, job_thread, run) != 0)
			abort();
		wait_for_job(run, wants_live_line(&run->parts, options));
		pthread_join(run->job_thread, NULL);
		if (run->outcome < 0)
			log_error("job failed", "job=\"%s\" error=\"%s\"", job->name, run->error.text);
		lost = (!run->refused && run_summary(&run->status)) || run->lost;
		code = run->outcome < 0                           ? (run->refused ? EXIT_USAGE : EXIT_FAILED)
		       : lost && (options->strict || job->strict) ? EXIT_LOSS
		                                                  : EXIT_OK;
		if (options->stay && (code == EXIT_OK || code == EXIT_LOSS) && !atomic_load(&run->stop.requested))
			stay(run, code);
	}
	last_stop_ended(code);
	pages_release(&run->pages);
	functions_free(run->parts.functions);
	former_groups_release(&run->former);
	status_release(&run->status);
	free(run->parts.sinks);
	buffer_release(&outputs);
	free(run);
	return code;
}

int command_run(int argc, char **argv)
{
	struct run_options options;
	struct jobspecs jobs = {0};
	const struct jobspec *job;
	int code = run_options_parse(argc, argv, &options);

	if (code)
		return code - 1;
	log_to_stderr(options.log_json, options.log_level);
	job = job_file_load(options.file, options.name, &jobs);
	code = EXIT_USAGE;
	if (job && clock_is_good(job, &options))
		code = run_job(job, &options);
	jobspecs_release(&jobs);
	return code;
}
