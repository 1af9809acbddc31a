#include "runtime/cli/last_stop.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/exit_code.h"
#include "lib/base/log.h"
#include "lib/process/system_clock.h"
#include "runtime/pipeline/functions_watch.h"

#define PAUSE_NS 20000000

static struct {
	pthread_mutex_t mutex; /* of what follows */
	int64_t deadline_ms;
	const struct functions *functions;
	int code;
} last = {.mutex = PTHREAD_MUTEX_INITIALIZER, .code = EXIT_FAILED};

static void *wait_for_deadline(void *unused)
{
	struct error err = {.text = "it did not end within terminationGracePeriod"};

	(void)unused;
	while (clock_monotonic_ms(&system_clock) < last.deadline_ms + LAST_STOP_MS)
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
	pthread_mutex_lock(&last.mutex);
	if (last.functions)
		functions_moving(last.functions, &err);
	log_error("the process waits no longer for its job's end", "error=\"%s\"", err.text);
	_exit(last.code);
}

void last_stop_begin(int64_t deadline_ms, const struct functions *functions)
{
	pthread_t thread;

	last.deadline_ms = deadline_ms;
	last.functions = functions;
	if (pthread_create(&thread, NULL, wait_for_deadline, NULL) != 0)
		log_warn("the stop has no bound", "error=\"there is no thread to watch it\"");
	else
		pthread_detach(thread);
}

void last_stop_ended(int code)
{
	pthread_mutex_lock(&last.mutex);
	last.functions = NULL;
	last.code = code;
	pthread_mutex_unlock(&last.mutex);
}
