/* What a sink and a dead letter must do. */
#ifndef STREAMJOB_PORT_SINK_H
#define STREAMJOB_PORT_SINK_H

#include "lib/base/error.h"
#include "runtime/port/lease.h"
#include "runtime/port/result.h"
#include "runtime/port/stop.h"
#include "runtime/record/record.h"

#define LIFE_BYTES_MAX 40

/*
 * A life is what began at a first start and goes on over restarts: windows are numbered from 1 in each. It is kept in
 * the source's metadata and at each sink, so that equal numbers of two lives are not taken for one window.
 */
#define LIFE_PLACE_DIGITS 12 /* how it begins: a hash of where the job reads, and '-' */

struct sink_start {
	char life[LIFE_BYTES_MAX]; /* letters, digits and '-'; never empty */
	uint64_t next_sequence;    /* of the first window to come */
	/* That window was begun under this life by an earlier process: a sink that holds it under this life has it
	 * already. False: nothing that a sink holds is a replay of what comes. */
	bool pending;
	bool resumable; /* false: nothing of an earlier run counts */
};

/* What a sink holds of an earlier life of this job; life "" where it holds nothing. */
struct sink_held {
	char life[LIFE_BYTES_MAX];
	uint64_t sequence;
};

/* Did both begin at one place, which is one job's? */
static inline bool life_same_place(const char *a, const char *b)
{
	return strncmp(a, b, LIFE_PLACE_DIGITS + 1) == 0;
}

/* Whether the first window to come is there already; any other one that a sink holds is no replay of it. */
static inline bool sink_holds_next(const struct sink_start *start, const struct sink_held *held)
{
	return start->pending && held->sequence == start->next_sequence && !strcmp(held->life, start->life);
}

/* SINK_FENCED: the lease cannot be renewed, for another process has the job. */
enum sink_outcome { SINK_ACCEPTED, SINK_RETRY, SINK_REJECTED, SINK_FENCED };

struct sink;
struct sink_ops {
	const char *name;
	/* Before open, on a first start: what is there, in one attempt; changes nothing. -1: cannot be asked now;
	 * -2: what is there cannot be read, ever. NULL where the sink keeps nothing. */
	int (*inspect)(struct sink *sink, struct stop *stop, struct sink_held *ret_held, struct error *err);
	int (*open)(struct sink *sink, const struct sink_start *start, struct stop *stop, struct error *err);
	/* Idempotent by sequence. Retries within its own deadline, then SINK_RETRY and why: the pipeline says so in the
	 * status and calls again with the same window until it is accepted or stop's deadline is over. SINK_REJECTED:
	 * the sink will never take this window; err says why, in the peer's words. One thread a sink. */
	enum sink_outcome (*write)(struct sink *sink, const struct window_result *result, struct stop *stop,
	                           struct error *err);
	/* About every SINK_IDLE_MS on the sink's thread while no window is there: what is due by time alone. NULL:
	 * none. */
	void (*idle)(struct sink *sink, struct stop *stop);
	void (*close)(struct sink *sink); /* frees it too */
};
#define SINK_IDLE_MS 200

struct sink { /* the first member of each implementation */
	const struct sink_ops *ops;
	const char *target; /* for status and logs: "pushgateway http://…", never a secret; outlives the sink's use */
	bool fail_on_rejected;
	const struct lease *lease;  /* NULL: none is needed. Set by the pipeline before open */
	int64_t request_timeout_ms; /* the longest that one request may take; 0: it sends none */
	/* Each failed attempt, as it happens, and NULL when one works again. Set by the pipeline before open. */
	void (*report)(void *context, const struct error *err);
	/* A row that can never be in the sink, or only in part, while the rest of its window was accepted: within that
	 * window's write, once. It goes to the dead letter. Set by the pipeline before open. */
	void (*leave_out)(void *context, const struct window_result *result, size_t row, const char *reason);
	void *report_context; /* of both */
};

struct dead_letter;
struct dead_letter_ops {
	const char *name;
	int (*open)(struct dead_letter *letters, struct stop *stop, struct error *err);
	/* Any lane (it locks: rejected rows are rare). Topic is "" for other sources. At-least-once across a crash. */
	int (*write)(struct dead_letter *letters, const struct record *record, const char *topic, const char *reason,
	             struct error *err);
	/* Rows of a window that a sink rejected or left out: `rows` of them from `first` on. Any sink's thread. */
	int (*write_rows)(struct dead_letter *letters, const struct window_result *result, size_t first, size_t rows,
	                  const char *sink, const char *reason, struct error *err);
	/* Everything written so far is safe: before offsets move. */
	int (*flush)(struct dead_letter *letters, struct stop *stop, struct error *err);
	void (*close)(struct dead_letter *letters);
};
struct dead_letter {
	const struct dead_letter_ops *ops;
};

#endif
