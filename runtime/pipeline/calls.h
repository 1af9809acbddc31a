/*
 * The user's functions as one thread calls them: a lane with its own workers, or the fire thread with those of a lane.
 *
 * A worker that fails interrupts the job (functions.h) and marks the calls as failed: from then on every call does
 * nothing, and whoever ran a program looks at `failed` before he uses what it gave. A row that kills a worker twice is
 * looked for and put into quarantine.
 */
#ifndef STREAMJOB_CALLS_H
#define STREAMJOB_CALLS_H

#include "runtime/pipeline/functions.h"

struct calls {
	struct functions *functions; /* NULL: the job has none */
	unsigned lane;
	struct user_functions known;        /* to compile programs with */
	const struct record_batch *records; /* that the rows come from; NULL on the fire thread */
	const uint32_t *record_rows;        /* the record of each row; NULL: its own number */
	bool failed;
	struct error error;
	struct row_failures *failures; /* of the last call */
};

void calls_init(struct calls *calls, struct functions *functions, unsigned lane);
void calls_release(struct calls *calls);

/* A call for rows failed as a whole; what the rows are to the poison is found here. Always -1, calls->error says why.
 */
int calls_rows_failed(struct calls *calls, size_t function, const struct udf_arguments *arguments,
                      const struct udf_failure *failure);
/* Another call failed. */
int calls_failed(struct calls *calls, size_t function, unsigned lane, const struct udf_failure *failure);
/* A row raised, and its policy is to stop the job. */
int calls_stop(struct calls *calls, size_t function, const char *method, const char *message);

static inline struct udf_worker *calls_worker(const struct calls *calls, size_t function)
{
	return functions_worker(calls->functions, function, calls->lane);
}

/* "accumulate", "eval": what is called for rows of that kind. */
const char *calls_row_method(enum function_kind kind);

#endif
