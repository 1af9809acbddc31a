#include "tests/unit/runtime/pipeline/scripted_run.h"

#include "lib/base/memory.h"
#include "runtime/pipeline/recover.h"
#include "tests/unit/lib/spec/job_case.h"

/* The rows' wall stands in the middle of a window, so that a test is not cut by its end. */
#define ROWS_WALL_MS 43200000

static struct jobspecs load_job(const char *name, const char *spec)
{
	struct jobspecs jobs;
	struct buffer text;

	buffer_init(&text);
	buffer_printf(&text,
	              "apiVersion: streamjob.dev/v1alpha1\nkind: StreamJob\nmetadata: {name: scripted}\nspec:\n"
	              "  source: {stdin: {}}\n"
	              "  columns: [{name: k, type: STRING}, {name: v, type: BIGINT}, {name: t, type: "
	              "TIMESTAMP, format: epochMillis}]\n"
	              "  sinks: [{stdout: {}}]\n%s",
	              spec);
	jobs = good_jobs(name, buffer_slice(&text));
	buffer_release(&text);
	return jobs;
}

static struct scripted_run *run_new(const char *name, const char *spec, unsigned lanes, int64_t wall_ms)
{
	struct scripted_run *run = xcalloc(1, sizeof(*run));
	struct udf_environment environment = {0};
	const struct clock *clock = &run->clock.clock;
	const struct jobspec *job;

	worker_script = (struct worker_script){.poison = -1, .raises = -1, .knows_row = true};
	run->jobs = load_job(name, spec);
	job = run->jobs.items[0];
	witness_init(&run->witness);
	scripted_clock_init(&run->clock, wall_ms);
	scripted_sink_init(&run->sink, &run->witness);
	scripted_letters_init(&run->letters, &run->witness);
	run->stop.clock = clock;
	atomic_store(&run->stop.deadline_ms, INT64_MAX);
	status_init(&run->status, job, clock);
	if (job->functions_count)
		run->functions = functions_new(job, &scripted_workers, &environment, clock);
	status_functions(&run->status, run->functions);
	run->sinks[0] = &run->sink.sink;
	run->options = (struct pipeline_options){
	        .job = job,
	        .sinks = run->sinks,
	        .sinks_count = 1,
	        .letters = &run->letters.letters,
	        .functions = run->functions,
	        .lanes = lanes,
	        .clock = clock,
	        .stop = &run->stop,
	        .status = &run->status,
	};
	return run;
}

struct scripted_run *scripted_on_rows(const char *name, const char *spec, size_t partitions, int64_t rows,
                                      unsigned lanes)
{
	struct scripted_run *run = run_new(name, spec, lanes, ROWS_WALL_MS);

	row_source_init(&run->rows, partitions, rows, &run->witness);
	run->options.source = &run->rows.source;
	return run;
}

struct scripted_run *scripted_on_steps(const char *name, const char *spec, size_t partitions, const struct step *steps,
                                       unsigned lanes)
{
	struct scripted_run *run = run_new(name, spec, lanes, steps[0].ms);

	step_source_init(&run->steps, steps, partitions, &run->witness, &run->clock);
	run->options.source = &run->steps.source;
	return run;
}

void scripted_run(struct scripted_run *run)
{
	struct source *source = run->options.source;
	struct recovery recovery = {
	        .functions = run->functions, .stop = &run->stop, .status = &run->status, .bounded = source->bounded};

	run->sink.first_sequence = source->boundary.sequence + !source->boundary.pending;
	run->outcome = run->functions ? recover_load(&recovery, &run->error) : 0;
	if (run->outcome)
		return;
	run->outcome = pipeline_run(&run->options, &run->error);
	assert_int_equal(run->witness.closed, 3); /* source, sink, letters */
}

void scripted_free(struct scripted_run *run)
{
	functions_free(run->functions);
	status_release(&run->status);
	if (run->options.source == &run->rows.source)
		row_source_release(&run->rows);
	scripted_sink_release(&run->sink);
	witness_release(&run->witness);
	jobspecs_release(&run->jobs);
	free(run);
}
