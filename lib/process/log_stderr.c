#include "lib/process/log_stderr.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "lib/process/system_clock.h"

static _Atomic bool over_live_line;
static bool as_json;

static void write_bytes(const char *bytes, size_t size)
{
	while (size) {
		ssize_t written = write(STDERR_FILENO, bytes, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return; /* nowhere to say it */
		bytes += written;
		size -= (size_t)written;
	}
}

static void write_line(void *context, const char *line, size_t size)
{
	(void)context;
	if (atomic_load(&over_live_line))
		write_bytes("\r\033[K", 4);
	write_bytes(line, size);
}

void log_over_live_line(void)
{
	atomic_store(&over_live_line, true);
}

/* The log itself takes memory for a line. */
static void say_exhausted(void)
{
	int64_t now_ms = system_clock.wall_ms(NULL);
	char line[160];
	int size = snprintf(line, sizeof(line),
	                    as_json ? "{\"time\":%lld.%03d,\"level\":\"error\",\"msg\":\"%s\"}\n"
	                            : "time=%lld.%03d level=error msg=\"%s\"\n",
	                    (long long)(now_ms / 1000), (int)(now_ms % 1000), "out of memory: the process ends here");

	write_line(NULL, line, (size_t)size);
}

void log_to_stderr(bool json, enum log_level level)
{
	struct log_output output = {.write = write_line, .wall_ms = system_clock.wall_ms, .json = json, .level = level};

	log_install(&output);
	as_json = json;
	memory_install_exhausted(say_exhausted);
}
