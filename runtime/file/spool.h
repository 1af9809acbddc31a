/*
 * What an input that cannot be read twice (a pipe, a terminal) has given and the job has not yet committed: kept in a
 * file without a name, so that it can be read again. Inside runtime/file only. One owner, but any thread may forget.
 */
#ifndef STREAMJOB_FILE_SPOOL_H
#define STREAMJOB_FILE_SPOOL_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"

#define SPOOL_BYTES_MAX ((int64_t)1 << 30) /* not yet committed */

struct spool {
	int fd;
	_Atomic int64_t begin; /* the bytes of the input before it are not needed any more */
	int64_t end;           /* those before it are here */
};

/* In $TMPDIR, or /tmp. */
int spool_open(struct spool *spool, struct error *err);
void spool_close(struct spool *spool);
int spool_append(struct spool *spool, const char *bytes, size_t size, struct error *err);
/* The bytes from `offset` on, at most `size`; how many. */
ssize_t spool_read(const struct spool *spool, int64_t offset, char *ret_bytes, size_t size, struct error *err);
/* What stands before `offset` is not needed any more. */
void spool_forget(struct spool *spool, int64_t offset);

#endif
