#include "runtime/file/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

void input_init(struct input *input, const char *path)
{
	*input = (struct input){.path = path, .fd = -1, .spool = {.fd = -1}};
}

int input_open(struct input *input, bool rewinds, struct error *err)
{
	input->fd = strcmp(input->path, "-") ? open(input->path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (input->fd < 0)
		return error_set(err, "cannot open %s: %s", input->path, strerror(errno));
	input->base = lseek(input->fd, 0, SEEK_CUR);
	return rewinds && input->base < 0 ? spool_open(&input->spool, err) : 0;
}

void input_close(struct input *input)
{
	if (input->fd > STDIN_FILENO)
		close(input->fd);
	spool_close(&input->spool);
}

static ssize_t read_file(struct input *input, char *ret_bytes, size_t size, int timeout_ms, struct error *err)
{
	struct pollfd poller = {.fd = input->fd, .events = POLLIN};
	ssize_t got;
	int ready;

	if (input->closed)
		return 0;
	ready = poll(&poller, 1, timeout_ms);
	if (ready == 0 || (ready < 0 && errno == EINTR))
		return INPUT_NOTHING;
	if (ready < 0)
		return error_set(err, "cannot wait for %s: %s", input->path, strerror(errno));
	got = read(input->fd, ret_bytes, size);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return INPUT_NOTHING;
	if (got < 0)
		return error_set(err, "cannot read %s: %s", input->path, strerror(errno));
	input->closed = got == 0 && input->base < 0;
	return got;
}

/* What was read before comes from the spool; what is new goes into it. */
ssize_t input_read(struct input *input, char *ret_bytes, size_t size, int timeout_ms, struct error *err)
{
	ssize_t got;

	if (input->offset < input->spool.end) {
		got = spool_read(&input->spool, input->offset, ret_bytes, size, err);
	} else {
		got = read_file(input, ret_bytes, size, timeout_ms, err);
		if (got > 0 && input->spool.fd >= 0 && spool_append(&input->spool, ret_bytes, (size_t)got, err) < 0)
			return error_prefix(err, "%s", input->path);
	}
	input->offset += got > 0 ? got : 0;
	return got;
}

int input_seek(struct input *input, int64_t offset, struct error *err)
{
	if (input->spool.fd < 0 && (input->base < 0 || lseek(input->fd, input->base + offset, SEEK_SET) < 0))
		return error_set(err, "cannot go back in %s: %s", input->path, strerror(errno));
	input->offset = offset;
	return 0;
}

void input_forget(struct input *input, int64_t offset)
{
	if (input->spool.fd >= 0)
		spool_forget(&input->spool, offset);
}
