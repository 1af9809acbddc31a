/*
 * What a source, a sink, a dead letter and a clock must do. The pipeline knows only these.
 *
 * Delivery (decision 6): a window is an offset vector. commit(pending) writes "window n ends at `to`" beside offsets
 * that stay at `from`; then the sinks get window n; commit(accepted) moves the offsets. After a crash in between,
 * open() finds the boundary pending and take() gives exactly the rows up to it.
 */
#ifndef STREAMJOB_PORT_H
#define STREAMJOB_PORT_H

#include <stdatomic.h>

#include "lib/base/error.h"
#include "runtime/port/result.h"
#include "runtime/record/record.h"

struct clock {
	int64_t (*wall_ms)(void *context);
	int64_t (*monotonic_ms)(void *context);
	void *context;
};

/* Shared by main and everything that waits: nothing waits past the deadline. Monotonic milliseconds; INT64_MAX: none.
 */
struct stop {
	_Atomic bool requested;      /* stop reading, drain */
	_Atomic int64_t deadline_ms; /* give up */
	const struct clock *clock;
};

struct boundary {
	bool pending;      /* written before the sinks saw the window; false: they accepted it */
	uint64_t sequence; /* 0: no window yet */
	int64_t start_ms, end_ms;
};

enum take { TAKE_FAILED = -1, TAKE_NOTHING, TAKE_RECORDS, TAKE_BOUNDARY, TAKE_END };

/* One partition as /status shows it. Offsets are -1 where unknown. */
struct partition_status {
	const char *topic;
	int32_t partition;
	int64_t committed, position, end;
};

struct source;
struct source_ops {
	const char *name;
	/* Connects, finds partitions and the last boundary. `lanes` may be lowered to the number of partitions.
	 * partition p belongs to lane p % lanes. Fails at once on what waiting cannot mend; else retries until stop. */
	int (*open)(struct source *source, unsigned *lanes, struct stop *stop, struct error *err);
	/* At most BATCH_ROWS_MAX records; waits up to timeout_ms for the first. One thread a lane. TAKE_BOUNDARY: the
	 * lane has every row of the pending window; it is said once, and nothing follows until resume. TAKE_END: of a
	 * bounded input. */
	enum take (*take)(struct source *source, unsigned lane, struct record_batch *batch, int timeout_ms,
	                  struct error *err);
	/* After the pending window was accepted: all lanes go on from the boundary. From the fire thread. */
	int (*resume)(struct source *source, struct error *err);
	/* to[p]: the next offset of partition p, or -1: unmoved. One request for all partitions; retried until stop's
	 * deadline. */
	int (*commit)(struct source *source, const struct boundary *boundary, const int64_t *to, struct error *err);
	/* Fills up to `max`; returns how many. Any thread. */
	size_t (*status)(struct source *source, struct partition_status *ret_status, size_t max);
	/* 0, or -1 and why no data can come right now (broker away, authentication). Any thread. */
	int (*healthy)(struct source *source, struct error *err);
	void (*close)(struct source *source); /* frees it too */
};

struct source { /* the first member of each implementation */
	const struct source_ops *ops;
	size_t partitions;        /* set by open */
	struct boundary boundary; /* set by open: the last one written */
	bool resumable;           /* offsets outlive the process */
};

enum sink_outcome { SINK_ACCEPTED, SINK_RETRY, SINK_REJECTED };

struct sink;
struct sink_ops {
	const char *name;
	/* `next_sequence`: of the first window to come; resumable false: nothing of an earlier run counts. */
	int (*open)(struct sink *sink, uint64_t next_sequence, bool resumable, struct stop *stop, struct error *err);
	/* Idempotent by sequence. Retries within its own deadline, then SINK_RETRY and why: the pipeline says so in the
	 * status and calls again with the same window until it is accepted or stop's deadline is over. SINK_REJECTED:
	 * the sink will never take this window; err says why, in the peer's words. One thread a sink. */
	enum sink_outcome (*write)(struct sink *sink, const struct window_result *result, struct stop *stop,
	                           struct error *err);
	void (*close)(struct sink *sink); /* frees it too */
};

struct sink { /* the first member of each implementation */
	const struct sink_ops *ops;
	const char *target; /* for status and logs: "pushgateway http://…", never a secret; outlives the sink's use */
	bool fail_on_rejected;
	/* Each failed attempt, as it happens, and NULL when one works again. Set by the pipeline before open. */
	void (*report)(void *context, const struct error *err);
	void *report_context;
};

struct dead_letter;
struct dead_letter_ops {
	const char *name;
	int (*open)(struct dead_letter *letters, struct stop *stop, struct error *err);
	/* Any lane (it locks: rejected rows are rare). Topic is "" for other sources. At-least-once across a crash. */
	int (*write)(struct dead_letter *letters, const struct record *record, const char *topic, const char *reason,
	             struct error *err);
	/* A window that a sink rejected. */
	int (*write_window)(struct dead_letter *letters, const struct window_result *result, const char *sink,
	                    const char *reason, struct error *err);
	/* Everything written so far is safe: before offsets move. */
	int (*flush)(struct dead_letter *letters, struct stop *stop, struct error *err);
	void (*close)(struct dead_letter *letters);
};
struct dead_letter {
	const struct dead_letter_ops *ops;
};

#endif
