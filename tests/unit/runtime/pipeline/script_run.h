/* A scripted job from its text to its end: included once by each test program. */
#ifndef STREAMJOB_SCRIPT_RUN_H
#define STREAMJOB_SCRIPT_RUN_H

#include "tests/unit/runtime/pipeline/script_ports.h"
#include "tests/unit/runtime/pipeline/script_workers.h"

static struct jobspecs load_job(const char *name, const char *spec)
{
	struct problems problems;
	struct jobspecs jobs;
	struct buffer text;

	buffer_init(&text);
	buffer_printf(&text,
	              "apiVersion: streamjob.dev/v1alpha1\nkind: StreamJob\nmetadata: {name: scripted}\nspec:\n"
	              "  source: {stdin: {}}\n"
	              "  columns: [{name: k, type: STRING}, {name: v, type: BIGINT}, {name: t, type: TIMESTAMP}]\n"
	              "  sinks: [{stdout: {}}]\n%s",
	              spec);
	problems_init(&problems);
	if (jobspecs_load(name, buffer_slice(&text), &problems, &jobs) < 0) {
		buffer_clear(&text);
		problems_print(&problems, &text);
		fail_msg("%s: %s", name, text.data);
	}
	problems_release(&problems);
	buffer_release(&text);
	return jobs;
}

struct scripted_run *scripted_new(const char *name, const char *spec, size_t partitions, int64_t rows, unsigned lanes)
{
	struct scripted_run *run = xcalloc(1, sizeof(*run));
	struct udf_environment environment = {0};
	const struct jobspec *job;

	script = (struct script){.poison = -1, .raises = -1, .knows_row = true};
	run->jobs = load_job(name, spec);
	job = run->jobs.items[0];
	run->source = xcalloc(1, sizeof(*run->source));
	run->source->source = (struct source){
	        .ops = &scripted_source_ops, .partitions = partitions, .resumable = true, .bounded = true};
	run->source->rows = rows;
	run->source->batch = 100;
	for (size_t p = 0; p < partitions; p++) {
		run->source->texts[p] = xmalloc(BATCH_ROWS_MAX * 64);
		run->source->to[p] = -1;
	}
	run->sink = xcalloc(1, sizeof(*run->sink));
	run->sink->sink = (struct sink){.ops = &scripted_sink_ops, .target = "scripted"};
	buffer_init(&run->sink->rows);
	run->letters = xcalloc(1, sizeof(*run->letters));
	run->letters->letters.ops = &scripted_letters_ops;
	pthread_mutex_init(&run->letters->mutex, NULL);
	run->stop.clock = &script_clocks;
	atomic_store(&run->stop.deadline_ms, INT64_MAX);
	status_init(&run->status, job, &script_clocks);
	run->functions = functions_new(job, &scripted_workers, &environment, &script_clocks);
	status_functions(&run->status, run->functions);
	run->options = (struct pipeline_options){
	        .job = job,
	        .source = &run->source->source,
	        .sinks = xcalloc(1, sizeof(struct sink *)),
	        .sinks_count = 1,
	        .letters = &run->letters->letters,
	        .functions = run->functions,
	        .lanes = lanes,
	        .clock = &script_clocks,
	        .stop = &run->stop,
	        .status = &run->status,
	};
	run->options.sinks[0] = &run->sink->sink;
	return run;
}

void scripted_run(struct scripted_run *run)
{
	struct recovery recovery = {run->functions, &run->stop, &run->status, run->source->source.bounded, 0};

	run->outcome = recover_load(&recovery, &run->error);
	if (!run->outcome)
		run->outcome = pipeline_run(&run->options, &run->error);
	buffer_append_text(&run->sink->rows, "");
}

void scripted_free(struct scripted_run *run)
{
	functions_free(run->functions);
	status_release(&run->status);
	for (size_t p = 0; p < run->source->source.partitions; p++)
		free(run->source->texts[p]);
	free(run->source);
	buffer_release(&run->sink->rows);
	free(run->sink);
	pthread_mutex_destroy(&run->letters->mutex);
	free(run->letters);
	free(run->options.sinks);
	jobspecs_release(&run->jobs);
	free(run);
}

#endif
