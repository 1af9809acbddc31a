/* A lane's memory and programs: everything that the hot path uses is made here, once. */
#include <stdlib.h>

#include "runtime/pipeline/lane_parts.h"

static void make_calls(struct lane *lane)
{
	aggregations_init(&lane->aggregations, lane->query, &lane->functions);
	lane->calls_count = lane->aggregations.count;
	lane->calls = xcalloc(lane->calls_count ? lane->calls_count : 1, sizeof(*lane->calls));
	for (size_t c = 0; c < lane->calls_count; c++) {
		struct lane_call *call = &lane->calls[c];

		call->of = lane->aggregations.items[c];
		call->filtered = xmalloc(BATCH_ROWS_MAX * sizeof(uint32_t));
		call->arguments = xcalloc(call->of.call->arguments_count + 1, sizeof(const struct column *));
	}
}

/* Declared and source columns have memory where they are read; those of `select` are lent by their programs. */
static void make_batch(struct lane *lane)
{
	const struct query *query = lane->query;
	bool *read = xcalloc(query->row.count + 1, sizeof(bool));

	memcpy(read, query->read, (query->declared_count + query->source_count) * sizeof(bool));
	batch_init(&lane->batch, &query->row, read, BATCH_ROWS_MAX);
	free(read);
	lane->keys = xcalloc(query->keys_count + 1, sizeof(*lane->keys));
	for (size_t k = 0; k < query->keys_count; k++)
		lane->keys[k] = &lane->batch.columns[query->key_columns[k]];
}

struct lane *lane_new(struct lane_setup *setup, unsigned number, struct error *err)
{
	struct lane *lane = xcalloc(1, sizeof(*lane));
	const struct jobspec *job = setup->job;

	lane->setup = setup;
	lane->number = number;
	lane->counts = &setup->status->lanes[number];
	lane->clock_ms = INT64_MIN;
	lane->clock_index = -1;
	calls_init(&lane->functions, setup->functions, number);
	lane->functions.records = &lane->records;
	lane->query =
	        query_compile(setup->job, setup->clock_column, setup->functions ? &lane->functions.known : NULL, err);
	if (!lane->query) {
		lane_free(lane);
		return NULL;
	}
	make_calls(lane);
	make_batch(lane);
	lane_lateral_new(lane);
	lane->feed = feed_new(job->limits.record_bytes);
	lane_times_new(lane);
	if (setup->clock_column)
		lane->clock_index = schema_find(&lane->query->row, slice_of(setup->clock_column));
	if (setup->source->ordered)
		lane_order_new(lane);
	lane->decoder = json_decoder_new(job->columns, job->columns_count, lane->query->read, &job->json,
	                                 job->limits.record_bytes);
	return lane;
}

void lane_free(struct lane *lane)
{
	if (!lane)
		return;
	for (size_t c = 0; c < lane->calls_count; c++) {
		free(lane->calls[c].filtered);
		free(lane->calls[c].arguments);
	}
	lane_lateral_free(lane);
	lane_order_free(lane);
	feed_free(lane->feed);
	calls_release(&lane->functions);
	free(lane->calls);
	aggregations_release(&lane->aggregations);
	free(lane->keys);
	if (lane->query) {
		size_t own = lane->query->declared_count + lane->query->source_count;

		/* The columns of `select` belong to their programs. */
		for (size_t i = own; i < lane->batch.columns_count; i++)
			lane->batch.columns[i] = (struct column){.type = lane->batch.columns[i].type};
		batch_release(&lane->batch);
	}
	lane_note_columns(lane);
	free(lane->times);
	json_decoder_free(lane->decoder);
	query_free(lane->query);
	free(lane);
}
