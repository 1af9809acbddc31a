#include "runtime/file/unpack.h"

#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/base/memory.h"

#define GZIP_WINDOW (15 + 16) /* the largest, with gzip's header */

enum packing unpack_packing(struct slice first)
{
	/* zstd's frame, or one to skip: pzstd begins with such. */
	static const struct {
		enum packing packing;
		unsigned char first_mask;
		struct slice bytes;
	} magics[] = {{PACKING_GZIP, 0xff, SLICE_LITERAL("\x1f\x8b")},
	              {PACKING_ZSTD, 0xff, SLICE_LITERAL("\x28\xb5\x2f\xfd")},
	              {PACKING_ZSTD, 0xf0, SLICE_LITERAL("\x50\x2a\x4d\x18")}};

	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]) && first.size; i++) {
		struct slice magic = magics[i].bytes;
		size_t size = first.size < magic.size ? first.size : magic.size;

		if (((unsigned char)first.data[0] & magics[i].first_mask) != (unsigned char)magic.data[0] ||
		    memcmp(first.data + 1, magic.data + 1, size - 1) != 0)
			continue;
		return size == magic.size ? magics[i].packing : PACKING_UNKNOWN;
	}
	return first.size ? PACKING_NONE : PACKING_UNKNOWN;
}

const char *packing_name(enum packing packing)
{
	return packing == PACKING_GZIP ? "gzip" : "zstd";
}

void unpacker_open(struct unpacker *unpacker, enum packing packing)
{
	*unpacker = (struct unpacker){.packing = packing};
	if (packing == PACKING_ZSTD) {
		unpacker->stream = ZSTD_createDStream();
		if (!unpacker->stream)
			memory_exhausted();
		unpacker->wanted = ZSTD_initDStream(unpacker->stream);
	} else if (packing == PACKING_GZIP) {
		unpacker->stream = xcalloc(1, sizeof(z_stream));
		if (inflateInit2((z_stream *)unpacker->stream, GZIP_WINDOW) != Z_OK)
			memory_exhausted();
	}
}

void unpacker_close(struct unpacker *unpacker)
{
	if (unpacker->packing == PACKING_ZSTD) {
		ZSTD_freeDStream(unpacker->stream);
	} else if (unpacker->packing == PACKING_GZIP) {
		inflateEnd(unpacker->stream);
		free(unpacker->stream);
	}
	*unpacker = (struct unpacker){.packing = PACKING_UNKNOWN};
}

static void advance(struct slice *packed, size_t size)
{
	packed->data += size;
	packed->size -= size;
}

static ssize_t unpack_gzip(struct unpacker *unpacker, struct slice *packed, char *ret_bytes, size_t size,
                           struct error *err)
{
	z_stream *stream = unpacker->stream;
	uInt room = size > 1 << 30 ? 1 << 30 : (uInt)size;
	int code;

	/* Between members: some writers fill a block up with zeros. */
	while (!unpacker->within && packed->size && !*packed->data)
		advance(packed, 1);
	if (!packed->size && !unpacker->within)
		return 0;
	if (!unpacker->within)
		inflateReset(stream);
	stream->next_in = (Bytef *)(uintptr_t)packed->data;
	stream->avail_in = (uInt)packed->size;
	stream->next_out = (Bytef *)ret_bytes;
	stream->avail_out = room;
	code = inflate(stream, Z_NO_FLUSH);
	advance(packed, packed->size - stream->avail_in);
	unpacker->within = code != Z_STREAM_END;
	if (stream->avail_out < room)
		return (ssize_t)(room - stream->avail_out);
	if (code == Z_OK || code == Z_BUF_ERROR || code == Z_STREAM_END)
		return 0;
	return error_set(err, "%s", stream->msg ? stream->msg : zError(code));
}

/* One block at a time: of a call that fails nothing is given, and what stood before the fault is to be had. */
static ssize_t unpack_zstd(struct unpacker *unpacker, struct slice *packed, char *ret_bytes, size_t size,
                           struct error *err)
{
	ZSTD_inBuffer in = {packed->data, packed->size < unpacker->wanted ? packed->size : unpacker->wanted, 0};
	ZSTD_outBuffer out = {ret_bytes, size, 0};
	size_t code;

	if (!packed->size && !unpacker->within)
		return 0;
	code = ZSTD_decompressStream(unpacker->stream, &out, &in);
	if (ZSTD_isError(code))
		return error_set(err, "%s", ZSTD_getErrorName(code));
	advance(packed, in.pos);
	unpacker->within = code != 0;
	unpacker->wanted = code ? code : ZSTD_initDStream(unpacker->stream);
	return (ssize_t)out.pos;
}

ssize_t unpack(struct unpacker *unpacker, struct slice *packed, char *ret_bytes, size_t size, struct error *err)
{
	return unpacker->packing == PACKING_GZIP ? unpack_gzip(unpacker, packed, ret_bytes, size, err)
	                                         : unpack_zstd(unpacker, packed, ret_bytes, size, err);
}
