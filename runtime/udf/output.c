#include "runtime/udf/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "runtime/udf/udf.h"

#define BLOCK_BYTES 65536
#define DRAIN_READS 64 /* after the process has ended: a pipe holds no more */

void output_init(struct output *output, void (*say)(void *context, bool is_stderr, struct slice line), void *context)
{
	output->streams[0].fd = output->streams[1].fd = -1;
	output->say = say;
	output->context = context;
	pthread_mutex_init(&output->mutex, NULL);
}

void output_release(struct output *output)
{
	for (int i = 0; i < 2; i++)
		if (output->streams[i].fd >= 0)
			close(output->streams[i].fd);
	pthread_mutex_destroy(&output->mutex);
}

static void say_left_out(struct output *output)
{
	char text[128];

	if (output->bytes_left_out)
		snprintf(text, sizeof(text), "(%u more lines and %" PRIu64 " more bytes within a second were left out)",
		         output->lines_left_out, output->bytes_left_out);
	else
		snprintf(text, sizeof(text), "(%u more lines within a second were left out)", output->lines_left_out);
	if (output->lines_left_out || output->bytes_left_out)
		output->say(output->context, true, slice_of(text));
	output->lines_left_out = 0;
	output->bytes_left_out = 0;
}

/* The counts are this second's. */
static void look_at_clock(struct output *output)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (now.tv_sec == output->second)
		return;
	say_left_out(output);
	output->second = now.tv_sec;
	output->lines = 0;
	output->bytes = 0;
	output->reads = 0;
}

static void line_ends(struct output *output, struct stream *stream)
{
	if (output->lines < UDF_LINES_MAX) {
		output->lines++;
		output->say(output->context, stream == &output->streams[1], (struct slice){stream->line, stream->size});
	} else {
		output->lines_left_out++;
	}
	stream->size = 0;
}

static void add_to_line(struct output *output, struct stream *stream, const char *bytes, size_t size)
{
	while (size) {
		size_t room = LINE_BYTES_MAX - stream->size, taken = size < room ? size : room;

		memcpy(stream->line + stream->size, bytes, taken);
		for (char *nul = stream->line + stream->size;
		     (nul = memchr(nul, '\0', (size_t)(stream->line + stream->size + taken - nul)));)
			*nul = ' '; /* it would end the text */
		stream->size += taken;
		bytes += taken;
		size -= taken;
		if (stream->size == LINE_BYTES_MAX)
			line_ends(output, stream);
	}
}

static void add_lines(struct output *output, struct stream *stream, const char *bytes, size_t size)
{
	const char *end = bytes + size, *newline;

	while ((newline = memchr(bytes, '\n', (size_t)(end - bytes)))) {
		if (!stream->cut) {
			add_to_line(output, stream, bytes, (size_t)(newline - bytes));
			line_ends(output, stream);
		}
		stream->cut = false;
		bytes = newline + 1;
	}
	if (!stream->cut)
		add_to_line(output, stream, bytes, (size_t)(end - bytes));
}

static void add_to_tail(struct output *output, const char *bytes, size_t size)
{
	if (size > TAIL_BYTES_MAX) {
		bytes += size - TAIL_BYTES_MAX;
		size = TAIL_BYTES_MAX;
	}
	pthread_mutex_lock(&output->mutex);
	for (size_t i = 0; i < size; i++)
		output->tail[output->tail_written++ % TAIL_BYTES_MAX] = bytes[i];
	pthread_mutex_unlock(&output->mutex);
}

static ssize_t read_block(struct output *output, struct stream *stream)
{
	char block[BLOCK_BYTES];
	ssize_t got = read(stream->fd, block, sizeof(block));

	if (got <= 0)
		return got;
	if (stream == &output->streams[1])
		add_to_tail(output, block, (size_t)got);
	look_at_clock(output);
	output->bytes += (uint64_t)got;
	output->reads++;
	if (output->bytes <= OUTPUT_BYTES_MAX) {
		add_lines(output, stream, block, (size_t)got);
		return got;
	}
	output->bytes_left_out += (uint64_t)got + stream->size;
	stream->size = 0;
	stream->cut = block[got - 1] != '\n';
	return got;
}

bool output_read(struct output *output, int stream)
{
	ssize_t got = read_block(output, &output->streams[stream]);

	return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

bool output_floods(const struct output *output)
{
	return output->bytes > OUTPUT_BYTES_MAX || output->reads > OUTPUT_READS_MAX;
}

void output_drain(struct output *output)
{
	for (int i = 0; i < 2; i++) {
		struct stream *stream = &output->streams[i];

		for (int reads = 0; reads < DRAIN_READS && read_block(output, stream) > 0; reads++)
			;
		if (stream->size)
			line_ends(output, stream);
	}
	say_left_out(output);
}

void output_tail(struct output *output, struct buffer *out)
{
	size_t size, from;

	pthread_mutex_lock(&output->mutex);
	size = output->tail_written < TAIL_BYTES_MAX ? output->tail_written : TAIL_BYTES_MAX;
	from = output->tail_written - size;
	for (size_t i = 0; i < size; i++)
		buffer_append_char(out, output->tail[(from + i) % TAIL_BYTES_MAX]);
	pthread_mutex_unlock(&output->mutex);
	while (out->size && out->data[out->size - 1] == '\n')
		out->data[--out->size] = '\0';
}
