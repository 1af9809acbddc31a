/* Files that are small enough to be read as a whole. */
#ifndef STREAMJOB_PROCESS_FILE_H
#define STREAMJOB_PROCESS_FILE_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"

/* Into an empty buffer; "-" is standard input. More than `bytes_max` bytes are an error. */
int file_read(const char *path, size_t bytes_max, struct buffer *out, struct error *err);

/* The same of a regular file alone, for a path that others may write: opening it never waits, as for a FIFO's writer or
 * the end of a lease. */
int file_read_regular(const char *path, size_t bytes_max, struct buffer *out, struct error *err);
/* 0 where there is a regular file at `path`. */
int file_is_regular(const char *path, struct error *err);

#endif
