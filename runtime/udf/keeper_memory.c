/*
 * How much memory a worker's process holds, counted from outside: RLIMIT_DATA stops what is private before it is there,
 * but shared mappings (of /dev/zero, of files in memory) are in no limit. What it may hold is that limit, which the
 * worker set itself when its interpreter's own memory was known and cannot lift, and what it shares with the runtime.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "runtime/udf/keeper.h"
#include "runtime/udf/protocol.h"
#include "runtime/udf/scratch.h"

#define STATUS_BYTES 4096

/* The number after `name` in the text of /proc/PID/status; 0 where it is not there. */
static int64_t number_of(const char *status, const char *name)
{
	const char *line = strstr(status, name);

	return line ? strtoll(line + strlen(name), NULL, 10) : 0;
}

static bool read_status(pid_t pid, char text[STATUS_BYTES])
{
	char path[64];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	size = fread(text, 1, STATUS_BYTES - 1, file);
	fclose(file);
	text[size] = '\0';
	return size > 0;
}

static void is_over_in_files(struct keeper *keeper, const struct scratch_use *use)
{
	if (use->disk_bytes > SCRATCH_BYTES_MAX)
		snprintf(keeper->why, sizeof(keeper->why),
		         "needs more than %" PRId64 " bytes of temporary files: it had %" PRId64
		         " in $TMPDIR; remove what is done with",
		         SCRATCH_BYTES_MAX, use->disk_bytes);
	else if (use->files > SCRATCH_FILES_MAX)
		snprintf(keeper->why, sizeof(keeper->why),
		         "needs more than %d temporary files in $TMPDIR; remove what is done with", SCRATCH_FILES_MAX);
	else if (use->deep)
		snprintf(keeper->why, sizeof(keeper->why), "needs more than %d folders in one another in $TMPDIR",
		         SCRATCH_DEPTH_MAX);
}

bool keeper_is_over(struct keeper *keeper)
{
	char status[STATUS_BYTES];
	struct rlimit limit;
	struct scratch_use use;
	int64_t held, threads;

	if (prlimit(keeper->pid, RLIMIT_DATA, NULL, &limit) < 0 || limit.rlim_max == RLIM_INFINITY ||
	    !read_status(keeper->pid, status))
		return false; /* it has not begun, or is ending */
	held = 1024 *
	       (number_of(status, "\nRssAnon:") + number_of(status, "\nRssShmem:") + number_of(status, "\nVmSwap:"));
	scratch_measure(keeper->scratch, keeper->pid, &use);
	held += use.memory_bytes;
	threads = number_of(status, "\nThreads:");
	if (held > (int64_t)limit.rlim_max + UDF_SHARED_BYTES)
		snprintf(keeper->why, sizeof(keeper->why),
		         "needs more than its memory (%" PRId64
		         " bytes): with shared mappings%s its process held %" PRId64
		         " bytes, the interpreter's own among them; keep less, or raise memory",
		         keeper->memory_bytes, use.memory_bytes ? " and files in memory" : "", held);
	else if (threads > UDF_THREADS_MAX)
		snprintf(keeper->why, sizeof(keeper->why),
		         "needs more than %d threads: its process had %" PRId64 "; use a pool", UDF_THREADS_MAX,
		         threads);
	else
		is_over_in_files(keeper, &use);
	return keeper->why[0] != '\0';
}
