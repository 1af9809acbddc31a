/*
 * How much memory a worker's process holds, counted from outside: RLIMIT_DATA stops what is private before it is there,
 * but shared mappings (of /dev/zero, of files in memory) are in no limit. What it may hold is that limit, which the
 * worker set itself when its interpreter's own memory was known and cannot lift, and what it shares with the runtime.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/process/system_clock.h"
#include "lib/process/container.h"
#include "runtime/udf/keeper.h"
#include "runtime/udf/protocol.h"
#include "runtime/udf/scratch.h"

#define STATUS_BYTES 4096
#define PAUSE_NS     ((int64_t)1000000000) /* from the end of one to that of another, for the container's sake */

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

/* Those that have a process. One is ended at a time: its memory has to come back before another one is. */
static struct {
	pthread_mutex_t mutex;
	struct keeper *first;
	int64_t ended_ns;
} all = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void keeper_join(struct keeper *keeper)
{
	pthread_mutex_lock(&all.mutex);
	keeper->next = all.first;
	all.first = keeper;
	pthread_mutex_unlock(&all.mutex);
}

void keeper_part(struct keeper *keeper)
{
	pthread_mutex_lock(&all.mutex);
	for (struct keeper **at = &all.first; *at; at = &(*at)->next)
		if (*at == keeper) {
			*at = keeper->next;
			break;
		}
	pthread_mutex_unlock(&all.mutex);
}

static bool is_next_to_end(const struct keeper *keeper, int64_t held)
{
	int64_t now_ns = system_clock_ns();
	bool largest = true;

	pthread_mutex_lock(&all.mutex);
	for (const struct keeper *other = all.first; other; other = other->next)
		largest &= other == keeper || atomic_load(&other->held_bytes) <= held;
	largest &= !all.ended_ns || now_ns - all.ended_ns >= PAUSE_NS;
	if (largest)
		all.ended_ns = now_ns;
	pthread_mutex_unlock(&all.mutex);
	return largest;
}

/* The container's own limit, before the kernel looks for a process to end: that might be the runtime, or all of them.
 */
static void is_over_together(struct keeper *keeper, int64_t held)
{
	struct container_memory memory;

	if (!container_is_near(keeper->cgroup, &memory) || held < memory.margin_bytes || !is_next_to_end(keeper, held))
		return;
	snprintf(keeper->why, sizeof(keeper->why),
	         "needs more memory than its container has left: the container held %" PRId64 " of %" PRId64
	         " bytes, and of all functions' processes this one, with %" PRId64
	         ", most; give the container more memory, or the functions less",
	         memory.held_bytes, memory.most_bytes, held);
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
	atomic_store(&keeper->held_bytes, held);
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
	if (!keeper->why[0])
		is_over_together(keeper, held);
	return keeper->why[0] != '\0';
}
