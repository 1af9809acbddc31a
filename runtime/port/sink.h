/* What a sink and a dead letter must do. */
#ifndef STREAMJOB_PORT_SINK_H
#define STREAMJOB_PORT_SINK_H

#include "lib/base/error.h"
#include "runtime/port/result.h"
#include "runtime/port/stop.h"
#include "runtime/record/record.h"

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
