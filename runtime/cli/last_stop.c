#include "runtime/cli/last_stop.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/exit_code.h"
#include "lib/base/log.h"
#include "lib/process/latch.h"
#include "lib/process/system_clock.h"
#include "lib/process/watch.h"

#define PAUSE_NS 20000000

static struct {
	pthread_t main_thread;
	int64_t grace_ms;
	_Atomic int signal; /* of the ordered stop, until it is announced */
	int64_t ordered_ms; /* monotonic; the watching thread's, as what follows. 0: no stop is ordered */
	int ordered;        /* by this signal */
	pthread_mutex_t mutex;
	struct stop *stop; /* behind the mutex, as the code; NULL: the job has ended */
	int code;
	struct latch said;
} last = {.mutex = PTHREAD_MUTEX_INITIALIZER, .code = EXIT_FAILED};

static void *say(void *second)
{
	struct error err = {.text = "it did not end within terminationGracePeriod"};
	struct watch_stuck stuck;

	watch_moving(clock_monotonic_ms(&system_clock), &stuck, &err);
	if (second)
		log_error("second signal, exiting at once", "error=\"%s\"", err.text);
	else
		log_error("the process waits no longer for its job's end", "error=\"%s\"", err.text);
	latch_open(&last.said);
	return NULL;
}

/* The log may be what hangs. */
static void end_now(void *second, int code)
{
	pthread_t thread;

	latch_init(&last.said);
	if (pthread_create(&thread, NULL, say, second) == 0) {
		pthread_detach(thread);
		latch_wait(&last.said, LAST_WORD_MS);
	}
	_exit(code);
}

static void order(int number, int64_t now_ms)
{
	last.ordered_ms = now_ms;
	last.ordered = number;
	pthread_mutex_lock(&last.mutex);
	if (last.stop)
		atomic_store(&last.stop->deadline_ms, now_ms + last.grace_ms);
	pthread_mutex_unlock(&last.mutex);
	atomic_store(&last.signal, number);
	pthread_kill(last.main_thread, SIGUSR1);
}

static void look(int64_t now_ms)
{
	int code;

	pthread_mutex_lock(&last.mutex);
	code = last.code;
	if (last.stop && now_ms >= last.ordered_ms + ANNOUNCE_MS)
		atomic_store(&last.stop->requested, true);
	pthread_mutex_unlock(&last.mutex);
	if (now_ms >= last.ordered_ms + last.grace_ms + LAST_STOP_MS)
		end_now(NULL, code);
}

static bool is_repeat(int number, int64_t now_ms)
{
	return number == last.ordered && now_ms < last.ordered_ms + SAME_ORDER_MS;
}

static void *take_signals(void *unused)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	for (;;) {
		int number = last.ordered_ms ? sigtimedwait(&set, NULL, &pause) : sigwaitinfo(&set, NULL);
		int64_t now_ms = clock_monotonic_ms(&system_clock);

		if (number > 0 && last.ordered_ms && !is_repeat(number, now_ms))
			end_now(&last, 128 + number);
		else if (number > 0 && !last.ordered_ms)
			order(number, now_ms);
		else if (last.ordered_ms)
			look(now_ms);
	}
	return unused;
}

void last_stop_watch(struct stop *stop, int64_t grace_ms)
{
	pthread_t thread;

	last.main_thread = pthread_self();
	last.grace_ms = grace_ms;
	last.stop = stop;
	if (pthread_create(&thread, NULL, take_signals, NULL) != 0)
		abort();
	pthread_detach(thread);
}

int last_stop_signal(void)
{
	return atomic_exchange(&last.signal, 0);
}

void last_stop_ended(int code)
{
	pthread_mutex_lock(&last.mutex);
	last.stop = NULL;
	last.code = code;
	pthread_mutex_unlock(&last.mutex);
}
