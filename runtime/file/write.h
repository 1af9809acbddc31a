/*
 * Whole writes and whole lines: inside runtime/file only.
 */
#ifndef STREAMJOB_FILE_WRITE_H
#define STREAMJOB_FILE_WRITE_H

#include "lib/base/error.h"
#include "lib/base/slice.h"
#include "lib/process/watch.h"

#define FILE_CALL_MS                                                                                                   \
	30000 /* the deadline of a call on a file, which the watchdog alone looks at: nothing can end it               \
	       */

/* EXPRESSION on a file that a sink or the dead letter has, watched. */
#define file_watched(doing, path, expression)                                                                          \
	watched(WATCH_SINK, (doing), watch_name("%s", (path)), FILE_CALL_MS, (expression))

/* All bytes, or -1 and why; `name` is for the message. */
int write_all(int fd, struct slice bytes, const char *name, struct error *err);
/* Whether a crash or a full disk left half a line at the end; false where that cannot be known. */
bool ends_within_line(const char *path);

#endif
