#include <sched.h>
#include <stdio.h>

#include "runtime/cli/run.h"

#define LANES_DEFAULT_MAX 8

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
