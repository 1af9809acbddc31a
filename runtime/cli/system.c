/* What the pure rooms are given: clocks, the log's writer, and how many processors there are. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "runtime/cli/cli.h"

#define LANES_DEFAULT_MAX 8

static int64_t clock_ms(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t wall_ms(void *context)
{
	(void)context;
	return clock_ms(CLOCK_REALTIME);
}

static int64_t monotonic_ms(void *context)
{
	(void)context;
	return clock_ms(CLOCK_MONOTONIC);
}

const struct clock system_clock = {wall_ms, monotonic_ms, NULL};

/* The quota of the cgroup (v2, then v1) in processors, or 0 where there is none. */
static double cgroup_processors(void)
{
	FILE *file = fopen("/sys/fs/cgroup/cpu.max", "r");
	double quota = 0, period = 0;

	if (file) {
		if (fscanf(file, "%lf %lf", &quota, &period) != 2)
			quota = 0;
		fclose(file);
		return period > 0 ? quota / period : 0;
	}
	file = fopen("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "r");
	if (file) {
		if (fscanf(file, "%lf", &quota) != 1)
			quota = 0;
		fclose(file);
	}
	file = fopen("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "r");
	if (file) {
		if (fscanf(file, "%lf", &period) != 1)
			period = 0;
		fclose(file);
	}
	return quota > 0 && period > 0 ? quota / period : 0;
}

unsigned processors_available(void)
{
	cpu_set_t set;
	double quota = cgroup_processors();
	unsigned count = 1;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		count = (unsigned)CPU_COUNT(&set);
	if (quota > 0 && quota < count)
		count = quota < 1 ? 1 : (unsigned)quota;
	return count < 1 ? 1 : count > LANES_DEFAULT_MAX ? LANES_DEFAULT_MAX : count;
}

static void write_bytes(const char *line, size_t size)
{
	while (size) {
		ssize_t written = write(STDERR_FILENO, line, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return; /* nowhere to say it */
		line += written;
		size -= (size_t)written;
	}
}

static _Atomic bool over_live_line;

static void write_line(void *context, const char *line, size_t size)
{
	(void)context;
	if (atomic_load(&over_live_line))
		write_bytes("\r\033[K", 4);
	write_bytes(line, size);
}

void log_over_live_line(void)
{
	atomic_store(&over_live_line, true);
}

void log_to_stderr(bool json, int level)
{
	struct log_output output = {
	        .write = write_line, .wall_ms = wall_ms, .json = json, .level = (enum log_level)level};

	log_install(&output);
}
