/*
 * gzip and zstd streams, told by their first bytes; members and frames may follow one another. Inside runtime/file
 * only; one thread. Memory is bounded: 32 KiB of window for gzip, up to 128 MiB for zstd, as its frames ask for.
 */
#ifndef STREAMJOB_FILE_UNPACK_H
#define STREAMJOB_FILE_UNPACK_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/base/slice.h"

enum packing { PACKING_UNKNOWN, PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

struct unpacker {
	enum packing packing;
	bool within;   /* a member or frame, which is not at its end */
	size_t wanted; /* zstd's: the bytes of the next block */
	void *stream;
};

/* By the first bytes; PACKING_UNKNOWN where more are needed to tell. */
enum packing unpack_packing(struct slice first);
const char *packing_name(enum packing packing);

void unpacker_open(struct unpacker *unpacker, enum packing packing);
void unpacker_close(struct unpacker *unpacker);

/*
 * Takes bytes off the front of `packed` and gives what they hold: how many bytes. 0 when nothing
 * of `packed` was taken: more bytes are needed. -1: they are
 * no such stream, and `packed` begins where that was seen.
 */
ssize_t unpack(struct unpacker *unpacker, struct slice *packed, char *ret_bytes, size_t size, struct error *err);

#endif
