#include "lib/process/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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
