/*
 * The side file of a file sink: {"version": 1, "life": "…", "sequence": 7, "begin": 1234}, which window was begun last
 * and where in the file. Inside runtime/file only.
 */
#ifndef STREAMJOB_FILE_SIDE_FILE_H
#define STREAMJOB_FILE_SIDE_FILE_H

#include "runtime/port/sink.h"

#define SIDE_FILE_VERSION   1
#define SIDE_FILE_BYTES_MAX 4096

struct side_file {
	struct sink_held held;
	int64_t begin; /* bytes */
};

/* 1: read; 0: there is none; -1: unreadable, cut off, or not of this version. */
int side_file_read(const char *path, struct side_file *ret_side, struct error *err);
/* Writes and syncs it under another name, which side_file_publish then gives its own. */
int side_file_prepare(const char *path, const struct side_file *side, struct error *err);
int side_file_publish(const char *path, struct error *err);

#endif
