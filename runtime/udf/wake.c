/*
 * The lane sleeps on two words at once: the reply's, which the worker can write, and its own keeper's, which says that
 * the process has ended. One word would not do: a worker that requeues the sleeper (FUTEX_REQUEUE) would hide its death
 * until the deadline. Kernels before 5.16 have no futex_waitv: there the sleep is cut into slices.
 */
#include "runtime/udf/wake.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SLICE_NS  10000000
#define SECOND_NS 1000000000

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#define OWN_32_BITS    (2 | FUTEX_PRIVATE_FLAG) /* FUTEX_32, or FUTEX2_SIZE_U32 in later headers */
#define SHARED_32_BITS 2

struct waiter { /* struct futex_waitv of linux/futex.h, which older headers lack */
	uint64_t value, address;
	uint32_t flags, reserved;
};

static void wake(_Atomic uint32_t *word, int operation)
{
	syscall(SYS_futex, word, operation, INT_MAX, NULL, NULL, 0);
}

static void sleep_on(_Atomic uint32_t *word, uint32_t seen, int operation, const struct timespec *left)
{
	syscall(SYS_futex, word, operation, seen, left, NULL, 0);
}

void wake_shared(_Atomic uint32_t *word)
{
	wake(word, FUTEX_WAKE);
}

void wake_own(_Atomic uint32_t *word)
{
	wake(word, FUTEX_WAKE_PRIVATE);
}

void sleep_shared(_Atomic uint32_t *shared, uint32_t seen)
{
	sleep_on(shared, seen, FUTEX_WAIT, NULL);
}

static struct timespec as_timespec(int64_t ns)
{
	return (struct timespec){ns / SECOND_NS, ns % SECOND_NS};
}

void sleep_own(_Atomic uint32_t *own, uint32_t seen, int64_t left_ns)
{
	struct timespec left = as_timespec(left_ns);

	sleep_on(own, seen, FUTEX_WAIT_PRIVATE, &left);
}

void sleep_on_both(_Atomic uint32_t *shared, uint32_t seen, _Atomic uint32_t *own, int64_t left_ns)
{
	static _Atomic bool missing; /* futex_waitv: an old kernel, or a container's filter that does not know it */
	const struct waiter waiters[] = {{seen, (uintptr_t)shared, SHARED_32_BITS, 0},
	                                 {0, (uintptr_t)own, OWN_32_BITS, 0}};
	struct timespec until, slice;

	if (!atomic_load_explicit(&missing, memory_order_relaxed)) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until = as_timespec(until.tv_sec * (int64_t)SECOND_NS + until.tv_nsec + left_ns);
		if (syscall(SYS_futex_waitv, waiters, 2, 0, &until, CLOCK_MONOTONIC) >= 0 ||
		    (errno != ENOSYS && errno != EPERM))
			return;
		atomic_store_explicit(&missing, true, memory_order_relaxed);
	}
	slice = as_timespec(left_ns < SLICE_NS ? left_ns : SLICE_NS);
	sleep_on(shared, seen, FUTEX_WAIT, &slice);
}
