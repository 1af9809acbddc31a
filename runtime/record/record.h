/*
 * Raw records as a source gave them: slices and their place in the log, no copy. Free of any client library's types.
 */
#ifndef STREAMJOB_RECORD_H
#define STREAMJOB_RECORD_H

#include "lib/data/batch.h"

struct record {
	struct slice value;   /* data NULL: none, a tombstone; which is not an empty one */
	struct slice key;     /* data NULL: no key */
	int64_t offset;       /* in its partition; for a file the byte where the line begins */
	int64_t timestamp_ms; /* the broker's; -1 where there is none */
	uint32_t partition;   /* dense, from 0 */
	uint32_t element;     /* of the array that the record is, from 1; 0: it is none */
	uint64_t line;        /* of a file, from 1; 0: none */
	const char *wrong;    /* why it is a bad row whatever it holds: longer than a record may be; NULL: nothing */
	struct slice headers; /* a JSON object, only where the job reads kafka_headers; else empty */
	bool headers_bad;     /* a header is not UTF-8: `headers` says which */
};

#define RECORD_PLACE_MAX 96

/* "line 3" of a file, else "partition 0, offset 5"; of an array's element with ", element 2". */
void record_place(const struct record *record, char ret_text[RECORD_PLACE_MAX]);

/* A batch that a lane took from its source; bytes stay valid until the lane's next take. */
struct record_batch {
	size_t count;
	struct record records[BATCH_ROWS_MAX];
};

#endif
