/*
 * Files, standard input and output, and the generator: the sources and sinks that need no server.
 *
 * Sources here cannot be resumed: each run reads from the beginning. Specs and paths outlive the objects.
 */
#ifndef STREAMJOB_FILE_H
#define STREAMJOB_FILE_H

#include "lib/spec/field/jobspec.h"
#include "runtime/port/port.h"

/*
 * Records of a file, a FIFO or, by "-", standard input: its lines, or where it begins with '[' the elements of its
 * array. A record's offset is the byte where it begins. One of more than `record_bytes` is given as bad, with its
 * beginning.
 */
struct source *file_source_new(const char *path, int64_t record_bytes);
/* Generated records, as JSON text; the same seed makes the same records (but for `now`). */
struct source *datagen_source_new(const struct jobspec *job, const struct clock *clock);

/*
 * JSON lines. PATH.streamjob beside it says where the newest window begins, so that a window that is written again
 * replaces itself. For a source that cannot be resumed the file is written anew.
 */
struct sink *file_sink_new(const char *path);
/* run --output: JSON lines, written anew, "-" for standard output. */
struct sink *output_sink_new(const char *path);
struct sink *stdout_sink_new(enum row_format format);

/* JSON lines, appended. */
struct dead_letter *file_dead_letter_new(const char *path);

/* A result as an aligned table for people. */
void table_render(const struct window_result *result, struct buffer *out);

#endif
