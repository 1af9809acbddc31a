/*
 * What a function writes: the two pipes of its process, read in blocks, as lines. Within a second at most UDF_LINES_MAX
 * lines and OUTPUT_BYTES_MAX bytes become lines; what is beyond is read and thrown away, and how much that was is said,
 * so that a function which floods costs the runtime little and is never stopped by a full pipe. The last bytes of
 * stderr are kept in any case.
 *
 * Threads: the keeper's alone, but for output_tail.
 */
#ifndef STREAMJOB_UDF_OUTPUT_H
#define STREAMJOB_UDF_OUTPUT_H

#include <pthread.h>
#include <stdbool.h>

#include "lib/base/buffer.h"

#define OUTPUT_BYTES_MAX (1u << 20) /* a second */
#define OUTPUT_READS_MAX 200        /* a second; then the keeper lets a pipe fill for a moment before it reads on */
#define TAIL_BYTES_MAX   2048       /* of stderr, kept for the words of a failure */
#define LINE_BYTES_MAX   4096

struct stream { /* one of the two */
	int fd;
	bool cut; /* the rest of this line is thrown away */
	char line[LINE_BYTES_MAX];
	size_t size;
};

struct output {
	struct stream streams[2]; /* stdout, stderr */
	void (*say)(void *context, bool is_stderr, struct slice line);
	void *context;
	int64_t second; /* that the counts are of */
	uint64_t bytes, bytes_left_out, reads;
	unsigned lines, lines_left_out;
	pthread_mutex_t mutex;     /* of what is below */
	char tail[TAIL_BYTES_MAX]; /* a ring */
	size_t tail_written;
};

/* Both descriptors are O_NONBLOCK and the output's from here on; -1: none. */
void output_init(struct output *output, void (*say)(void *context, bool is_stderr, struct slice line), void *context);
void output_release(struct output *output);

/* Once what is there now, at most one block. False: the other end is closed. */
bool output_read(struct output *output, int stream);
/* Is there more in this second than is worth being woken for each time? */
bool output_floods(const struct output *output);
/* After the process has ended: all that is left. */
void output_drain(struct output *output);
/* The last bytes of stderr, appended; without the last line's end. */
void output_tail(struct output *output, struct buffer *out);

#endif
