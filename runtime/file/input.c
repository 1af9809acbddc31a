#include "runtime/file/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "runtime/file/write.h"

#define PACKED_BYTES (256 * 1024)

void input_init(struct input *input, const char *path)
{
	*input = (struct input){.path = path, .watched = watch_name("%s", path), .fd = -1, .spool = {.fd = -1}};
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
	unpacker_close(&input->unpacker);
	free(input->packed);
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
	got = watched(WATCH_SOURCE, "the read of", input->watched, FILE_CALL_MS, read(input->fd, ret_bytes, size));
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return INPUT_NOTHING;
	if (got < 0)
		return error_set(err, "cannot read %s: %s", input->path, strerror(errno));
	input->closed = got == 0 && input->base < 0;
	return got;
}

/* The next bytes as they stand in the file, to those that are there. 1, or what input_read gives when there are none.
 */
static ssize_t read_packed(struct input *input, int timeout_ms, struct error *err)
{
	ssize_t got;

	if (!input->packed)
		input->packed = xmalloc(PACKED_BYTES);
	memmove(input->packed, input->packed + input->begin, input->end - input->begin);
	input->end -= input->begin;
	input->begin = 0;
	got = read_file(input, input->packed + input->end, PACKED_BYTES - input->end, timeout_ms, err);
	if (got <= 0)
		return got;
	input->end += (size_t)got;
	input->packed_end += got;
	return 1;
}

/* What kind of bytes these are. 1, or what input_read gives. */
static ssize_t find_packing(struct input *input, int timeout_ms, struct error *err)
{
	enum packing packing = PACKING_UNKNOWN;
	ssize_t got = 1;

	while (packing == PACKING_UNKNOWN && got) {
		got = read_packed(input, timeout_ms, err);
		if (got < 0)
			return got;
		packing = unpack_packing((struct slice){input->packed, input->end});
	}
	unpacker_open(&input->unpacker, packing == PACKING_UNKNOWN ? PACKING_NONE : packing);
	return 1;
}

/* Bytes that are not packed: the first ones were looked at. */
static ssize_t read_plain(struct input *input, char *ret_bytes, size_t size, int timeout_ms, struct error *err)
{
	size_t left = input->end - input->begin;

	if (!left)
		return read_file(input, ret_bytes, size, timeout_ms, err);
	left = left < size ? left : size;
	memcpy(ret_bytes, input->packed + input->begin, left);
	input->begin += left;
	return (ssize_t)left;
}

static int bad_packing(const struct input *input, const char *how, struct error *err)
{
	const char *name = packing_name(input->unpacker.packing);

	return error_set(
	        err,
	        "%s: the %s data is %s at byte %lld of the file, after %lld bytes of text; the records before it "
	        "were taken: send the file again whole, or test it with %s -t",
	        input->path, name, how, (long long)(input->packed_end - (int64_t)(input->end - input->begin)),
	        (long long)input->offset, name);
}

static ssize_t read_unpacked(struct input *input, char *ret_bytes, size_t size, int timeout_ms, struct error *err)
{
	for (;;) {
		struct slice packed = {input->packed + input->begin, input->end - input->begin};
		size_t before = packed.size;
		struct error why;
		char how[ERROR_TEXT_MAX + 16];
		ssize_t got = unpack(&input->unpacker, &packed, ret_bytes, size, &why);

		input->begin = input->end - packed.size;
		if (got > 0)
			return got;
		if (got < 0) {
			snprintf(how, sizeof(how), "damaged (%s)", why.text);
			return bad_packing(input, how, err);
		}
		if (packed.size < before)
			continue;
		got = read_packed(input, timeout_ms, err);
		if (got < 0)
			return got;
		if (!got)
			return input->unpacker.within ? bad_packing(input, "cut off", err) : 0;
	}
}

static ssize_t read_content(struct input *input, char *ret_bytes, size_t size, int timeout_ms, struct error *err)
{
	if (input->unpacker.packing == PACKING_UNKNOWN) {
		ssize_t found = find_packing(input, timeout_ms, err);

		if (found < 0)
			return found;
	}
	return input->unpacker.packing == PACKING_NONE ? read_plain(input, ret_bytes, size, timeout_ms, err)
	                                               : read_unpacked(input, ret_bytes, size, timeout_ms, err);
}

/* What was read before comes from the spool; what is new goes into it. */
ssize_t input_read(struct input *input, char *ret_bytes, size_t size, int timeout_ms, struct error *err)
{
	ssize_t got;

	if (input->offset < input->spool.end) {
		got = spool_read(&input->spool, input->offset, ret_bytes, size, err);
	} else {
		got = read_content(input, ret_bytes, size, timeout_ms, err);
		if (got > 0 && input->spool.fd >= 0 && spool_append(&input->spool, ret_bytes, (size_t)got, err) < 0)
			return error_prefix(err, "%s", input->path);
	}
	input->offset += got > 0 ? got : 0;
	return got;
}

/* From the beginning again, as no place within packed bytes can be gone to. */
static int unpack_up_to(struct input *input, int64_t offset, struct error *err)
{
	char *passed = xmalloc(PACKED_BYTES);
	ssize_t got = 1;

	unpacker_close(&input->unpacker);
	input->begin = input->end = 0;
	input->packed_end = 0;
	for (input->offset = 0; got > 0 && input->offset<offset; input->offset += got> 0 ? got : 0) {
		int64_t left = offset - input->offset;

		got = read_content(input, passed, left < PACKED_BYTES ? (size_t)left : PACKED_BYTES, -1, err);
	}
	free(passed);
	if (!got || got == INPUT_NOTHING)
		return error_set(err, "cannot go back in %s: it is shorter than it was", input->path);
	return got < 0 ? -1 : 0;
}

int input_seek(struct input *input, int64_t offset, struct error *err)
{
	bool plain = input->unpacker.packing == PACKING_NONE;

	if (input->spool.fd < 0 &&
	    (input->base < 0 || lseek(input->fd, input->base + (plain ? offset : 0), SEEK_SET) < 0))
		return error_set(err, "cannot go back in %s: %s", input->path, strerror(errno));
	if (input->spool.fd < 0 && !plain)
		return unpack_up_to(input, offset, err);
	if (input->spool.fd < 0)
		input->begin = input->end = 0;
	input->offset = offset;
	return 0;
}

void input_forget(struct input *input, int64_t offset)
{
	if (input->spool.fd >= 0)
		spool_forget(&input->spool, offset);
}
