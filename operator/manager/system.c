/* What the other rooms are given: clocks, and the log's writer. */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "operator/manager/commands.h"

static int64_t clock_ms(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t wall_ms(void *context)
{
	(void)context;
	return clock_ms(CLOCK_REALTIME);
}

static int64_t monotonic_ms(void *context)
{
	(void)context;
	return clock_ms(CLOCK_MONOTONIC);
}

const struct clock operator_clock = {wall_ms, monotonic_ms, NULL};

static void write_line(void *context, const char *line, size_t size)
{
	(void)context;
	while (size > 0) {
		ssize_t written = write(STDERR_FILENO, line, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return; /* nowhere to say it */
		line += written;
		size -= (size_t)written;
	}
}

void operator_log(bool json, int level)
{
	struct log_output output = {
	        .write = write_line, .wall_ms = wall_ms, .json = json, .level = (enum log_level)level};

	log_install(&output);
}
