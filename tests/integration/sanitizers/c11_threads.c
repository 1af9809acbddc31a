/*
 * C11's threads, mutexes and conditions by POSIX's, for the program and the unit tests under ThreadSanitizer only.
 *
 * librdkafka uses C11's, which ThreadSanitizer of GCC 12 does not know: its threads would be strangers (and crash it),
 * its locks would order nothing. glibc has the same objects behind both names, so each call goes to the one that is
 * known.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t), "as in glibc");

/* glibc declares these with reserved names.
 * NOLINTBEGIN(readability-inconsistent-declaration-parameter-name,bugprone-reserved-identifier) */

/* ThreadSanitizer's own. */
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);

static int outcome(int code)
{
	return code == 0           ? thrd_success
	       : code == EBUSY     ? thrd_busy
	       : code == ETIMEDOUT ? thrd_timedout
	       : code == ENOMEM    ? thrd_nomem
	                           : thrd_error;
}

struct start {
	thrd_start_t function;
	void *argument;
};

static void *run(void *argument)
{
	struct start start = *(struct start *)argument;

	free(argument);
	return (void *)(intptr_t)start.function(start.argument);
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
	struct start *start = malloc(sizeof(*start));
	int code;

	if (!start)
		return thrd_nomem;
	*start = (struct start){function, argument};
	code = pthread_create(thread, NULL, run, start);
	if (code)
		free(start);
	return outcome(code);
}

int thrd_join(thrd_t thread, int *result)
{
	void *value;
	int code = pthread_join(thread, &value);

	if (!code && result)
		*result = (int)(intptr_t)value;
	return outcome(code);
}

int mtx_init(mtx_t *mutex, int type)
{
	pthread_mutexattr_t attributes;
	int code;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_DEFAULT);
	code = pthread_mutex_init((pthread_mutex_t *)mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
	return outcome(code);
}

/* That its last use came before is known to atomics in librdkafka (thread.supp), so the end itself counts for nothing.
 */
void mtx_destroy(mtx_t *mutex)
{
	AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
	pthread_mutex_destroy((pthread_mutex_t *)mutex);
	AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
}

int mtx_lock(mtx_t *mutex)
{
	return outcome(pthread_mutex_lock((pthread_mutex_t *)mutex));
}

int mtx_trylock(mtx_t *mutex)
{
	return outcome(pthread_mutex_trylock((pthread_mutex_t *)mutex));
}

int mtx_unlock(mtx_t *mutex)
{
	return outcome(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

int cnd_init(cnd_t *condition)
{
	return outcome(pthread_cond_init((pthread_cond_t *)condition, NULL));
}

void cnd_destroy(cnd_t *condition)
{
	AnnotateIgnoreWritesBegin(__FILE__, __LINE__); /* as for a mutex */
	pthread_cond_destroy((pthread_cond_t *)condition);
	AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
}

int cnd_signal(cnd_t *condition)
{
	return outcome(pthread_cond_signal((pthread_cond_t *)condition));
}

int cnd_broadcast(cnd_t *condition)
{
	return outcome(pthread_cond_broadcast((pthread_cond_t *)condition));
}

int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
	return outcome(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until)
{
	return outcome(pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until));
}

/*
 * Its read-write locks are POSIX's; called from here they are calls of ours too, which thread.supp does not ignore.
 * Destroying one stays librdkafka's.
 */
int __interceptor_pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attributes);
int __interceptor_pthread_rwlock_rdlock(pthread_rwlock_t *lock);
int __interceptor_pthread_rwlock_wrlock(pthread_rwlock_t *lock);
int __interceptor_pthread_rwlock_unlock(pthread_rwlock_t *lock);

int pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attributes)
{
	return __interceptor_pthread_rwlock_init(lock, attributes);
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
	return __interceptor_pthread_rwlock_rdlock(lock);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
	return __interceptor_pthread_rwlock_wrlock(lock);
}

int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
	return __interceptor_pthread_rwlock_unlock(lock);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name,bugprone-reserved-identifier) */
