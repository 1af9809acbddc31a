#include "runtime/file/write.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int write_all(int fd, struct slice bytes, const char *name, struct error *err)
{
	while (bytes.size) {
		ssize_t written = file_watched("the write to", name, write(fd, bytes.data, bytes.size));

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return error_set(err, "cannot write %s: %s", name, strerror(errno));
		bytes.data += written;
		bytes.size -= (size_t)written;
	}
	return 0;
}

static bool look_at_end(const char *path)
{
	struct stat status;
	char last = '\n';
	int fd;

	if (stat(path, &status) < 0 || !S_ISREG(status.st_mode) || !status.st_size)
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (pread(fd, &last, 1, status.st_size - 1) != 1)
		last = '\n';
	close(fd);
	return last != '\n';
}

bool ends_within_line(const char *path)
{
	return file_watched("the look at", path, look_at_end(path));
}
