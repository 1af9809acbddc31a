/*
 * What a pod says of itself in /status, read as it comes. The pod may be anyone's: what is kept is the text of the
 * members that verdicts and figures are made from, TOLD_BYTES_MAX of it at most, and of the partitions their lags'
 * sum; nesting is bounded, and a tree is made of no more than was kept.
 */
#ifndef STREAMJOB_TOLD_H
#define STREAMJOB_TOLD_H

#include <jansson.h>

#include "lib/base/buffer.h"

#define TOLD_BYTES_MAX ((size_t)32768)
#define TOLD_DEPTH_MAX 16
#define TOLD_KEY_MAX   32

struct told {
	struct buffer kept; /* a JSON object without its end */
	enum { TOLD_SKIPS, TOLD_KEEPS, TOLD_COUNTS } mode;
	char key[TOLD_KEY_MAX + 1]; /* at the depth that is looked at */
	size_t key_size;
	int depth;
	bool is_object[TOLD_DEPTH_MAX + 1];
	bool in_text, escaped, wants_key, in_key, failed, ended;
	bool in_number;
	char number[24];
	size_t number_size;
	bool has_lag, says_lag; /* of a partition; of itself */
	int64_t lag;
};

void told_init(struct told *told);
void told_release(struct told *told);
/* False: no more is wanted, since the answer is none or all that matters has come. */
bool told_feed(struct told *told, const char *data, size_t size);
/* The partitions, which come last, are being read and their lag was said before: nothing else is to come. */
bool told_is_enough(const struct told *told);
/* A new reference: what was kept, `lag` with it; NULL where it was no such answer. */
json_t *told_take(struct told *told);

#endif
