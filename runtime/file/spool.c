#include "runtime/file/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/slice.h"
#include "runtime/file/write.h"

int spool_open(struct spool *spool, struct error *err)
{
	const char *folder = getenv("TMPDIR");
	char path[PATH_MAX];

	folder = folder && *folder ? folder : "/tmp";
	snprintf(path, sizeof(path), "%s/streamjob-input-XXXXXX", folder);
	*spool = (struct spool){.fd = mkostemp(path, O_CLOEXEC)}; /* overlay file systems may have no O_TMPFILE */
	if (spool->fd < 0)
		return error_set(err, "cannot keep the input in %s for a replay: %s; set TMPDIR to a folder on a disk",
		                 folder, strerror(errno));
	unlink(path);
	return 0;
}

void spool_close(struct spool *spool)
{
	if (spool->fd >= 0)
		close(spool->fd);
	spool->fd = -1;
}

int spool_append(struct spool *spool, const char *bytes, size_t size, struct error *err)
{
	if (spool->end - spool->begin + (int64_t)size > SPOOL_BYTES_MAX)
		return error_set(
		        err,
		        "more than %lld bytes of the input belong to windows that are not accepted yet, and all of "
		        "them must be kept for a replay; shorten the window, or give the input as a file",
		        (long long)SPOOL_BYTES_MAX);
	if (lseek(spool->fd, spool->end, SEEK_SET) < 0)
		return error_set(err, "cannot seek in the kept input: %s", strerror(errno));
	if (write_all(spool->fd, (struct slice){bytes, size}, "the kept input", err) < 0)
		return -1;
	spool->end += (int64_t)size;
	return 0;
}

ssize_t spool_read(const struct spool *spool, int64_t offset, char *ret_bytes, size_t size, struct error *err)
{
	int64_t left = spool->end - offset;
	ssize_t got = pread(spool->fd, ret_bytes, (int64_t)size < left ? size : (size_t)left, offset);

	return got <= 0 ? error_set(err, "cannot read the kept input: %s", got ? strerror(errno) : "it was cut") : got;
}

/* A file system that cannot make holes keeps the bytes until the end: only their number is bounded then. */
void spool_forget(struct spool *spool, int64_t offset)
{
	if (offset <= spool->begin)
		return;
	spool->begin = offset;
	(void)!fallocate(spool->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, offset);
}
