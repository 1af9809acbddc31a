#include "runtime/pipeline/pipeline.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "runtime/pipeline/delivery.h"
#include "runtime/pipeline/fire.h"
#include "runtime/pipeline/lane.h"
#include "runtime/pipeline/recover.h"

struct pipeline {
	const struct pipeline_options *options;
	struct lane_setup setup;
	struct handover handover;
	struct delivery *delivery;
	struct query *query; /* the fire thread's */
	struct fire *fire;
	struct calls functions; /* as the fire thread calls them */
	struct recovery recovery;
	struct lane *lanes[LANES_MAX];
	unsigned lanes_made, lanes_started;
	pthread_mutex_t mutex;     /* of what follows */
	struct handover *attached; /* whom an interruption of the source wakes; NULL: nobody runs */
	int64_t *to;               /* where each partition ends in the window that is fired; -1: unmoved */
};

/* Each partition's end is what its lane took last. */
static void merge_positions(struct pipeline *pipeline, struct partial **partials, size_t count)
{
	for (size_t p = 0; p < pipeline->handover.partitions; p++) {
		pipeline->to[p] = -1;
		for (size_t i = 0; i < count; i++)
			if (partials[i]->next_offset[p] > pipeline->to[p])
				pipeline->to[p] = partials[i]->next_offset[p];
	}
}

static uint64_t rows_taken(struct partial **partials, size_t count)
{
	uint64_t rows = 0;

	for (size_t i = 0; i < count; i++)
		rows += partials[i]->rows;
	return rows;
}

static void note_window(struct pipeline *pipeline, const struct window_result *result)
{
	struct status *status = pipeline->options->status;

	atomic_fetch_add(&status->rows_out, result->rows.rows);
	atomic_fetch_add(&status->windows, 1);
	atomic_store(&status->sequence, result->sequence);
	pthread_mutex_lock(&status->mutex);
	status->last.window = (struct window){result->start_ms, result->end_ms};
	status->last.sequence = result->sequence;
	status->last.rows = result->rows.rows;
	pthread_mutex_unlock(&status->mutex);
	log_info("window accepted", "sequence=%" PRIu64 " start_ms=%" PRId64 " end_ms=%" PRId64 " rows=%zu",
	         result->sequence, result->start_ms, result->end_ms, result->rows.rows);
}

static int fire_one(struct pipeline *pipeline, struct partial **partials, size_t count, struct error *err)
{
	struct source *source = pipeline->options->source;
	bool replay = partials[0]->replay, skip;
	enum on_empty on_empty = pipeline->options->job->window.on_empty;
	struct window_result result = {
	        .start_ms = partials[0]->window.start_ms,
	        .end_ms = partials[0]->window.end_ms,
	        .sequence = source->boundary.sequence + !replay,
	};
	int outcome;

	if (!replay && on_empty == EMPTY_SKIP && !rows_taken(partials, count))
		return 0;
	atomic_store(&pipeline->options->status->oldest_end_ms, result.end_ms);
	merge_positions(pipeline, partials, count);
	if (rows_taken(partials, count))
		losses_window(&pipeline->options->status->losses, status_counts(pipeline->options->status).rows_in);
	outcome = fire_window(pipeline->fire, partials, count, &result, err);
	if (outcome < 0)
		return outcome;
	skip = on_empty == EMPTY_SKIP && result.rows.rows == 0;
	outcome = delivery_window(pipeline->delivery, &result, pipeline->to, replay, skip, err);
	if (!outcome && !skip)
		note_window(pipeline, &result);
	fire_result_release(&result);
	if (!outcome && replay && pipeline->options->pending_only) {
		atomic_store(&source->interrupted, true); /* another query goes on from here */
		return 0;
	}
	if (!outcome && replay)
		outcome = source->ops->resume(source, err);
	if (!outcome && replay)
		status_phase(pipeline->options->status, PHASE_RUNNING);
	if (outcome)
		return outcome;
	atomic_store(&pipeline->setup.last_row_ms,
	             clock_monotonic_ms(pipeline->options->clock)); /* lanes may have waited */
	atomic_store(&pipeline->options->status->oldest_end_ms, INT64_MIN);
	if (pipeline->options->functions)
		functions_accepted(pipeline->options->functions, pipeline->to, pipeline->handover.partitions);
	return fire_done(pipeline->fire, partials, count, err);
}

/* 0: all is delivered; -1: failed; HANDOVER_INTERRUPTED. */
static int fire_all(struct pipeline *pipeline, struct error *err)
{
	struct partial *partials[LANES_MAX];
	int count;

	while ((count = handover_collect(&pipeline->handover, partials, err)) > 0) {
		int outcome = fire_one(pipeline, partials, (size_t)count, err);

		if (outcome == FIRE_INTERRUPTED || atomic_load(&pipeline->options->source->interrupted)) {
			handover_interrupt(&pipeline->handover);
			return HANDOVER_INTERRUPTED;
		}
		if (outcome < 0) {
			handover_fail(&pipeline->handover, err);
			return -1;
		}
		handover_return(&pipeline->handover, partials, (size_t)count);
	}
	return count;
}

static int make_query(struct pipeline *pipeline, struct error *err)
{
	struct functions *functions = pipeline->options->functions;

	calls_init(&pipeline->functions, functions, 0);
	pipeline->query = query_compile(pipeline->options->job, pipeline->options->clock_column,
	                                functions ? &pipeline->functions.known : NULL, err);
	return pipeline->query ? 0 : -1;
}

/* From a thread of the source: what the lanes have is void. */
static void interrupted(void *context)
{
	struct pipeline *pipeline = context;

	pthread_mutex_lock(&pipeline->mutex);
	if (pipeline->attached)
		handover_interrupt(pipeline->attached);
	pthread_mutex_unlock(&pipeline->mutex);
}

static void attach(struct pipeline *pipeline, struct handover *handover)
{
	pthread_mutex_lock(&pipeline->mutex);
	pipeline->attached = handover;
	if (handover && atomic_load(&pipeline->options->source->interrupted))
		handover_interrupt(handover);
	pthread_mutex_unlock(&pipeline->mutex);
}

static void prepare_source(struct pipeline *pipeline)
{
	const struct pipeline_options *options = pipeline->options;
	struct source *source = options->source;

	source->rewinds = options->functions != NULL;
	source->wants_order = options->clock_column != NULL;
	source->interrupt = interrupted;
	source->interrupt_context = pipeline;
	for (size_t i = 0; i < options->sinks_count; i++) {
		options->sinks[i]->lease = source->lease;
		if (options->sinks[i]->request_timeout_ms > source->request_timeout_ms)
			source->request_timeout_ms = options->sinks[i]->request_timeout_ms;
	}
}

/* Where the job begins is written down; whether it is a first start, the sinks know too. */
static int begin(struct pipeline *pipeline, struct error *err)
{
	const struct pipeline_options *options = pipeline->options;
	struct source *source = options->source;
	struct sink_held known[STATUS_SINKS_MAX];

	if (!source->ops->begin)
		return 0;
	if (source->first_start &&
	    delivery_inspect(options->sinks, options->sinks_count, options->stop, options->status, known, err) < 0)
		return -1;
	return source->ops->begin(source, known, source->first_start ? options->sinks_count : 0, err);
}

static int open_all(struct pipeline *pipeline, unsigned *lanes, struct error *err)
{
	const struct pipeline_options *options = pipeline->options;
	struct source *source = options->source;
	int outcome;

	status_phase(options->status, PHASE_CONNECTING);
	prepare_source(pipeline);
	if (options->letters && options->letters->ops->open(options->letters, options->stop, err) < 0)
		return error_prefix(err, "dead letter");
	status_source(options->status, source, false);
	outcome = source->ops->open(source, lanes, options->stop, err);
	if (!outcome && options->pending_only && !source->boundary.pending)
		return PIPELINE_AGAIN;
	if (!outcome)
		outcome = begin(pipeline, err);
	if (outcome < 0) {
		error_prefix(err, "source");
		return outcome;
	}
	status_source(options->status, source, true);
	atomic_store(&options->status->sequence, source->boundary.sequence - source->boundary.pending);
	pipeline->delivery = delivery_new(source, options->sinks, options->sinks_count, options->letters, options->stop,
	                                  options->status, err);
	return pipeline->delivery ? 0 : -1;
}

static int start_lanes(struct pipeline *pipeline, unsigned lanes, struct error *err)
{
	for (unsigned l = 0; l < lanes; l++) {
		pipeline->lanes[l] = lane_new(&pipeline->setup, l, err);
		if (!pipeline->lanes[l])
			return -1;
		pipeline->lanes_made++;
	}
	for (unsigned l = 0; l < lanes; l++) {
		if (pthread_create(&pipeline->lanes[l]->thread, NULL, lane_run, pipeline->lanes[l]) != 0)
			return error_set(err, "cannot start a thread for lane %u: raise the process limit", l);
		pipeline->lanes_started++;
	}
	return 0;
}

/* From what is committed to the end of the input, the stop, a failure, or an interruption. */
static int run_once(struct pipeline *pipeline, unsigned lanes, struct error *err)
{
	const struct aggregations *aggregations = fire_aggregations(pipeline->fire);
	const struct pipeline_options *options = pipeline->options;
	int outcome;

	handover_init(&pipeline->handover, lanes, options->source->partitions, aggregations->items, aggregations->count,
	              &options->job->limits);
	pipeline->functions.failed = false;
	functions_attach(options->functions, &pipeline->handover);
	attach(pipeline, &pipeline->handover);
	pipeline->setup.last_row_ms = clock_monotonic_ms(options->clock);
	status_phase(options->status, options->source->boundary.pending ? PHASE_REPLAYING : PHASE_RUNNING);
	outcome = start_lanes(pipeline, lanes, err);
	if (outcome < 0)
		handover_fail(&pipeline->handover, err);
	else
		outcome = fire_all(pipeline, err);
	for (unsigned l = 0; l < pipeline->lanes_started; l++)
		pthread_join(pipeline->lanes[l]->thread, NULL);
	for (unsigned l = 0; l < pipeline->lanes_made; l++)
		lane_free(pipeline->lanes[l]);
	pipeline->lanes_started = pipeline->lanes_made = 0;
	functions_attach(options->functions, NULL);
	attach(pipeline, NULL);
	handover_release(&pipeline->handover);
	return outcome;
}

/* Why a source has interrupted the job. */
static int source_outcome(struct source *source, struct error *err)
{
	if (!atomic_load(&source->failed))
		return PIPELINE_AGAIN;
	*err = source->failure;
	return error_prefix(err, "source");
}

static int run_opened(struct pipeline *pipeline, unsigned lanes, struct error *err)
{
	const struct pipeline_options *options = pipeline->options;
	enum recovered recovered = RECOVERED;
	int outcome;

	pipeline->to = xcalloc(options->source->partitions + 1, sizeof(int64_t));
	pipeline->fire = fire_new(options->job, pipeline->query, options->functions ? &pipeline->functions : NULL,
	                          options->status);
	pipeline->setup = (struct lane_setup){
	        .job = options->job,
	        .clock_column = options->clock_column,
	        .until_idle_ms = options->until_idle_ms,
	        .clock = options->clock,
	        .stop = options->stop,
	        .source = options->source,
	        .letters = options->letters,
	        .functions = options->functions,
	        .handover = &pipeline->handover,
	        .status = options->status,
	};
	pipeline->recovery = (struct recovery){
	        .functions = options->functions,
	        .stop = options->stop,
	        .status = options->status,
	        .bounded = options->source->bounded || options->until_idle_ms,
	};
	do {
		outcome = run_once(pipeline, lanes, err);
		if (atomic_load(&options->source->interrupted))
			outcome = source_outcome(options->source, err);
		else if (outcome == HANDOVER_INTERRUPTED)
			recovered = recover(&pipeline->recovery, options->source, lanes, err);
	} while (outcome == HANDOVER_INTERRUPTED && recovered == RECOVERED);
	if (outcome == HANDOVER_INTERRUPTED)
		outcome = recovered == RECOVERED_DRAINED ? 0 : -1;
	fire_free(pipeline->fire);
	free(pipeline->to);
	return outcome;
}

/* Without merge the accumulators of two lanes could not be brought together. */
static unsigned lanes_that_fit(const struct pipeline_options *options)
{
	unsigned lanes = options->clock_column ? 1 : options->lanes > LANES_MAX ? LANES_MAX : options->lanes;
	const char *name = options->functions && lanes > 1 ? functions_not_mergeable(options->functions) : NULL;

	if (name)
		log_warn("one lane only: a function has no merge", "function=%s", name);
	return name ? 1 : lanes;
}

static void close_all(struct pipeline *pipeline)
{
	const struct pipeline_options *options = pipeline->options;

	delivery_free(pipeline->delivery);
	status_source(options->status, NULL, false);
	for (size_t i = 0; i < options->sinks_count; i++)
		options->sinks[i]->ops->close(options->sinks[i]);
	if (options->letters)
		options->letters->ops->close(options->letters);
	options->source->ops->close(options->source);
	query_free(pipeline->query);
	calls_release(&pipeline->functions);
}

/* A stop while connecting is a drain with nothing to do. */
static int judge(const struct pipeline *pipeline, int outcome)
{
	const struct pipeline_options *options = pipeline->options;
	bool stopping = atomic_load(&options->stop->requested);

	if (stopping && ((outcome < 0 && !pipeline->delivery) || outcome == PIPELINE_AGAIN))
		return 0;
	return outcome == COMMIT_AGAIN ? PIPELINE_AGAIN : outcome;
}

int pipeline_run(const struct pipeline_options *options, struct error *err)
{
	struct pipeline *pipeline = xcalloc(1, sizeof(*pipeline));
	unsigned lanes = lanes_that_fit(options);
	int outcome;

	pipeline->options = options;
	pthread_mutex_init(&pipeline->mutex, NULL);
	outcome = make_query(pipeline, err);
	if (!outcome)
		outcome = open_all(pipeline, &lanes, err);
	if (!outcome)
		outcome = run_opened(pipeline, lanes, err);
	options->source->ended_in_order = outcome == 0;
	outcome = judge(pipeline, outcome);
	if (outcome < 0)
		status_error(options->status, err);
	status_phase(options->status, outcome < 0                 ? PHASE_FAILED
	                              : outcome == PIPELINE_AGAIN ? PHASE_CONNECTING
	                                                          : PHASE_FINISHED);
	close_all(pipeline);
	pthread_mutex_destroy(&pipeline->mutex);
	free(pipeline);
	return outcome;
}
