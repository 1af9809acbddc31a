#include "runtime/file/write.h"

#include <errno.h>
#include <unistd.h>

int write_all(int fd, struct slice bytes, const char *name, struct error *err)
{
	while (bytes.size) {
		ssize_t written = write(fd, bytes.data, bytes.size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return error_set(err, "cannot write %s: %s", name, strerror(errno));
		bytes.data += written;
		bytes.size -= (size_t)written;
	}
	return 0;
}
