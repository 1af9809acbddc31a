/* Standard output, as JSON lines or a table, and --output: plain streams without a memory of their own. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "runtime/file/file.h"
#include "runtime/file/write.h"

struct output {
	struct sink sink;
	const char *path; /* "-": standard output */
	enum row_format format;
	int fd;
	bool first; /* no window was written yet */
	struct buffer text;
};

static int output_open(struct sink *sink, const struct sink_start *start, struct stop *stop, struct error *err)
{
	struct output *output = (struct output *)sink;

	(void)start;
	(void)stop;
	output->fd = STDOUT_FILENO;
	if (strcmp(output->path, "-"))
		output->fd = file_watched("the opening of", output->path,
		                          open(output->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
	if (output->fd < 0)
		return error_set(err, "cannot open %s: %s", output->path, strerror(errno));
	return 0;
}

static enum sink_outcome output_write(struct sink *sink, const struct window_result *result, struct stop *stop,
                                      struct error *err)
{
	struct output *output = (struct output *)sink;

	(void)stop;
	buffer_clear(&output->text);
	if (output->format == FORMAT_TABLE) {
		if (isatty(output->fd)) /* over the live line */
			buffer_append_text(&output->text, "\r\033[K");
		if (!output->first)
			buffer_append_char(&output->text, '\n');
		table_render(result, &output->text);
	}
	for (size_t row = 0; row < result->rows.rows && output->format == FORMAT_JSON; row++) {
		result_row_json(result, row, &output->text);
		buffer_append_char(&output->text, '\n');
	}
	output->first = false;
	if (write_all(output->fd, buffer_slice(&output->text), output->sink.target, err) == 0)
		return SINK_ACCEPTED;
	return errno == EPIPE ? SINK_REJECTED : SINK_RETRY;
}

static void output_close(struct sink *sink)
{
	struct output *output = (struct output *)sink;

	if (output->fd > STDERR_FILENO)
		close(output->fd);
	buffer_release(&output->text);
	free(output);
}

static const struct sink_ops output_ops = {
        .name = "output",
        .open = output_open,
        .write = output_write,
        .close = output_close,
};

static struct sink *output_new(const char *path, enum row_format format)
{
	struct output *output = xcalloc(1, sizeof(*output));

	output->sink.ops = &output_ops;
	output->sink.target = strcmp(path, "-") ? path : "standard output";
	output->sink.fail_on_rejected = true; /* whoever read it is gone */
	output->path = path;
	output->format = format;
	output->fd = -1;
	output->first = true;
	buffer_init(&output->text);
	return &output->sink;
}

struct sink *output_sink_new(const char *path)
{
	return output_new(path, FORMAT_JSON);
}

struct sink *stdout_sink_new(enum row_format format)
{
	return output_new("-", format);
}
