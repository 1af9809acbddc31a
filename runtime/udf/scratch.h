/*
 * A folder of its own for each worker's process, its TMPDIR, which no other worker reaches and which goes with it. They
 * are all in one folder of this process, in $TMPDIR or /tmp, which is locked while the process lives: what a process
 * that was killed has left there, the next one removes, but where other machines may have theirs too (NFS and the
 * like).
 *
 * Threads: any. Nothing here waits for the worker, whatever it makes of the folder.
 */
#ifndef STREAMJOB_UDF_SCRATCH_H
#define STREAMJOB_UDF_SCRATCH_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SCRATCH_FILES_MAX 4096 /* files and folders in one */
#define SCRATCH_DEPTH_MAX 32
#define SCRATCH_BYTES_MAX ((int64_t)256 << 20) /* of one that is not in memory */

/* "" where there is none to be had: said in the log. */
void scratch_make(char ret_path[PATH_MAX]);
/* With all that is in it. Nobody uses it any more. */
void scratch_remove(const char *path);

/* A folder in one, opened though its mode would hide what is in it; -1: it is none. No link is followed, nor is the
 * mode of anything but that folder changed, whatever the worker puts into its place meanwhile. */
int scratch_open(int parent, const char *name);

struct scratch_use {
	int64_t memory_bytes, disk_bytes; /* of files there, and of files without a name that the process has open */
	int64_t files;
	bool deep; /* more than SCRATCH_DEPTH_MAX: not all is counted */
};
/* What a worker's process holds there. Of more than SCRATCH_FILES_MAX files not all are counted. */
void scratch_measure(const char *path, pid_t pid, struct scratch_use *ret_use);

#endif
