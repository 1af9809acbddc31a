/*
 * A lane: the thread that takes batches from its partitions and runs each to completion, from bytes to the states of
 * its partial window. It shares nothing with other lanes but the hand-over.
 *
 * Processing time: a batch belongs to the window of the job's clock when it was taken. With a clock column every row
 * moves the lane's clock, which never steps back, and belongs to the window of that clock.
 */
#ifndef STREAMJOB_LANE_H
#define STREAMJOB_LANE_H

#include "lib/spec/query/query.h"
#include "runtime/decode/json.h"
#include "runtime/pipeline/calls.h"
#include "runtime/pipeline/handover.h"
#include "runtime/pipeline/lane_feed.h"
#include "runtime/pipeline/lane_setup.h"
#include "runtime/pipeline/aggregations.h"

#define TAKE_WAIT_MS_MAX 100

struct lane_call { /* one aggregate call of the query, as this lane runs it */
	struct aggregation of;
	const struct column **arguments; /* of the current batch */
	const uint32_t *rows;            /* of the current batch: those that pass the call's FILTER */
	size_t rows_count;
	uint32_t *filtered; /* memory for rows */
};

struct lateral_level; /* lane_lateral.c */
struct lane_order;    /* lane_order.c */

struct lane {
	struct lane_setup *setup;
	unsigned number;
	pthread_t thread;
	struct query *query;
	struct json_decoder *decoder;
	struct batch batch; /* columns of query->row */
	const struct column **keys;
	struct aggregations aggregations;
	struct lane_call *calls; /* of each */
	size_t calls_count;
	struct calls functions;
	struct lateral_level *levels; /* one for each of query->lateral */
	int clock_index;              /* the clock column in the row, or -1 */
	struct lane_order *order;     /* NULL: rows are taken as they come */
	struct lane_counts *counts;
	bool *times; /* of each declared column: its times have not been looked at */
	size_t times_left;
	struct partial *partial; /* being filled, or NULL */
	bool replaying;          /* until the source says TAKE_BOUNDARY */
	int64_t clock_ms;        /* of the clock column; INT64_MIN before the first row */
	struct record_batch records;
	struct feed *feed;
	bool complete;                    /* no records will follow these */
	uint8_t verdicts[BATCH_ROWS_MAX]; /* with a clock column: of each row's stamp */
	struct bad_rows bad;
	struct row_failures failures;
	void *groups[BATCH_ROWS_MAX];       /* by position in the run */
	void *group_of_row[BATCH_ROWS_MAX]; /* by row number */
	void *states[BATCH_ROWS_MAX];
	uint32_t decoded[BATCH_ROWS_MAX]; /* with a clock column: rows before the filter; they move the clock too */
	size_t decoded_count;
	size_t good; /* rows of the batch that are in no way bad and pass the filter */
	uint32_t rows[BATCH_ROWS_MAX], present[BATCH_ROWS_MAX];
	uint8_t failed[BATCH_ROWS_MAX];
	uint8_t complete_arguments[BATCH_ROWS_MAX]; /* of a call with several: none is NULL */
	struct slice key_bytes[BATCH_ROWS_MAX];
	uint64_t hashes[BATCH_ROWS_MAX];
};

/* Compiles the query for this lane. The job was checked: a problem here is a failure of ours, said in err. */
struct lane *lane_new(struct lane_setup *setup, unsigned number, struct error *err);
void lane_free(struct lane *lane);
/* The thread's body: until stop, end of input, idleness or failure; then it finishes in the hand-over. */
void *lane_run(void *argument);

/* Decodes lane->records and evaluates every row program: lane->rows[0..good) are the good rows. Records at the end
 * whose stamps cannot be judged yet go back to the feed. */
int lane_evaluate(struct lane *lane, struct error *err);
/* Adds the good rows numbered from `from` to before `to` to the open partial. */
int lane_add(struct lane *lane, uint32_t from, uint32_t to, struct error *err);

#endif
