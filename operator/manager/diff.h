/*
 * Two texts as a unified diff, as `diff -u` prints it.
 */
#ifndef STREAMJOB_DIFF_H
#define STREAMJOB_DIFF_H

#include "lib/base/buffer.h"

#define DIFF_CONTEXT_LINES 3
/* Beyond so many pairs of lines that may match, what differs is shown as one change. */
#define DIFF_PAIRS_MAX ((size_t)16 * 1024 * 1024)

/* Appends nothing, and returns false, where the texts are the same. The names go behind "--- " and "+++ ". */
bool diff_unified(const char *old_name, struct slice old_text, const char *new_name, struct slice new_text,
                  struct buffer *out);

#endif
