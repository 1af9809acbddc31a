/* The sandbox: what dies with the runtime, opens no more than it may, and can gain no rights. */
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/worker/worker.h"

#define FILES_MAX      256
#define FILE_BYTES_MAX (256u << 20)
/* Addresses beyond `memory`: what is only reserved, as by the allocator for a thread. */
#define RESERVED_BYTES_MAX ((int64_t)4 << 30)

static int limit(__rlimit_resource_t what, rlim_t most)
{
	struct rlimit now, wanted = {most, most};

	if (getrlimit(what, &now) < 0)
		return -1;
	if (now.rlim_max < most)
		wanted = (struct rlimit){now.rlim_max, now.rlim_max};
	return setrlimit(what, &wanted);
}

int sandbox_begin(long parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (limit(RLIMIT_CORE, 0) < 0 || limit(RLIMIT_NOFILE, FILES_MAX) < 0)
		return -1;
	return limit(RLIMIT_FSIZE, FILE_BYTES_MAX);
}

/* Of /proc/self/status, in bytes; -1 where it is not there. */
static int64_t process_bytes(const char *name)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	int64_t kilobytes = -1;

	if (!file)
		return -1;
	while (kilobytes < 0 && fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0)
			kilobytes = strtoll(line + strlen(name), NULL, 10);
	fclose(file);
	return kilobytes < 0 ? -1 : kilobytes * 1024;
}

/*
 * What root may do beyond any other user, but for reading and writing files of others, as code and data of an image may
 * be. Without them root too can neither open nor trace the runtime, which has more, where there is no Landlock.
 */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	const uint32_t stay = 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH | 1u << CAP_NET_BIND_SERVICE;

	if (syscall(SYS_capget, &header, sets) < 0)
		return -1;
	sets[0].effective &= stay;
	sets[0].permitted &= stay;
	sets[0].inheritable = 0;
	sets[1] = (struct __user_cap_data_struct){0};
	return (int)syscall(SYS_capset, &header, sets);
}

int sandbox_close(const struct sandbox *wanted)
{
	if (reach_limit(wanted) < 0 || drop_capabilities() < 0)
		return -1;
	return system_calls_deny(wanted->network);
}

int sandbox_limit(int64_t memory_bytes)
{
	int64_t data = process_bytes("VmData:"), all = process_bytes("VmSize:");

	if (data < 0 || all < 0)
		return -1;
	if (limit(RLIMIT_DATA, (rlim_t)(data + memory_bytes)) < 0 ||
	    limit(RLIMIT_AS, (rlim_t)(all + memory_bytes + RESERVED_BYTES_MAX)) < 0)
		return -1;
	return system_calls_keep_limits();
}
