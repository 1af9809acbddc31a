/*
 * The user's functions of one job while it runs: their workers (one for each function and lane), what is known of them,
 * and what went wrong.
 *
 * A failure of a worker, and an exception that no policy lets pass, interrupts the job: whoever sees it calls
 * functions_failed or functions_stop, which wakes the job's threads by the hand-over; the pipeline then drops the
 * partials, calls functions_recover, rewinds the source and goes on (recover.c).
 *
 * Threads: lanes use their own workers, the fire thread those of any lane; the rest is behind a mutex.
 */
#ifndef STREAMJOB_FUNCTIONS_H
#define STREAMJOB_FUNCTIONS_H

#include "lib/spec/query/query.h"
#include "runtime/pipeline/function_state.h"
#include "runtime/pipeline/handover.h"
#include "runtime/pipeline/quarantine.h"
#include "runtime/port/port.h"

struct functions {
	const struct jobspec *job;
	const struct worker_ops *ops;
	const struct clock *clock;
	struct function_state *items;
	size_t count;
	struct user_function *known;          /* what queries are compiled with */
	struct udf_worker **workers;          /* [lane * count + function] */
	struct udf_environment *environments; /* of those */
	pthread_mutex_t *locks;               /* of those: what a call gives is read before another thread calls */
	bool *dead;                           /* of those: to be stopped */
	struct suspects *suspects;            /* of those; the lane's alone */
	struct quarantine quarantine;
	_Atomic size_t unhealthy;
	struct handover *handover; /* while the job runs; NULL before */
	pthread_mutex_t mutex;
	bool hide_values; /* set before the first call: what functions raise on rows is in no log and no status */
	bool stopped;     /* a policy says: read no further */
	bool progress;    /* a window was accepted, or a poison row found, since the last restart */
	struct error cause;
};

/* `environment` is copied, but for what it points to. */
struct functions *functions_new(const struct jobspec *job, const struct worker_ops *ops,
                                const struct udf_environment *environment, const struct clock *clock);
void functions_free(struct functions *functions);

/* What the code says of itself, for the compiler: points into the signature. */
struct user_function functions_known(const struct function_spec *spec, const struct udf_signature *signature);

/* Starts lane 0's workers: signatures are known then. -1: one failed, err names it. */
int functions_load(struct functions *functions, struct error *err);
/* The same of another lane, on any thread. */
int functions_start(struct functions *functions, unsigned lane, struct error *err);
/* Whom an interruption wakes; NULL: nobody runs. `functions` may be NULL. */
void functions_attach(struct functions *functions, struct handover *handover);
/* Dead workers go; the others forget their accumulators. No thread may use one now. */
void functions_recover(struct functions *functions, unsigned lanes);
/* Can partials of several lanes be combined? NULL, or the name of a function that has no merge. */
const char *functions_not_mergeable(const struct functions *functions);

/* What a worker gives lives until its next call, and lane and fire thread both call it: held over call and copy. */
void functions_lock(struct functions *functions, size_t function, unsigned lane);
void functions_unlock(struct functions *functions, size_t function, unsigned lane);

struct udf_worker *functions_worker(const struct functions *functions, size_t function, unsigned lane);

/* Has it failed already, by a call of another thread? Then every call fails, and no row is to blame. */
bool functions_dead(struct functions *functions, size_t function, unsigned lane, struct error *ret_cause);
/* The worker is dead: the job is interrupted. Always -1. */
int functions_failed(struct functions *functions, size_t function, unsigned lane, enum failed_at where,
                     const struct udf_failure *failure, struct error *err);
/* What logs and the status may say of an exception, whose words may have values of rows in them. */
#define FUNCTION_HIDDEN_MAX 128
const char *functions_shown(const struct functions *functions, const char *method, const char *words,
                            char hidden[FUNCTION_HIDDEN_MAX]);
/* An exception that no row explains: its worker stays. The job is interrupted. Always -1. */
int functions_raised(struct functions *functions, size_t function, const char *method, const char *message,
                     struct error *err);
/* A policy stops the job: interrupted, and not to go on. Always -1. */
int functions_stop(struct functions *functions, size_t function, const char *method, const char *message,
                   struct error *err);
/* An exception that a policy lets pass. */
void functions_note(struct functions *functions, size_t function, const char *method, const char *message);
/* FAILED_ON_ROWS: where. */
void functions_failed_until(struct functions *functions, size_t function, uint32_t partition, int64_t offset);
/* These records are through: functions that failed on them are well again. Cheap while all are. */
void functions_passed(struct functions *functions, const struct record_batch *records);
/* A window was accepted, with these ends. */
void functions_accepted(struct functions *functions, const int64_t *to, size_t partitions);
/* 0, or -1 and which function fails how. */
int functions_healthy(struct functions *functions, struct error *err);

#endif
