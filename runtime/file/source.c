/* Lines of a file or a pipe, taken in large reads; records are slices of the read buffer until the next take. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "runtime/file/file.h"
#include "runtime/file/spool.h"

#define READ_BYTES (1024 * 1024)

struct file_source {
	struct source source;
	const char *path;
	int fd;
	bool closed;  /* the input itself has ended; a terminal would wait for a second end */
	bool ended;   /* nothing more to read */
	char *buffer; /* bytes [begin, end) are not taken yet */
	size_t capacity, begin, end;
	int64_t offset; /* of buffer[begin] in the input */
	_Atomic int64_t position;
	int64_t base;       /* where the input begins in a file that can be sought; -1: it cannot */
	struct spool spool; /* fd -1: not kept */
	int64_t committed;  /* one past the byte where the last committed record begins; 0: none */
	bool skip_first;    /* the next record is that one: it was accepted already */
};

static struct file_source *self(struct source *source)
{
	return (struct file_source *)source;
}

static int file_open(struct source *source, unsigned *lanes, struct stop *stop, struct error *err)
{
	struct file_source *file = self(source);

	(void)stop;
	file->fd = strcmp(file->path, "-") ? open(file->path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (file->fd < 0)
		return error_set(err, "cannot open %s: %s", file->path, strerror(errno));
	file->base = lseek(file->fd, 0, SEEK_CUR);
	source->partitions = 1;
	*lanes = 1;
	return source->rewinds && file->base < 0 ? spool_open(&file->spool, err) : 0;
}

/* Moves what is left to the front and makes room for more. */
static int make_room(struct file_source *file, struct error *err)
{
	memmove(file->buffer, file->buffer + file->begin, file->end - file->begin);
	file->end -= file->begin;
	file->begin = 0;
	if (file->end < file->capacity)
		return 0;
	if (file->capacity >= RECORD_BYTES_MAX)
		return error_set(err, "%s: the line at byte %lld is longer than %d bytes; split it", file->path,
		                 (long long)file->offset, RECORD_BYTES_MAX);
	file->capacity *= 2;
	file->buffer = xrealloc(file->buffer, file->capacity);
	return 0;
}

/* What was read before comes from the spool; what is new goes into it. */
static int read_kept(struct file_source *file, struct error *err)
{
	ssize_t size = spool_read(&file->spool, file->offset + (int64_t)(file->end - file->begin),
	                          file->buffer + file->end, file->capacity - file->end, err);

	if (size < 0)
		return -1;
	file->end += (size_t)size;
	return 1;
}

/* Reads once; 1: something came or the end did, 0: nothing in time, -1: failed. */
static int read_more(struct file_source *file, int timeout_ms, struct error *err)
{
	struct pollfd poller = {.fd = file->fd, .events = POLLIN};
	ssize_t size;
	int ready;

	if (file->offset + (int64_t)(file->end - file->begin) < file->spool.end)
		return read_kept(file, err);
	if (file->closed) {
		file->ended = true;
		return 1;
	}
	ready = poll(&poller, 1, timeout_ms);
	if (ready == 0 || (ready < 0 && errno == EINTR))
		return 0;
	if (ready < 0)
		return error_set(err, "cannot wait for %s: %s", file->path, strerror(errno));
	size = read(file->fd, file->buffer + file->end, file->capacity - file->end);
	if (size < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (size < 0)
		return error_set(err, "cannot read %s: %s", file->path, strerror(errno));
	if (file->spool.fd >= 0 && size && spool_append(&file->spool, file->buffer + file->end, (size_t)size, err) < 0)
		return error_prefix(err, "%s", file->path);
	file->ended = size == 0;
	file->closed = size == 0 && file->base < 0;
	file->end += (size_t)size;
	return 1;
}

static bool take_skip(struct file_source *file)
{
	bool skip = file->skip_first;

	file->skip_first = false;
	return skip;
}

/* Cuts lines off the buffer into records; empty lines only move the offset. */
static void cut_lines(struct file_source *file, struct record_batch *batch)
{
	while (batch->count < BATCH_ROWS_MAX && file->begin < file->end) {
		const char *line = file->buffer + file->begin;
		size_t left = file->end - file->begin, size;
		const char *newline = memchr(line, '\n', left);

		if (!newline && !file->ended)
			return;
		size = newline ? (size_t)(newline - line) : left;
		if (size - (size && line[size - 1] == '\r') && !take_skip(file))
			batch->records[batch->count++] =
			        (struct record){.value = {line, size - (line[size - 1] == '\r')},
			                        .offset = file->offset,
			                        .timestamp_ms = -1};
		file->begin += size + (newline != NULL);
		file->offset += (int64_t)(size + (newline != NULL));
	}
}

static enum take file_take(struct source *source, unsigned lane, struct record_batch *batch, int timeout_ms,
                           struct error *err)
{
	struct file_source *file = self(source);

	(void)lane;
	batch->count = 0;
	cut_lines(file, batch);
	while (!batch->count && !file->ended) {
		int result = make_room(file, err);

		if (!result)
			result = read_more(file, timeout_ms, err);
		if (result < 0)
			return TAKE_FAILED;
		if (!result)
			return TAKE_NOTHING;
		cut_lines(file, batch);
	}
	atomic_store_explicit(&file->position, file->offset, memory_order_relaxed);
	return batch->count ? TAKE_RECORDS : TAKE_END;
}

static int file_resume(struct source *source, struct error *err)
{
	(void)source;
	return error_set(err, "a file has no pending window to resume from");
}

static int file_rewind(struct source *source, struct error *err)
{
	struct file_source *file = self(source);
	int64_t from = file->committed ? file->committed - 1 : 0;

	if (file->spool.fd < 0 && (file->base < 0 || lseek(file->fd, file->base + from, SEEK_SET) < 0))
		return error_set(err, "cannot go back in %s: %s", file->path, strerror(errno));
	file->begin = file->end = 0;
	file->offset = from;
	file->ended = false;
	file->skip_first = file->committed > 0;
	atomic_store_explicit(&file->position, file->offset, memory_order_relaxed);
	return 0;
}

static int file_commit(struct source *source, const struct boundary *boundary, const int64_t *to, struct error *err)
{
	struct file_source *file = self(source);

	(void)err;
	if (boundary->pending || to[0] < 0)
		return 0;
	file->committed = to[0];
	if (file->spool.fd >= 0)
		spool_forget(&file->spool, file->committed - 1);
	return 0;
}

static size_t file_status(struct source *source, struct partition_status *ret_status, size_t max)
{
	(void)source;
	(void)ret_status;
	(void)max;
	return 0;
}

static int file_healthy(struct source *source, struct error *err)
{
	(void)source;
	(void)err;
	return 0;
}

static void file_close(struct source *source)
{
	struct file_source *file = self(source);

	if (file->fd > STDIN_FILENO)
		close(file->fd);
	spool_close(&file->spool);
	free(file->buffer);
	free(file);
}

static const struct source_ops file_source_ops = {
        .name = "file",
        .open = file_open,
        .take = file_take,
        .resume = file_resume,
        .rewind = file_rewind,
        .commit = file_commit,
        .status = file_status,
        .healthy = file_healthy,
        .close = file_close,
};

struct source *file_source_new(const char *path)
{
	struct file_source *file = xcalloc(1, sizeof(*file));

	file->source.ops = &file_source_ops;
	file->path = path;
	file->source.bounded = true;
	file->fd = file->spool.fd = -1;
	file->capacity = READ_BYTES;
	file->buffer = xmalloc(file->capacity);
	return &file->source;
}
