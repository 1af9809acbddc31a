/*
 * The file sink. Before window n's rows are appended, the side file gets {n, where they begin}: written whole under
 * another name, synced, renamed. A crash before that leaves windows up to n - 1; one after it leaves a mark to cut back
 * to.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "runtime/file/file.h"
#include "runtime/file/write.h"

#define FLUSH_BYTES (1024 * 1024)

struct file_sink {
	struct sink sink;
	const char *path;
	char *side_path, *new_path, *folder, *target;
	int fd;
	uint64_t sequence; /* of the newest window that was begun; 0: none */
	int64_t begin;     /* where it begins */
	struct buffer text;
};

static struct file_sink *self(struct sink *sink)
{
	return (struct file_sink *)sink;
}

/* 1: read; 0: there is none; -1: unreadable. */
static int read_side(struct file_sink *file, struct error *err)
{
	FILE *side = fopen(file->side_path, "r");
	int fields;

	if (!side && errno == ENOENT)
		return 0;
	if (!side)
		return error_set(err, "cannot open %s: %s", file->side_path, strerror(errno));
	fields = fscanf(side, "{\"sequence\": %" SCNu64 ", \"begin\": %" SCNd64 "}", &file->sequence, &file->begin);
	fclose(side);
	if (fields != 2)
		return error_set(err, "%s is not this sink's side file; move it away", file->side_path);
	return 1;
}

static int sync_folder(const struct file_sink *file, struct error *err)
{
	int fd = open(file->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd < 0 ? -1 : fsync(fd);

	if (fd >= 0)
		close(fd);
	return result < 0 ? error_set(err, "cannot sync %s: %s", file->folder, strerror(errno)) : 0;
}

static int write_side(struct file_sink *file, uint64_t sequence, int64_t begin, struct error *err)
{
	char text[128];
	int size =
	        snprintf(text, sizeof(text), "{\"sequence\": %" PRIu64 ", \"begin\": %" PRId64 "}\n", sequence, begin);
	int fd = open(file->new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return error_set(err, "cannot write %s: %s", file->new_path, strerror(errno));
	if (write_all(fd, (struct slice){text, (size_t)size}, file->new_path, err) < 0 || fsync(fd) < 0) {
		error_set(err, "cannot write %s: %s", file->new_path, strerror(errno));
		close(fd);
		return -1;
	}
	close(fd);
	if (rename(file->new_path, file->side_path) < 0)
		return error_set(err, "cannot rename %s: %s", file->new_path, strerror(errno));
	if (sync_folder(file, err) < 0)
		return -1;
	file->sequence = sequence;
	file->begin = begin;
	return 0;
}

/* Rows are cut back and synced: a device or a pipe can do neither. */
static int check_regular(const struct file_sink *file, struct error *err)
{
	struct stat status;

	if (fstat(file->fd, &status) == 0 && !S_ISREG(status.st_mode))
		return error_set(err,
		                 "%s is not a regular file, so a window cannot be written again; write to a file, or "
		                 "use the stdout sink",
		                 file->path);
	return 0;
}

static int64_t file_size(const struct file_sink *file)
{
	struct stat status;

	return fstat(file->fd, &status) < 0 ? -1 : status.st_size;
}

/* What an earlier run left must be ours and end where this one goes on. */
static int check_earlier(struct file_sink *file, int side, uint64_t next_sequence, struct error *err)
{
	if (!side && file_size(file) > 0)
		return error_set(err,
		                 "%s has content but no %s: it was not written by this job; move it away or choose "
		                 "another path",
		                 file->path, file->side_path);
	if (side && file->sequence > next_sequence)
		return error_set(err,
		                 "%s has windows up to %" PRIu64 ", and the job goes on with window %" PRIu64
		                 ": its source was set back; move %s and %s away",
		                 file->path, file->sequence, next_sequence, file->path, file->side_path);
	if (side && file_size(file) < file->begin)
		return error_set(err, "%s is shorter than its side file says; move both away", file->path);
	return 0;
}

static int file_sink_open(struct sink *sink, const struct sink_start *start, struct stop *stop, struct error *err)
{
	struct file_sink *file = self(sink);
	int side;

	(void)stop;
	file->fd = open(file->path, O_RDWR | O_CREAT | O_CLOEXEC | (start->resumable ? 0 : O_TRUNC), 0644);
	if (file->fd < 0)
		return error_set(err, "cannot open %s: %s", file->path, strerror(errno));
	if (check_regular(file, err) < 0)
		return -1;
	if (!start->resumable) {
		unlink(file->side_path);
		return 0;
	}
	side = read_side(file, err);
	return side < 0 ? -1 : check_earlier(file, side, start->next_sequence, err);
}

static int write_rows(struct file_sink *file, const struct window_result *result, struct error *err)
{
	buffer_clear(&file->text);
	for (size_t row = 0; row < result->rows.rows; row++) {
		result_row_json(result, row, &file->text);
		buffer_append_char(&file->text, '\n');
		if (file->text.size < FLUSH_BYTES && row + 1 < result->rows.rows)
			continue;
		if (write_all(file->fd, buffer_slice(&file->text), file->path, err) < 0)
			return -1;
		buffer_clear(&file->text);
	}
	return fsync(file->fd) < 0 ? error_set(err, "cannot sync %s: %s", file->path, strerror(errno)) : 0;
}

static int write_window(struct file_sink *file, const struct window_result *result, struct error *err)
{
	if (result->sequence != file->sequence && write_side(file, result->sequence, file_size(file), err) < 0)
		return -1;
	if (ftruncate(file->fd, file->begin) < 0 || lseek(file->fd, file->begin, SEEK_SET) < 0)
		return error_set(err, "cannot cut %s back: %s", file->path, strerror(errno));
	return write_rows(file, result, err);
}

static enum sink_outcome file_sink_write(struct sink *sink, const struct window_result *result, struct stop *stop,
                                         struct error *err)
{
	(void)stop;
	if (result->delete_group)
		return SINK_ACCEPTED;
	return write_window(self(sink), result, err) < 0 ? SINK_RETRY : SINK_ACCEPTED;
}

static void file_sink_close(struct sink *sink)
{
	struct file_sink *file = self(sink);

	if (file->fd >= 0)
		close(file->fd);
	buffer_release(&file->text);
	free(file->side_path);
	free(file->new_path);
	free(file->folder);
	free(file->target);
	free(file);
}

static const struct sink_ops file_sink_ops = {
        .name = "file",
        .open = file_sink_open,
        .write = file_sink_write,
        .close = file_sink_close,
};

static char *joined(const char *text, const char *more)
{
	size_t size = strlen(text) + strlen(more) + 1;
	char *copy = xmalloc(size);

	snprintf(copy, size, "%s%s", text, more);
	return copy;
}

struct sink *file_sink_new(const char *path)
{
	struct file_sink *file = xcalloc(1, sizeof(*file));
	char *copy = xstrdup(path);

	file->sink.ops = &file_sink_ops;
	file->path = path;
	file->fd = -1;
	file->side_path = joined(path, ".streamjob");
	file->new_path = joined(path, ".streamjob.new");
	file->folder = xstrdup(dirname(copy));
	file->target = joined("file ", path);
	file->sink.target = file->target;
	buffer_init(&file->text);
	free(copy);
	return &file->sink;
}
