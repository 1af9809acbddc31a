/*
 * Whole writes and whole lines: inside runtime/file only.
 */
#ifndef STREAMJOB_FILE_WRITE_H
#define STREAMJOB_FILE_WRITE_H

#include "lib/base/error.h"
#include "lib/base/slice.h"

/* All bytes, or -1 and why; `name` is for the message. */
int write_all(int fd, struct slice bytes, const char *name, struct error *err);
/* Whether a crash or a full disk left half a line at the end; false where that cannot be known. */
bool ends_within_line(const char *path);

#endif
