/*
 * The memory of the container that this process is in, as the kernel counts it: its cgroup, of version 2 or 1. Threads:
 * any.
 */
#ifndef STREAMJOB_CONTAINER_H
#define STREAMJOB_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>

struct container_memory {
	int64_t held_bytes, most_bytes; /* without what the kernel can take back, as pages of files */
	int64_t margin_bytes;           /* nearer than that the kernel may end processes at any time */
};

/* Is it near its limit? `folder`: a cgroup's; NULL: this process's own and those above it that can be seen. False also
 * where there is no limit, or swap is left. */
bool container_is_near(const char *folder, struct container_memory *ret_memory);
/* The least limit of that cgroup, and where it is this process's own of those above it; 0: there is none. */
int64_t container_memory_limit(const char *folder);

#endif
