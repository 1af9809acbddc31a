/*
 * Records out of bytes: lines, or the elements of an array that may be written over many. What the bytes are is seen at
 * their first one that is no white space: '[' begins an array; after its end it is looked at again. Or the elements of
 * one array alone. Pure.
 */
#ifndef STREAMJOB_RECORD_CUT_H
#define STREAMJOB_RECORD_CUT_H

#include "runtime/record/record.h"

enum cut_mode { CUT_BEGIN, CUT_LINES, CUT_FIRST_ELEMENT, CUT_ELEMENT, CUT_BEHIND, CUT_END };

/* Where a record begins: enough to go on from there. */
struct cut_place {
	enum cut_mode mode;
	int64_t offset;   /* of the byte in the input */
	uint64_t line;    /* from 1 */
	uint32_t element; /* of the array, from 1; 0 in lines */
};

struct cutter {
	struct cut_place place;
	size_t record_bytes; /* the longest record; of a longer one only that much is given */
	size_t scanned;      /* bytes from place.offset on that were looked at and are still wanted */
	uint64_t scanned_lines;
	bool skipping; /* the rest of a record that is too long */
	bool alone;    /* one array, and nothing behind it */
	/* Within an element: */
	uint32_t depth;
	bool quoted, escaped;
	char too_long[128];
};

void cutter_init(struct cutter *cutter, int64_t record_bytes);
/* A text that is one array: its elements follow, from its first byte on. False where it is none. */
bool cutter_open_array(struct cutter *cutter, struct slice text);
/* All of the array was given, of which `done` of `size` bytes are done with. */
bool cutter_at_end(const struct cutter *cutter, size_t done, size_t size);
/* The next bytes are those from the place on. */
void cutter_go_to(struct cutter *cutter, const struct cut_place *place);

/*
 * Adds records to the batch, from `size` bytes that begin at place.offset; `last`: nothing follows them. Returns how
 * many of the bytes are done with, and place.offset has moved by as many. The records point into the bytes.
 */
size_t cut_records(struct cutter *cutter, const char *bytes, size_t size, bool last, struct record_batch *batch);

#endif
