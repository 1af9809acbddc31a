/*
 * What a job says of itself: /status, /readyz, /metrics and the live line on a terminal are all made from this.
 *
 * Counts are relaxed atomics, a set for each lane, so that the hot path shares nothing. The rest is behind a mutex that
 * is taken once a window, once a failed attempt and once a request.
 */
#ifndef STREAMJOB_STATUS_H
#define STREAMJOB_STATUS_H

#include <pthread.h>

#include "lib/base/buffer.h"
#include "lib/spec/field/jobspec.h"
#include "runtime/pipeline/handover.h"
#include "runtime/pipeline/job_clock.h"
#include "runtime/pipeline/not_ready.h"
#include "runtime/pipeline/losses.h"
#include "runtime/pipeline/phase.h"
#include "runtime/pipeline/recent.h"
#include "runtime/port/port.h"

#define STATUS_SINKS_MAX      16
#define STATUS_PARTITIONS_MAX 10000
#define WINDOW_OVERDUE_MS     10000 /* not accepted this long after its end: the job is not ready */
#define CLOCK_AHEAD_MS_MAX    1000  /* the job's clock before the machine's: beyond it the job is not ready */

struct lane_counts {
	_Atomic uint64_t rows_in, filtered, bad, bad_fields, tombstones, late, dropped, dead_lettered;
} __attribute__((aligned(64)));

struct closed_window {
	struct window window;
	uint64_t sequence; /* 0: none yet */
	uint64_t rows;     /* in its result */
};

struct sink_status {
	char *target; /* the status's own: sinks come and go */
	bool opened, failing;
	struct error error;         /* while failing, and the words of the last rejection */
	uint64_t accepted_sequence; /* 0: none yet */
	int64_t accepted_wall_ms;
	uint64_t failures, rejected, left_out;
	int64_t failing_wall_ms; /* since when, while failing */
};

struct status {
	const struct jobspec *job;
	const struct clock *clock;
	char finishing[1024];       /* why the job is not the one that goes on, from the start on; "": it is */
	struct job_clock job_clock; /* the lanes' */
	int64_t started_ms;         /* monotonic */
	_Atomic int phase;
	struct lane_counts lanes[LANES_MAX];
	_Atomic int64_t open_start_ms, open_end_ms; /* INT64_MIN: none open */
	_Atomic int64_t oldest_end_ms;              /* of the oldest window that is not yet accepted; INT64_MIN: none */
	_Atomic uint64_t rows_out, windows, result_errors, sequence; /* of the last window that was accepted; 0: none */

	struct losses losses;

	pthread_mutex_t mutex;
	struct functions *functions;        /* NULL: the job has none */
	struct source *source, *connecting; /* open; being opened */
	struct recent recent;               /* as of the last requests for /status */
	struct closed_window last;
	struct sink_status sinks[STATUS_SINKS_MAX];
	size_t sinks_count;
	const struct sink_status *asked; /* of a first start: what does this sink know? NULL: none is asked */
	int64_t asked_wall_ms;           /* since */
	struct error last_error;
	int64_t last_error_wall_ms; /* 0: none */
};

struct status_counts {
	uint64_t rows_in, filtered, bad, bad_fields, tombstones, late, dropped, dead_lettered;
};

void status_init(struct status *status, const struct jobspec *job, const struct clock *clock);
void status_release(struct status *status);
void status_phase(struct status *status, enum phase phase);
void status_error(struct status *status, const struct error *err);           /* NULL: the last one is over */
void status_source(struct status *status, struct source *source, bool open); /* NULL: it is closed */
/* A sink fails, or works again (NULL). The mutex is held. */
void status_sink(struct status *status, struct sink_status *sink, const struct error *err);
void status_sinks(struct status *status, struct sink *const *sinks, size_t count);
/* A first start asks sink `i` of these, or none any more by -1; `err`: why it has no answer yet, or NULL. */
void status_asks(struct status *status, int i, const struct error *err);
/* Functions outlive the status, or NULL comes before their end. They show values where the status does. */
void status_functions(struct status *status, struct functions *functions);
struct status_counts status_counts(const struct status *status);
/* Sums over the partitions: end minus committed, and position minus committed (in open windows). -1: unknown. */
int64_t status_lag(struct status *status, int64_t *ret_in_windows);
/* How the rows of the last windows are; see losses.h. */
enum input_state status_input(struct status *status, const char **ret_reason, struct error *ret_message);
/* 0, or one of enum not_ready and the reason in words. */
int status_ready(struct status *status, struct error *err);

#endif
