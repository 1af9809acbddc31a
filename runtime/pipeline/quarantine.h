/*
 * Poison rows: which records must not come to the functions again, until their offsets are committed. Any thread.
 */
#ifndef STREAMJOB_QUARANTINE_H
#define STREAMJOB_QUARANTINE_H

#include <pthread.h>

#include "lib/base/error.h"
#include "runtime/record/record.h"

#define QUARANTINE_ROWS_MAX 1000

struct poison {
	uint32_t partition, element; /* of the record, and of its array */
	size_t function;
	int64_t offset;
	struct error reason;
};

struct quarantine {
	pthread_mutex_t mutex;
	_Atomic size_t count;
	struct poison *rows; /* QUARANTINE_ROWS_MAX, made with the first */
};

void quarantine_init(struct quarantine *quarantine);
void quarantine_release(struct quarantine *quarantine);
/* False where it is full. */
bool quarantine_add(struct quarantine *quarantine, const struct poison *poison);
/* Is the record there? Cheap while nothing is. */
bool quarantine_find(struct quarantine *quarantine, const struct record *record, struct poison *ret_poison);
/* Records before to[partition] will not come again. */
void quarantine_forget(struct quarantine *quarantine, const int64_t *to, size_t partitions);

#endif
