#include "lib/process/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES 16384

static int read_all(FILE *file, const char *path, struct buffer *out, struct error *err)
{
	char chunk[CHUNK_BYTES];
	size_t size;
	int failed = 0;

	while (!out->overflow && (size = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buffer_append(out, chunk, size);
	if (ferror(file))
		failed = error_set(err, "cannot read %s: %s", path, strerror(errno));
	else if (out->overflow)
		failed = error_set(err, "%s has more than %zu bytes, the most that are read of such a file", path,
		                   out->max);
	explicit_bzero(chunk, sizeof(chunk)); /* it may be a secret */
	return failed;
}

int file_read(const char *path, size_t bytes_max, struct buffer *out, struct error *err)
{
	FILE *file;
	int result;

	out->max = bytes_max;
	if (strcmp(path, "-") == 0)
		return read_all(stdin, "standard input", out, err);
	file = fopen(path, "re");
	if (!file)
		return error_set(err, "cannot open %s: %s", path, strerror(errno));
	result = read_all(file, path, out, err);
	fclose(file);
	return result;
}

static int check_kind(const char *path, int failed, const struct stat *there, struct error *err)
{
	if (failed)
		return error_set(err, "cannot open %s: %s", path, strerror(errno));
	if (S_ISREG(there->st_mode))
		return 0;
	return error_set(err, "%s is %s; a regular file is needed", path,
	                 S_ISDIR(there->st_mode)    ? "a folder"
	                 : S_ISFIFO(there->st_mode) ? "a FIFO"
	                                            : "a device or a socket");
}

int file_read_regular(const char *path, size_t bytes_max, struct buffer *out, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat there;
	FILE *file;
	int result = check_kind(path, fd < 0 || fstat(fd, &there) < 0, &there, err);

	file = result < 0 ? NULL : fdopen(fd, "r");
	out->max = bytes_max;
	if (!file) {
		if (fd >= 0)
			close(fd);
		return result < 0 ? -1 : error_set(err, "cannot open %s: %s", path, strerror(errno));
	}
	result = read_all(file, path, out, err);
	fclose(file);
	return result;
}

int file_is_regular(const char *path, struct error *err)
{
	struct stat there;

	return check_kind(path, stat(path, &there) < 0, &there, err);
}
