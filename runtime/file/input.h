/*
 * The bytes of a file, a FIFO or standard input, unpacked where they are gzip's or zstd's. Inside runtime/file only;
 * one thread, but for the spool's forgetting.
 */
#ifndef STREAMJOB_FILE_INPUT_H
#define STREAMJOB_FILE_INPUT_H

#include <stdbool.h>

#include "runtime/file/spool.h"
#include "runtime/file/unpack.h"

#define INPUT_NOTHING (-2) /* in time */

struct input {
	const char *path;    /* "-": standard input */
	const char *watched; /* the same, for the watchdog */
	int fd;
	bool closed;        /* the input itself has ended; a terminal would wait for a second end */
	int64_t base;       /* where it begins in a file that can be sought; -1: it cannot */
	int64_t offset;     /* of the next byte that is read, unpacked */
	struct spool spool; /* fd -1: not kept */
	struct unpacker unpacker;
	char *packed; /* what was read and not unpacked: bytes [begin, end); also the first ones of what is not packed
	               */
	size_t begin, end;
	int64_t packed_end; /* one past packed[end - 1] in the file */
};

/* Path outlives the input. */
void input_init(struct input *input, const char *path);
/* rewinds: what cannot be sought is kept until it is forgotten. */
int input_open(struct input *input, bool rewinds, struct error *err);
void input_close(struct input *input);
/* How many bytes came; 0: the end; INPUT_NOTHING, or -1. */
ssize_t input_read(struct input *input, char *ret_bytes, size_t size, int timeout_ms, struct error *err);
/* The next bytes are those from `offset` on. */
int input_seek(struct input *input, int64_t offset, struct error *err);
/* Nobody will seek before `offset` any more. Any thread. */
void input_forget(struct input *input, int64_t offset);

#endif
