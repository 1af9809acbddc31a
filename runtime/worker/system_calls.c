/*
 * What the user's code may not ask of the kernel, by libseccomp. The rule: it is denied where it has an effect on
 * another process, on an open file description that the runtime has, on memory that no limit counts, or on the kernel.
 * A list of what is denied and not of what is allowed: numpy and a user's libraries call what they call.
 *
 * The kernel reads only the lower half of an int: such an argument is compared without its upper half, or a caller that
 * fills it would pass.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/worker/worker.h"

#ifndef F_SETSIG
#define F_SETSIG 10
#endif
#define TERMINAL_INPUT 0x5412 /* TIOCSTI */
#define FILE_ASYNC     0x5452 /* FIOASYNC */
#define FILE_OWNER     0x8901 /* FIOSETOWN */
#define SOCKET_OWNER   0x8902 /* SIOCSPGRP */
#define BUFFER_FORCED  32     /* SO_SNDBUFFORCE; SO_RCVBUFFORCE is the next */
#define MAP_KIND       0x0f   /* MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE */
#define SET_DELEGATION 1040   /* F_SETDELEG: a lease on a folder, since Linux 6.19 */
#define CORE_SCHEDULE  62     /* PR_SCHED_CORE: a core for itself, and the threads of others wait */
#define RESERVE_MEMORY 73     /* SO_RESERVE_MEM */
/* ioctls that change a file, or a whole file system, by a descriptor that only reads it */
#define FLAGS_SET       0x40086602 /* FS_IOC_SETFLAGS: immutable, append only */
#define FLAGS_SET_32    0x40046602
#define ATTRIBUTES_SET  0x401c5820 /* FS_IOC_FSSETXATTR */
#define VERITY_ENABLE   0x40806685
#define SYSTEM_FREEZE   0xc0045877 /* FIFREEZE */
#define SYSTEM_THAW     0xc0045878
#define SYSTEM_TRIM     0xc0185879
#define TERMINAL_SCREEN 0x541c /* TIOCLINUX: pastes */

/* Calls that libseccomp may not know by name yet; the same numbers on every machine. */
#define CALL_CLONE3         435
#define CALL_QUOTACTL_FD    443
#define CALL_FCHMODAT2      452
#define CALL_LSM_SET_SELF   460
#define CALL_SETXATTRAT     463
#define CALL_REMOVEXATTRAT  466
#define CALL_OPEN_TREE_ATTR 467
#define CALL_FILE_SETATTR   469
/* Calls of kernels later than this table, of which nobody has said what they do. */
#define CALLS_UNKNOWN_FROM 472
#define CALLS_UNKNOWN_TO   511

#define NEW(number)                                                                                                    \
	number, 0, {0}, 0,                                                                                             \
	{                                                                                                              \
		0                                                                                                      \
	}
#define WHOLE(name) NEW(SCMP_SYS(name))
#define IS(argument, value)                                                                                            \
	{                                                                                                              \
		argument, SCMP_CMP_MASKED_EQ, 0xffffffffu, value                                                       \
	}
#define HAS(argument, bits)                                                                                            \
	{                                                                                                              \
		argument, SCMP_CMP_MASKED_EQ, bits, bits                                                               \
	}
#define LACKS(argument, bits)                                                                                          \
	{                                                                                                              \
		argument, SCMP_CMP_MASKED_EQ, bits, 0                                                                  \
	}

/* With EPERM. */
static const struct denied {
	int number;
	unsigned compared;
	struct scmp_arg_cmp first;
	unsigned also;
	struct scmp_arg_cmp second;
} denied[] = {
        /* other processes: none is started, signalled, traced, read, slowed down or made to share */
        {WHOLE(fork)},
        {WHOLE(vfork)},
        {WHOLE(execve)},
        {WHOLE(execveat)},
        {SCMP_SYS(clone), 1, LACKS(0, CLONE_THREAD), 0, {0}},
        {WHOLE(setsid)},
        {WHOLE(setpgid)},
        {WHOLE(tkill)},
        {WHOLE(rt_sigqueueinfo)},
        {WHOLE(rt_tgsigqueueinfo)},
        {WHOLE(pidfd_send_signal)},
        {WHOLE(pidfd_open)},
        {WHOLE(pidfd_getfd)},
        {WHOLE(ptrace)},
        {WHOLE(process_vm_readv)},
        {WHOLE(process_vm_writev)},
        {WHOLE(process_madvise)},
        {WHOLE(process_mrelease)},
        {WHOLE(kcmp)},
        {WHOLE(move_pages)},
        {WHOLE(migrate_pages)},
        {WHOLE(setpriority)},
        {WHOLE(ioprio_set)},
        {WHOLE(sched_setparam)},
        {WHOLE(sched_setscheduler)},
        {WHOLE(sched_setattr)},
        {WHOLE(sched_setaffinity)},
        {WHOLE(mq_notify)},
        {SCMP_SYS(prctl), 1, IS(0, CORE_SCHEDULE), 0, {0}},
        /* it dies with the runtime, and the keeper can read how much memory it has */
        {SCMP_SYS(prctl), 1, IS(0, PR_SET_PDEATHSIG), 0, {0}},
        {SCMP_SYS(prctl), 1, IS(0, PR_SET_DUMPABLE), 0, {0}},
        {SCMP_SYS(prctl), 1, IS(0, PR_SET_MM), 0, {0}},
        /* nor is it another user's, whom the runtime may not end: that makes it undumpable too */
        {WHOLE(setuid)},
        {WHOLE(setgid)},
        {WHOLE(setreuid)},
        {WHOLE(setregid)},
        {WHOLE(setresuid)},
        {WHOLE(setresgid)},
        {WHOLE(setfsuid)},
        {WHOLE(setfsgid)},
        {WHOLE(setgroups)},
        {WHOLE(capset)},
        /* open file descriptions: a signal to their owner, or a lease on a file that the runtime opens */
        {SCMP_SYS(fcntl), 1, IS(1, F_SETOWN), 0, {0}},
        {SCMP_SYS(fcntl), 1, IS(1, F_SETOWN_EX), 0, {0}},
        {SCMP_SYS(fcntl), 1, IS(1, F_SETSIG), 0, {0}},
        {SCMP_SYS(fcntl), 1, IS(1, F_SETLEASE), 0, {0}},
        {SCMP_SYS(fcntl), 1, IS(1, F_NOTIFY), 0, {0}},
        {SCMP_SYS(fcntl), 1, IS(1, SET_DELEGATION), 0, {0}},
        {SCMP_SYS(fcntl), 2, IS(1, F_SETFL), 1, HAS(2, O_ASYNC)},
        {SCMP_SYS(ioctl), 1, IS(1, FILE_ASYNC), 0, {0}},
        {SCMP_SYS(ioctl), 1, IS(1, FILE_OWNER), 0, {0}},
        {SCMP_SYS(ioctl), 1, IS(1, SOCKET_OWNER), 0, {0}},
        {SCMP_SYS(ioctl), 1, IS(1, TERMINAL_INPUT), 0, {0}},
        {SCMP_SYS(ioctl), 1, IS(1, TERMINAL_SCREEN), 0, {0}},
        /* files by path, or by a descriptor that only reads them: Landlock does not look there */
        {WHOLE(chmod)},
        {WHOLE(fchmod)},
        {WHOLE(fchmodat)},
        {NEW(CALL_FCHMODAT2)},
        {WHOLE(chown)},
        {WHOLE(fchown)},
        {WHOLE(lchown)},
        {WHOLE(fchownat)},
        {WHOLE(utime)},
        {WHOLE(utimes)},
        {WHOLE(futimesat)},
        {WHOLE(utimensat)},
        {WHOLE(setxattr)},
        {WHOLE(lsetxattr)},
        {WHOLE(fsetxattr)},
        {NEW(CALL_SETXATTRAT)},
        {WHOLE(removexattr)},
        {WHOLE(lremovexattr)},
        {WHOLE(fremovexattr)},
        {NEW(CALL_REMOVEXATTRAT)},
        {NEW(CALL_FILE_SETATTR)},
        {SCMP_SYS(ioctl), 1, IS(1, FLAGS_SET), 0, {0}},
        {SCMP_SYS(ioctl), 1, IS(1, FLAGS_SET_32), 0, {0}},
        {SCMP_SYS(ioctl), 1, IS(1, ATTRIBUTES_SET), 0, {0}},
        {SCMP_SYS(ioctl), 1, IS(1, VERITY_ENABLE), 0, {0}},
        {SCMP_SYS(ioctl), 1, IS(1, SYSTEM_FREEZE), 0, {0}},
        {SCMP_SYS(ioctl), 1, IS(1, SYSTEM_THAW), 0, {0}},
        {SCMP_SYS(ioctl), 1, IS(1, SYSTEM_TRIM), 0, {0}},
        {WHOLE(mknod)},
        {WHOLE(mknodat)},
        /* memory that is in no limit */
        {WHOLE(memfd_create)},
        {WHOLE(memfd_secret)},
        {WHOLE(shmget)},
        {WHOLE(shmat)},
        {WHOLE(msgget)},
        {WHOLE(semget)},
        {WHOLE(mq_open)},
        {SCMP_SYS(mmap), 1, {3, SCMP_CMP_MASKED_EQ, MAP_KIND | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS}, 0, {0}},
        {SCMP_SYS(mmap),
         1,
         {3, SCMP_CMP_MASKED_EQ, MAP_KIND | MAP_ANONYMOUS, MAP_SHARED_VALIDATE | MAP_ANONYMOUS},
         0,
         {0}},
        {SCMP_SYS(mmap), 1, HAS(3, MAP_GROWSDOWN), 0, {0}},
        {SCMP_SYS(mmap), 1, HAS(3, MAP_HUGETLB), 0, {0}},
        {WHOLE(io_setup)},
        {SCMP_SYS(fcntl), 1, IS(1, F_SETPIPE_SZ), 0, {0}},
        {SCMP_SYS(setsockopt), 2, IS(1, SOL_SOCKET), 1, IS(2, SO_SNDBUF)},
        {SCMP_SYS(setsockopt), 2, IS(1, SOL_SOCKET), 1, IS(2, SO_RCVBUF)},
        {SCMP_SYS(setsockopt), 2, IS(1, SOL_SOCKET), 1, IS(2, BUFFER_FORCED)},
        {SCMP_SYS(setsockopt), 2, IS(1, SOL_SOCKET), 1, IS(2, BUFFER_FORCED + 1)},
        {SCMP_SYS(setsockopt), 2, IS(1, SOL_SOCKET), 1, IS(2, RESERVE_MEMORY)},
        {WHOLE(splice)},
        {WHOLE(vmsplice)},
        {WHOLE(tee)},
        /* the kernel */
        {WHOLE(unshare)},
        {WHOLE(setns)},
        {WHOLE(mount)},
        {WHOLE(umount2)},
        {WHOLE(move_mount)},
        {WHOLE(mount_setattr)},
        {WHOLE(fsopen)},
        {WHOLE(fsmount)},
        {WHOLE(fspick)},
        {WHOLE(fsconfig)},
        {WHOLE(open_tree)},
        {NEW(CALL_OPEN_TREE_ATTR)},
        {WHOLE(pivot_root)},
        {WHOLE(chroot)},
        {WHOLE(bpf)},
        {WHOLE(perf_event_open)},
        {WHOLE(userfaultfd)},
        {WHOLE(io_uring_setup)},
        {WHOLE(fanotify_init)},
        {WHOLE(open_by_handle_at)},
        {WHOLE(quotactl)},
        {NEW(CALL_QUOTACTL_FD)},
        {NEW(CALL_LSM_SET_SELF)},
        {SCMP_SYS(socket), 1, IS(0, AF_KEY), 0, {0}},
        {SCMP_SYS(socket), 1, IS(0, AF_PACKET), 0, {0}},
        {SCMP_SYS(socket), 1, IS(0, AF_ALG), 0, {0}},
        {SCMP_SYS(socket), 1, IS(0, AF_VSOCK), 0, {0}},
        {SCMP_SYS(socket), 1, IS(0, AF_XDP), 0, {0}},
        {WHOLE(vhangup)},
        {WHOLE(syslog)},
        {WHOLE(keyctl)},
        {WHOLE(add_key)},
        {WHOLE(request_key)},
        {WHOLE(init_module)},
        {WHOLE(finit_module)},
        {WHOLE(delete_module)},
        {WHOLE(kexec_load)},
        {WHOLE(kexec_file_load)},
        {WHOLE(iopl)},
        {WHOLE(ioperm)},
        {WHOLE(reboot)},
        {WHOLE(swapon)},
        {WHOLE(swapoff)},
        {WHOLE(acct)},
        {WHOLE(settimeofday)},
        {WHOLE(clock_settime)},
        {WHOLE(clock_adjtime)},
        {WHOLE(adjtimex)},
        {WHOLE(sethostname)},
        {WHOLE(setdomainname)},
};

static int deny(scmp_filter_ctx filter, int number, unsigned compared, const struct scmp_arg_cmp *arguments)
{
	return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), number, compared, arguments);
}

static int deny_all(scmp_filter_ctx filter)
{
	int result = 0;

	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]) && !result; i++) {
		const struct scmp_arg_cmp arguments[] = {denied[i].first, denied[i].second};

		if (denied[i].number != __NR_SCMP_ERROR)
			result = deny(filter, denied[i].number, denied[i].compared, arguments);
	}
	return result;
}

/* A thread in a namespace of its own, and what is later than this table. */
static int deny_the_rest(scmp_filter_ctx filter)
{
	static const scmp_datum_t namespaces[] = {CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
	                                          CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET};
	int result = 0;

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]) && !result; i++) {
		const struct scmp_arg_cmp has = HAS(0, namespaces[i]);

		result = deny(filter, SCMP_SYS(clone), 1, &has);
	}
	for (int number = CALLS_UNKNOWN_FROM; number <= CALLS_UNKNOWN_TO && !result; number++)
		result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), number, 0);
	return result;
}

/* Only this process may be signalled; glibc then tries clone, whose flags can be looked at. */
static int deny_by_process(scmp_filter_ctx filter, bool network)
{
	const struct scmp_arg_cmp others = SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid());
	const struct scmp_arg_cmp beyond = SCMP_A0(SCMP_CMP_NE, AF_UNIX);
	int result = deny(filter, SCMP_SYS(kill), 1, &others);

	if (!result)
		result = deny(filter, SCMP_SYS(tgkill), 1, &others);
	if (!result)
		result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), CALL_CLONE3, 0);
	if (!result && !network)
		result = deny(filter, SCMP_SYS(socket), 1, &beyond);
	return result;
}

static scmp_filter_ctx filter_new(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	/* another machine's numbers for the same calls, as x32's */
	if (filter && seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM)) == 0 &&
	    seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0) == 0)
		return filter;
	seccomp_release(filter);
	return NULL;
}

int system_calls_deny(bool network)
{
	scmp_filter_ctx filter = filter_new();
	int result = filter ? deny_all(filter) : -ENOMEM;

	if (!result)
		result = deny_the_rest(filter);
	if (!result)
		result = deny_by_process(filter, network);
	if (!result)
		result = seccomp_load(filter);
	seccomp_release(filter);
	return result ? -1 : 0;
}

int system_calls_keep_limits(void)
{
	const struct scmp_arg_cmp sets =
	        SCMP_A2(SCMP_CMP_NE, 0); /* getrlimit goes through prlimit64 without new limits */
	scmp_filter_ctx filter = filter_new();
	int result = filter ? deny(filter, SCMP_SYS(setrlimit), 0, NULL) : -ENOMEM;

	if (!result)
		result = deny(filter, SCMP_SYS(prlimit64), 1, &sets);
	if (!result)
		result = seccomp_load(filter);
	seccomp_release(filter);
	return result ? -1 : 0;
}
