/*
 * Sleep and wake between the runtime and a worker, by futex: a wake never waits, whatever the other side does, and no
 * descriptor is shared. docs/worker.md says why.
 *
 * Threads: any. Every sleep may end for no reason: the caller looks at its words again.
 */
#ifndef STREAMJOB_UDF_WAKE_H
#define STREAMJOB_UDF_WAKE_H

#include <stdatomic.h>
#include <stdint.h>

/* Who sleeps on `word`: of memory that processes share, or of this process alone. */
void wake_shared(_Atomic uint32_t *word);
void wake_own(_Atomic uint32_t *word);

/* While *shared is `seen`. */
void sleep_shared(_Atomic uint32_t *shared, uint32_t seen);
/* While *own is `seen`, at most left_ns. */
void sleep_own(_Atomic uint32_t *own, uint32_t seen, int64_t left_ns);
/* While *shared is `seen` and *own is 0, at most left_ns. */
void sleep_on_both(_Atomic uint32_t *shared, uint32_t seen, _Atomic uint32_t *own, int64_t left_ns);

#endif
