/*
 * For LD_PRELOAD: the wall clock is what the file of the environment's CLOCK_FILE says: "SECONDS" away from the right
 * time, or "stand": where it was read first since then. "boot" or "monotonic" after that let that clock stand, where
 * the program reads it, and "all" both. The other clocks are the machine's.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void read_file(char *text, size_t size)
{
	const char *path = getenv("CLOCK_FILE");
	int file = open(path ? path : "", O_RDONLY);
	ssize_t got = file < 0 ? 0 : read(file, text, size - 1);

	text[got > 0 ? got : 0] = '\0';
	if (file >= 0)
		close(file);
}

/* Not the same place in every thread, but each thread's stands still. */
static void stand(const char *text, const char *name, struct timespec *stands, struct timespec *tp)
{
	if (!strstr(text, name) && !strstr(text, "all"))
		stands->tv_sec = 0;
	else if (stands->tv_sec)
		*tp = *stands;
	else
		*stands = *tp;
}

int clock_gettime(clockid_t clock_id, struct timespec *tp)
{
	static _Thread_local struct timespec stands, boot_stands, monotonic_stands;
	char text[32];
	int result = (int)syscall(SYS_clock_gettime, clock_id, tp);

	read_file(text, sizeof(text));
	if (clock_id == CLOCK_BOOTTIME)
		stand(text, "boot", &boot_stands, tp);
	if (clock_id == CLOCK_MONOTONIC)
		stand(text, "monotonic", &monotonic_stands, tp);
	if (clock_id != CLOCK_REALTIME && clock_id != CLOCK_REALTIME_COARSE)
		return result;
	if (strncmp(text, "stand", 5) != 0) {
		tp->tv_sec += atol(text);
		stands.tv_sec = 0;
	} else if (stands.tv_sec) {
		*tp = stands;
	} else {
		stands = *tp;
	}
	return result;
}
