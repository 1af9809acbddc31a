/*
 * After an interruption: what was not accepted is dropped, the workers are there again, the source stands at what is
 * committed. Or the reason why the job does not go on.
 *
 * An unbounded job tries again for ever, later and later; a bounded one gives up after RESTARTS_MAX restarts in a row
 * that brought nothing. Where a policy says to stop, an unbounded job stops reading, keeps its offsets, says why, and
 * waits to be ended. Where a function's code does not load when the job begins, the job file is at fault: any job ends
 * at once.
 */
#ifndef STREAMJOB_RECOVER_H
#define STREAMJOB_RECOVER_H

#include "runtime/pipeline/functions.h"
#include "runtime/pipeline/status.h"

#define RESTARTS_MAX 4 /* of a bounded input, without progress */

struct recovery {
	struct functions *functions;
	struct stop *stop;
	struct status *status;
	bool bounded;
	bool refused;      /* by recover_load: a function's code does not load */
	unsigned failures; /* in a row */
};

enum recovered { RECOVERED_NOT = -1, RECOVERED = 0, RECOVERED_DRAINED = 1 };

/* From the fire thread, when no lane runs. RECOVERED_DRAINED: the stop came first, nothing is lost. */
enum recovered recover(struct recovery *recovery, struct source *source, unsigned lanes, struct error *err);
/* functions_load, again and again by the same rules; 1: the stop came first. */
int recover_load(struct recovery *recovery, struct error *err);

#endif
