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

bool keeper_is_over(struct keeper *keeper)
{
	char status[STATUS_BYTES];
	struct rlimit limit;
	int64_t held, threads;

	if (prlimit(keeper->pid, RLIMIT_DATA, NULL, &limit) < 0 || limit.rlim_max == RLIM_INFINITY ||
	    !read_status(keeper->pid, status))
		return false; /* it has not begun, or is ending */
	held = 1024 *
	       (number_of(status, "\nRssAnon:") + number_of(status, "\nRssShmem:") + number_of(status, "\nVmSwap:"));
	threads = number_of(status, "\nThreads:");
	if (held > (int64_t)limit.rlim_max + UDF_SHARED_BYTES)
		snprintf(keeper->why, sizeof(keeper->why),
		         "needs more than its memory (%" PRId64
		         " bytes): with shared mappings its process held %" PRId64
		         " bytes, the interpreter's own among them; keep less, or raise memory",
		         keeper->memory_bytes, held);
	else if (threads > UDF_THREADS_MAX)
		snprintf(keeper->why, sizeof(keeper->why),
		         "needs more than %d threads: its process had %" PRId64 "; use a pool", UDF_THREADS_MAX,
		         threads);
	return keeper->why[0] != '\0';
}
