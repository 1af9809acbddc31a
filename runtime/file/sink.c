/*
 * The file sink. Before window n's rows are appended, the side file gets {life, n, where they begin}: written whole
 * under another name, synced, renamed. A crash before that leaves windows up to n - 1; one after it leaves a mark to
 * cut back to, for the same window of the same life alone: whatever else is there is appended to.
 *
 * Two processes of one job on a shared volume: each looks at the lease before it changes anything, and takes no lock,
 * which a process that stands still would keep. A new one writes nothing before the old one must be quiet, and looks
 * then at what that one left.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "runtime/file/file.h"
#include "runtime/file/side_file.h"
#include "runtime/file/write.h"
#include "runtime/port/wait.h"

#define FLUSH_BYTES (1024 * 1024)

struct file_sink {
	struct sink sink;
	const char *path;
	char *side_path, *target;
	int fd;
	struct side_file begun; /* which window may be cut back, and to where; sequence 0: none */
	struct sink_start start;
	bool looked; /* at what an earlier process left, when none could write any more */
	struct backoff backoff;
	struct error last_error;
	struct buffer text;
};

static struct file_sink *self(struct sink *sink)
{
	return (struct file_sink *)sink;
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

	return file_watched("the look at", file->path, fstat(file->fd, &status)) < 0 ? -1 : status.st_size;
}

static int file_sink_inspect(struct sink *sink, struct stop *stop, struct sink_held *ret_held, struct error *err)
{
	struct side_file side = {0};

	(void)stop;
	if (side_file_read(self(sink)->side_path, &side, err) < 0)
		return -2;
	*ret_held = side.held;
	return 0;
}

/* What an earlier run left must be ours; where it is the window to come, it must still be there. */
static int check_earlier(struct file_sink *file, bool found, const struct side_file *side,
                         const struct sink_start *start, struct error *err)
{
	if (!found && file_size(file) > 0)
		return error_set(err,
		                 "%s has content but no %s: it was not written by this job; move it away or choose "
		                 "another path",
		                 file->path, file->side_path);
	if (!found)
		return 0;
	if (!sink_holds_next(start, &side->held)) {
		if (!strcmp(side->held.life, start->life) && side->held.sequence >= start->next_sequence)
			log_warn("the file is ahead of the job: its source was set back",
			         "path=\"%s\" file=%" PRIu64 " job=%" PRIu64, file->path, side->held.sequence,
			         start->next_sequence);
		return 0;
	}
	if (file_size(file) < side->begin)
		return error_set(err, "%s is shorter than its side file says; move both away", file->path);
	file->begun = *side;
	return 0;
}

/* Of a process that is not quiet yet, once more before the first window: it may have begun that one. */
static int look_at_earlier(struct file_sink *file, struct error *err)
{
	const struct sink_start *start = &file->start;
	struct side_file side;
	int found;

	file->looked = lease_quiet(file->sink.lease);
	file->begun = (struct side_file){0};
	snprintf(file->begun.held.life, sizeof(file->begun.held.life), "%s", start->life);
	found = start->resumable ? side_file_read(file->side_path, &side, err) : 0;
	return found < 0 ? -1 : check_earlier(file, found, &side, start, err);
}

static int file_sink_open(struct sink *sink, const struct sink_start *start, struct stop *stop, struct error *err)
{
	struct file_sink *file = self(sink);
	struct side_file side;

	if (start->resumable && side_file_read(file->side_path, &side, err) < 0)
		return -1;
	file->start = *start;
	backoff_init(&file->backoff, stop->clock, (uint64_t)(uintptr_t)file);
	file->fd =
	        file_watched("the opening of", file->path,
	                     open(file->path, O_RDWR | O_CREAT | O_CLOEXEC | (start->resumable ? 0 : O_TRUNC), 0644));
	if (file->fd < 0)
		return error_set(err, "cannot open %s: %s", file->path, strerror(errno));
	if (check_regular(file, err) < 0)
		return -1;
	if (!start->resumable)
		unlink(file->side_path);
	return look_at_earlier(file, err);
}

/* Before whatever changes a file: a process that has lost the job changes nothing. 0, -1 or SINK_FENCED. */
static int owns(const struct file_sink *file, struct error *err)
{
	switch (lease_take(file->sink.lease, err)) {
	case RENEWED:
		return 0;
	case RENEWED_FENCED:
		return SINK_FENCED;
	case RENEWED_NOT:
		break;
	}
	return error_prefix(err, "%s: the job's lease cannot be renewed", file->path);
}

static int append(struct file_sink *file, struct slice bytes, struct error *err)
{
	int result = owns(file, err);

	return result ? result : write_all(file->fd, bytes, file->path, err);
}

/* What a crash of another life left within a line is no row; the next one begins on a line of its own. */
static int end_torn_line(struct file_sink *file, struct error *err)
{
	if (!ends_within_line(file->path))
		return 0;
	log_warn("the file ends within a line, which is ended", "path=\"%s\"", file->path);
	if (lseek(file->fd, 0, SEEK_END) < 0)
		return error_set(err, "cannot write %s: %s", file->path, strerror(errno));
	return append(file, SLICE_LITERAL("\n"), err);
}

/* Notes where the window begins, before its rows come. */
static int begin_window(struct file_sink *file, uint64_t sequence, struct error *err)
{
	struct side_file side = file->begun;
	int result = end_torn_line(file, err);

	if (result)
		return result;
	side.held.sequence = sequence;
	side.begin = file_size(file);
	if (side.begin < 0)
		return error_set(err, "cannot find the size of %s: %s", file->path, strerror(errno));
	result = owns(file, err);
	if (!result)
		result = side_file_prepare(file->side_path, &side, err);
	if (!result)
		result = owns(file, err);
	if (!result)
		result = side_file_publish(file->side_path, err);
	if (!result)
		file->begun = side;
	return result;
}

/* To where the window begins; what is not there is not cut, for a process that stood still meanwhile would cut more. */
static int cut_back(struct file_sink *file, struct error *err)
{
	int result = 0;

	if (file_size(file) > file->begun.begin) {
		result = owns(file, err);
		if (!result && file_watched("the cutting of", file->path, ftruncate(file->fd, file->begun.begin)) < 0)
			result = error_set(err, "cannot cut %s back: %s", file->path, strerror(errno));
	}
	if (!result && lseek(file->fd, file->begun.begin, SEEK_SET) < 0)
		result = error_set(err, "cannot write %s: %s", file->path, strerror(errno));
	return result;
}

static int write_rows(struct file_sink *file, const struct window_result *result, struct error *err)
{
	buffer_clear(&file->text);
	for (size_t row = 0; row < result->rows.rows; row++) {
		int written;

		result_row_json(result, row, &file->text);
		buffer_append_char(&file->text, '\n');
		if (file->text.size < FLUSH_BYTES && row + 1 < result->rows.rows)
			continue;
		written = append(file, buffer_slice(&file->text), err);
		if (written)
			return written;
		buffer_clear(&file->text);
	}
	if (file_watched("the sync of", file->path, fsync(file->fd)) < 0)
		return error_set(err, "cannot sync %s: %s", file->path, strerror(errno));
	return 0;
}

static int write_window(struct file_sink *file, const struct window_result *result, struct error *err)
{
	int outcome = file->looked ? 0 : look_at_earlier(file, err);

	if (!outcome && result->sequence != file->begun.held.sequence)
		outcome = begin_window(file, result->sequence, err);
	if (!outcome)
		outcome = cut_back(file, err);
	return outcome ? outcome : write_rows(file, result, err);
}

static enum sink_outcome file_sink_write(struct sink *sink, const struct window_result *result, struct stop *stop,
                                         struct error *err)
{
	struct file_sink *file = self(sink);
	enum sink_outcome quiet;
	int outcome;

	if (result->delete_group)
		return SINK_ACCEPTED;
	quiet = wait_until_quiet(sink, stop, err);
	if (quiet != SINK_ACCEPTED)
		return quiet;
	if (!backoff_wait(&file->backoff, stop, INT64_MAX)) {
		*err = file->last_error;
		return SINK_RETRY;
	}
	outcome = write_window(file, result, err);
	if (outcome == SINK_FENCED)
		return SINK_FENCED;
	if (!outcome) {
		backoff_worked(&file->backoff);
		return SINK_ACCEPTED;
	}
	file->last_error = *err;
	backoff_failed(&file->backoff, 0);
	return SINK_RETRY;
}

static void file_sink_close(struct sink *sink)
{
	struct file_sink *file = self(sink);

	if (file->fd >= 0)
		file_watched("the closing of", file->path, close(file->fd));
	buffer_release(&file->text);
	free(file->side_path);
	free(file->target);
	free(file);
}

static const struct sink_ops file_sink_ops = {
        .name = "file",
        .inspect = file_sink_inspect,
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

	file->sink.ops = &file_sink_ops;
	file->path = path;
	file->fd = -1;
	file->side_path = joined(path, ".streamjob");
	file->target = joined("file ", path);
	file->sink.target = file->target;
	buffer_init(&file->text);
	return &file->sink;
}
