/* What a run of a job file begins with, of this one or of an earlier one: its functions and its query. */
#include "runtime/cli/running.h"
#include "runtime/pipeline/recover.h"

/* The input ends by itself: a laptop's job gives up where one on a cluster would try again. */
static bool run_is_bounded(const struct run *run)
{
	const struct source_spec *source = &run->parts.job->source;

	return run->options->input || run->options->until_idle_ms || source->kind == SOURCE_FILE ||
	       source->kind == SOURCE_STDIN || (source->kind == SOURCE_DATAGEN && source->datagen.rows);
}

struct query *run_compile(const struct pipeline_options *parts, struct error *err)
{
	const struct functions *functions = parts->functions;
	struct user_functions known = {0};

	if (functions)
		known = (struct user_functions){.items = functions->known, .count = functions->count};
	return query_compile(parts->job, parts->clock_column, functions ? &known : NULL, err);
}

int run_load_functions(struct run *run, const struct pipeline_options *parts, struct error *err)
{
	struct recovery recovery = {.functions = parts->functions,
	                            .stop = &run->stop,
	                            .status = parts->status,
	                            .bounded = run_is_bounded(run)};
	int outcome = recover_load(&recovery, err);

	run->refused = recovery.refused;
	return outcome;
}
