/*
 * What a source must do.
 *
 * Delivery (decision 6): a window is an offset vector. commit(pending) writes "window n ends at `to`" beside offsets
 * that stay at `from`; then the sinks get window n; commit(accepted) moves the offsets. After a crash in between,
 * open() finds the boundary pending and take() gives exactly the rows up to it.
 */
#ifndef STREAMJOB_PORT_SOURCE_H
#define STREAMJOB_PORT_SOURCE_H

#include "lib/base/error.h"
#include "runtime/port/sink.h"
#include "runtime/port/source_status.h"
#include "runtime/port/stop.h"
#include "runtime/record/record.h"

struct boundary {
	bool pending;      /* written before the sinks saw the window; false: they accepted it */
	uint64_t sequence; /* 0: no window yet */
	int64_t start_ms, end_ms;
};

enum take { TAKE_FAILED = -1, TAKE_NOTHING, TAKE_RECORDS, TAKE_BOUNDARY, TAKE_END };

enum { COMMIT_AGAIN = -2 }; /* the source has interrupted the job: it is to be opened again */

struct source;
struct source_ops {
	const char *name;
	/* Connects, finds partitions and the last boundary. `lanes` may be lowered to the number of partitions.
	 * partition p belongs to lane p % lanes. Fails at once on what waiting cannot mend; else retries until stop. */
	int (*open)(struct source *source, unsigned *lanes, struct stop *stop, struct error *err);
	/* After open, before the first take: writes down where the job begins. `known`: on a first start, what the
	 * sinks hold; a life of this job there, and no offsets, means that they were lost. May return COMMIT_AGAIN.
	 * NULL: nothing to do. */
	int (*begin)(struct source *source, const struct sink_held *known, size_t count, struct error *err);
	/* At most BATCH_ROWS_MAX records; waits up to timeout_ms for the first. One thread a lane. TAKE_BOUNDARY: the
	 * lane has every row of the pending window; it is said once, and nothing follows until resume. TAKE_END: of a
	 * bounded input. */
	enum take (*take)(struct source *source, unsigned lane, struct record_batch *batch, int timeout_ms,
	                  struct error *err);
	/* Where `ordered`: of the batch that was taken last, the records from `from` on come again, behind those of
	 * other partitions; what is left of its partition is not before `clock_ms` (INT64_MIN: not known). From the
	 * lane, after each batch but in a replay. */
	void (*give_back)(struct source *source, const struct record_batch *batch, size_t from, int64_t clock_ms);
	/* After the pending window was accepted: all lanes go on from the boundary. From the fire thread. */
	int (*resume)(struct source *source, struct error *err);
	/* No lane takes any more. The next takes give the records after the committed offsets once more, or, where a
	 * boundary is pending, exactly the rows up to it and then TAKE_BOUNDARY. Only where `rewinds` is set. */
	int (*rewind)(struct source *source, struct error *err);
	/* to[p]: the next offset of partition p, or -1: unmoved. All partitions together or none; retried until stop's
	 * deadline. 0, -1, or COMMIT_AGAIN. */
	int (*commit)(struct source *source, const struct boundary *boundary, const int64_t *to, struct error *err);
	/* Fills up to `max`; returns how many. Any thread. */
	size_t (*status)(struct source *source, struct partition_status *ret_status, size_t max);
	/* 0, or -1 and why no data can come right now (broker away, authentication). Any thread, also during open. */
	int (*healthy)(struct source *source, struct error *err);
	/* Any thread, also during open. NULL: the source has no owner. */
	void (*owner)(struct source *source, struct source_owner *ret_owner);
	void (*close)(struct source *source); /* frees it too */
};

struct source { /* the first member of each implementation */
	const struct source_ops *ops;
	size_t partitions;             /* set by open */
	struct boundary boundary;      /* set by open: the last one written */
	bool resumable;                /* offsets outlive the process */
	bool bounded;                  /* the input ends by itself */
	bool rewinds;                  /* set before open: rewind may be called, keep what it needs */
	bool wants_order;              /* set before open: the rows' own times are the clock */
	bool ordered;                  /* set by open: one lane, a batch is of the partition whose clock is least */
	int64_t horizon_ms;            /* where `ordered`: the least clock of the other partitions; the lane's */
	_Atomic bool holding;          /* where `ordered`: records wait for a partition that gives none */
	_Atomic uint64_t offset_jumps; /* over records that the log no longer has */
	char life[LIFE_BYTES_MAX];     /* set by open where resumable: see sink.h */
	bool first_start;              /* set by open: there were no offsets; sinks are asked before begin */
	struct lease *lease;           /* set by open; NULL: sinks need none */
	int64_t request_timeout_ms;    /* set before open: the longest request of a sink that cannot be fenced */
	bool ended_in_order;           /* set before close: no request of a sink is under way or in doubt */
	/*
	 * Set before open. Called at most once, by a thread of the source: what the lanes have is void (another process
	 * has the job, or partitions were added), and the job is to be opened again. `failed` is set where it is to
	 * fail instead, with `failure`.
	 */
	void (*interrupt)(void *context);
	void *interrupt_context;
	_Atomic bool interrupted, failed;
	struct error failure; /* written before `failed` */
};

#endif
