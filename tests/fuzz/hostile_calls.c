/*
 * A native function that asks the kernel for what chance says: random numbers of system calls with random arguments, of
 * which many are what the worker has: descriptors, the memory that it shares with the runtime, the words that both
 * sleep on, paths of the job. It does so inside the real sandbox; its sums are right while it lives. fuzz_calls.py runs
 * it. Its seed is the parameter `seed`, and `threads` says how many threads do the same beside it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <streamjob/function.h>

#define CALLS_TO     512 /* numbers of system calls */
#define ARGUMENTS    6
#define NOISE_BYTES  65536
#define BURST        40  /* calls */
#define ROWS_A_BURST 200 /* one in so many rows */
#define MEMORY_NAME  "memfd:streamjob-worker"
#define REPLY_AT     (65536u + (32u << 20)) /* runtime/udf/protocol.h */

/* They end the process, wait for ever, or slow the machine down for all; now and then. */
static const int rare[] = {
        SYS_exit,
        SYS_exit_group,
        SYS_rt_sigsuspend,
        SYS_rt_sigtimedwait,
        SYS_ppoll,
        SYS_pselect6,
        SYS_nanosleep,
        SYS_clock_nanosleep,
        SYS_futex,
        SYS_munmap,
        SYS_mprotect,
        SYS_mremap,
        SYS_rt_sigreturn,
        SYS_kill,
        SYS_tgkill,
        SYS_epoll_pwait,
        SYS_restart_syscall,
        SYS_brk,
        SYS_mmap,
        SYS_sync,
        SYS_read,
        SYS_readv,
        SYS_accept,
        SYS_seccomp,
        SYS_landlock_restrict_self,
        SYS_madvise,
        SYS_remap_file_pages,
        SYS_rt_sigaction,
        SYS_setitimer,
        SYS_prctl,
        SYS_pkey_mprotect,
        SYS_rt_sigprocmask,
        SYS_set_robust_list,
#ifdef SYS_pause /* of x86 alone, as the others */
        SYS_pause,
        SYS_poll,
        SYS_select,
        SYS_alarm,
        SYS_arch_prctl,
        SYS_modify_ldt,
        SYS_epoll_wait,
#endif
};
static const char *const paths[] = {"x",          "out.jsonl", "letters.jsonl",  "out.jsonl.streamjob", "../x",
                                    ".",          "..",        "/proc/self/mem", "/proc/self/fd/1",     "/dev/null",
                                    "/dev/shm/x", "/dev/zero", "/proc/self"};

struct chance {
	uint64_t state;
};

static char noise[NOISE_BYTES];
static char *shared; /* the memory that the runtime reads; NULL: not found */
static _Atomic unsigned long asked;

static uint64_t next(struct chance *chance)
{
	uint64_t z = chance->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t below(struct chance *chance, uint64_t n)
{
	return next(chance) % n;
}

static void find_shared(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, MEMORY_NAME) && !shared)
			shared = (char *)strtoull(line, NULL, 16); /* NOLINT(performance-no-int-to-ptr) */
	if (maps)
		fclose(maps);
}

static long argument(struct chance *chance)
{
	static const long numbers[] = {0,   1,   2,    3,    4,     8,       10,         16, 64,
	                               255, 256, 1024, 4096, 65536, 1 << 20, 0x7fffffff, -1, -2};

	switch (below(chance, 10)) {
	case 0:
		return (long)next(chance);
	case 1:
		return (long)&noise[below(chance, NOISE_BYTES) & ~7u];
	case 2:
		return shared ? (long)(shared + (below(chance, 4096) & ~3u)) : 0; /* its words */
	case 3:
		return shared ? (long)(shared + REPLY_AT + (below(chance, 1 << 20) & ~7u)) : 0;
	case 4:
	case 5:
		return (long)paths[below(chance, sizeof(paths) / sizeof(paths[0]))];
	case 6:
	case 7:
		return (long)below(chance, 12); /* descriptors, operations */
	case 8:
		return AT_FDCWD;
	default:
		return numbers[below(chance, sizeof(numbers) / sizeof(numbers[0]))];
	}
}

static int is_rare(long number)
{
	for (size_t i = 0; i < sizeof(rare) / sizeof(rare[0]); i++)
		if (rare[i] == number)
			return 1;
	return 0;
}

static void ask(struct chance *chance)
{
	long number = (long)below(chance, CALLS_TO), a[ARGUMENTS];

	if (is_rare(number) && below(chance, 200))
		return;
	for (int i = 0; i < ARGUMENTS; i++)
		a[i] = argument(chance);
	asked++;
	syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void *ask_on(void *seed)
{
	struct chance chance = {(uint64_t)seed};

	for (;;) {
		ask(&chance);
		if (!below(&chance, 50))
			usleep(500);
	}
	return NULL;
}

static struct chance own;

static void begin(struct streamjob_call *call, void **self)
{
	const char *seed = call->parameter(call, "seed"), *threads = call->parameter(call, "threads");
	pthread_t thread;

	(void)self;
	/* each process its own: what comes after a restart is not the same again */
	own.state = (seed ? strtoull(seed, NULL, 10) : 1) + (uint64_t)getpid() * 1000003u;
	find_shared();
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)next(&own);
	for (int i = threads ? atoi(threads) : 0; i > 0; i--)
		pthread_create(&thread, NULL, ask_on, (void *)next(&own)); /* NOLINT(performance-no-int-to-ptr) */
}

static void accumulate(void *self, struct streamjob_call *call, void *state, const struct streamjob_value *arguments)
{
	int64_t *sum = state;

	(void)self;
	(void)call;
	*sum += arguments[0].null ? 0 : arguments[0].integer;
	for (int i = below(&own, ROWS_A_BURST) ? 0 : BURST; i > 0; i--)
		ask(&own);
}

static void get_value(void *self, struct streamjob_call *call, const void *state, struct streamjob_value *results)
{
	(void)self;
	(void)call;
	dprintf(STDOUT_FILENO, "asked=%lu\n", (unsigned long)asked); /* fuzz_calls.py counts them */
	memcpy(&results[0].integer, state, sizeof(int64_t));
	results[0].null = 0;
}

static const int types[] = {STREAMJOB_BIGINT};
static const struct streamjob_result results[] = {{"", STREAMJOB_BIGINT}};

extern const struct streamjob_function hostile;
const struct streamjob_function hostile = {
        .abi = STREAMJOB_FUNCTION_ABI,
        .size = sizeof(struct streamjob_function),
        .kind = STREAMJOB_AGGREGATE,
        .arguments_count = 1,
        .argument_types = types,
        .results_count = 1,
        .results = results,
        .open = begin,
        .state_size = sizeof(int64_t),
        .accumulate = accumulate,
        .get_value = get_value,
};
