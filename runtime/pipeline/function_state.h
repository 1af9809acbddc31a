/*
 * What is known of one user function while the job runs. See functions.h.
 */
#ifndef STREAMJOB_FUNCTION_STATE_H
#define STREAMJOB_FUNCTION_STATE_H

#include "lib/base/repeat.h"
#include "runtime/pipeline/workers.h"

#define FUNCTION_REASON_MAX 2560 /* a reason of the worker, and where it was */

/* Where a function failed, so that it is known when it has got past that. */
enum failed_at { FAILED_NOWHERE, FAILED_STARTING, FAILED_ON_ROWS, FAILED_FIRING };

struct function_state {
	const struct function_spec *spec;
	struct udf_signature signature;
	bool loaded;
	struct udf_counts counts;
	/* Behind the mutex. */
	enum failed_at failed_at;
	uint32_t partition; /* FAILED_ON_ROWS: of the last record that was there */
	int64_t to_offset;
	uint64_t restarts, poison_rows;
	struct repeat raised;  /* exceptions that a policy lets pass */
	int64_t error_wall_ms; /* 0: no error yet */
	char error_method[64], error_reason[16], error_message[FUNCTION_REASON_MAX];
};

/* Records that were there when a lane's worker died: once more, and the row is looked for. */
struct suspects {
	bool any;
	uint32_t partition;
	int64_t from_offset, to_offset;
};

#endif
