/*
 * What the user's code may not do. Deny lists, not allow lists: numpy and a user's libraries call what they call, and
 * reading a file or asking a service is the function's own affair; starting processes and touching others is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/worker/worker.h"

#define FILES_MAX      1024
#define FILE_BYTES_MAX (256u << 20)
/* Addresses beyond `memory`: what is only reserved, as by the allocator for a thread. */
#define RESERVED_BYTES_MAX ((int64_t)4 << 30)

#if defined(__x86_64__)
#define AUDIT_ARCH_HERE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define AUDIT_ARCH_HERE AUDIT_ARCH_AARCH64
#else
#error "the sandbox knows x86-64 and arm64"
#endif

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

int sandbox_close(int64_t memory_bytes)
{
	int64_t data = process_bytes("VmData:"), all = process_bytes("VmSize:");

	if (data < 0 || all < 0)
		return -1;
	if (limit(RLIMIT_DATA, (rlim_t)(data + memory_bytes)) < 0 ||
	    limit(RLIMIT_AS, (rlim_t)(all + memory_bytes + RESERVED_BYTES_MAX)) < 0)
		return -1;
	return sandbox_filter();
}

#define LOAD(field)              BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_HIGH(field)         BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field) + 4)
#define RETURN(what)             BPF_STMT(BPF_RET | BPF_K, what)
#define SKIP_UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define FAIL(number)             RETURN(SECCOMP_RET_ERRNO | (number))
#define DENY(name)               SKIP_UNLESS(SYS_##name, 1), FAIL(EPERM)
/* Only with this process as the first argument. */
#define OWN_PROCESS(name)                                                                                              \
	SKIP_UNLESS(SYS_##name, 4), LOAD(args[0]), SKIP_UNLESS((uint32_t)own, 1), RETURN(SECCOMP_RET_ALLOW), FAIL(EPERM)

int sandbox_filter(void)
{
	pid_t own = getpid();
	struct sock_filter filter[] = {
	        LOAD(arch),
	        SKIP_UNLESS(AUDIT_ARCH_HERE, 1),
	        BPF_STMT(BPF_JMP | BPF_JA, 1),
	        FAIL(EPERM),
	        LOAD(nr),
#ifdef __x86_64__
	        /* the x32 numbers of the same calls */
	        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
	        FAIL(EPERM),
	        DENY(fork),
	        DENY(vfork),
#endif
	        /* glibc then tries clone, whose flags can be looked at */
	        SKIP_UNLESS(SYS_clone3, 1),
	        FAIL(ENOSYS),
	        SKIP_UNLESS(SYS_clone, 4),
	        LOAD(args[0]),
	        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1),
	        RETURN(SECCOMP_RET_ALLOW),
	        FAIL(EPERM),
	        DENY(execve),
	        DENY(execveat),
	        DENY(setsid),
	        DENY(setpgid),
	        OWN_PROCESS(kill),
	        OWN_PROCESS(tgkill),
	        DENY(tkill),
	        DENY(rt_sigqueueinfo),
	        DENY(rt_tgsigqueueinfo),
	        DENY(pidfd_send_signal),
	        DENY(pidfd_open),
	        DENY(pidfd_getfd),
	        DENY(ptrace),
	        DENY(process_vm_readv),
	        DENY(process_vm_writev),
	        DENY(kcmp),
	        DENY(setrlimit),
	        /* getrlimit goes through prlimit64 without new limits */
	        SKIP_UNLESS(SYS_prlimit64, 6),
	        LOAD(args[2]),
	        SKIP_UNLESS(0, 3),
	        LOAD_HIGH(args[2]),
	        SKIP_UNLESS(0, 1),
	        RETURN(SECCOMP_RET_ALLOW),
	        FAIL(EPERM),
	        SKIP_UNLESS(SYS_prctl, 4),
	        LOAD(args[0]),
	        SKIP_UNLESS(PR_SET_PDEATHSIG, 1),
	        FAIL(EPERM),
	        RETURN(SECCOMP_RET_ALLOW),
	        DENY(unshare),
	        DENY(setns),
	        DENY(mount),
	        DENY(umount2),
	        DENY(pivot_root),
	        DENY(chroot),
	        DENY(bpf),
	        DENY(perf_event_open),
	        DENY(userfaultfd),
	        DENY(io_uring_setup),
	        DENY(open_by_handle_at),
	        DENY(keyctl),
	        DENY(add_key),
	        DENY(request_key),
	        DENY(init_module),
	        DENY(finit_module),
	        DENY(delete_module),
	        DENY(kexec_load),
	        DENY(reboot),
	        DENY(swapon),
	        DENY(swapoff),
	        DENY(acct),
	        DENY(settimeofday),
	        DENY(clock_settime),
	        DENY(clock_adjtime),
	        DENY(sethostname),
	        DENY(setdomainname),
	        RETURN(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
