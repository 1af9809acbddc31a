/*
 * Raw records as a source gave them: slices and their place in the log, no copy. Free of any client library's types.
 */
#ifndef STREAMJOB_RECORD_H
#define STREAMJOB_RECORD_H

#include "lib/data/batch.h"

struct record {
	struct slice value;
	struct slice key;     /* data NULL: no key */
	int64_t offset;       /* in its partition; for a file the byte where the line begins */
	int64_t timestamp_ms; /* the broker's; -1 where there is none */
	uint32_t partition;   /* dense, from 0 */
	struct slice headers; /* a JSON object, only where the job reads kafka_headers; else empty */
};

/* A batch that a lane took from its source; bytes stay valid until the lane's next take. */
struct record_batch {
	size_t count;
	struct record records[BATCH_ROWS_MAX];
};

#endif
