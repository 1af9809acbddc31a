#include "operator/cache/packed.h"

#include <stdlib.h>

#include <zlib.h>

#include "lib/base/memory.h"

#define WINDOW_BITS  (-14) /* raw deflate, as far back as the dictionary reaches */
#define MEMORY_LEVEL 5     /* 80 KB while a text is packed */
/* A text that takes more than this share of its size, and what UIDs, times and versions take, resembles nothing that
 * was seen before. */
#define OWN_SHARE 8
#define OWN_BYTES 96
/* No one text takes more of the dictionary. */
#define LEARN_BYTES_MAX (DICTIONARY_BYTES_MAX / 2)

static void use(const struct dictionary *dictionary, size_t used, z_stream *stream,
                int (*set)(z_stream *stream, const Bytef *dictionary, uInt size))
{
	if (used && set(stream, (const Bytef *)dictionary->text, (uInt)used) != Z_OK)
		abort(); /* neither the stream nor the dictionary is of anybody else */
}

void packed_make(const struct dictionary *dictionary, size_t dictionary_used, struct slice text,
                 struct packed *ret_packed)
{
	z_stream stream = {.avail_in = (uInt)text.size};
	size_t bound;
	char *data;

	if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		memory_exhausted();
	use(dictionary, dictionary_used, &stream, deflateSetDictionary);
	bound = deflateBound(&stream, text.size);
	data = xmalloc(bound);
	memcpy(&stream.next_in, &text.data, sizeof(stream.next_in)); /* zlib only reads it */
	stream.next_out = (Bytef *)data;
	stream.avail_out = (uInt)bound;
	if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
		abort(); /* the bound is zlib's own */
	deflateEnd(&stream);
	*ret_packed = (struct packed){.data = xrealloc(data, stream.total_out),
	                              .size = (uint32_t)stream.total_out,
	                              .text_size = (uint32_t)text.size,
	                              .dictionary_used = (uint32_t)dictionary_used};
}

char *packed_text(const struct dictionary *dictionary, const struct packed *packed)
{
	z_stream stream = {.next_in = (Bytef *)packed->data, .avail_in = packed->size};
	char *text = xmalloc((size_t)packed->text_size + 1);

	if (inflateInit2(&stream, WINDOW_BITS) != Z_OK)
		memory_exhausted();
	use(dictionary, packed->dictionary_used, &stream, inflateSetDictionary);
	stream.next_out = (Bytef *)text;
	stream.avail_out = packed->text_size;
	if (inflate(&stream, Z_FINISH) != Z_STREAM_END || stream.total_out != packed->text_size)
		abort(); /* packed_make made it */
	inflateEnd(&stream);
	text[packed->text_size] = '\0';
	return text;
}

void dictionary_learn(struct dictionary *dictionary, struct slice text, const struct packed *packed)
{
	if (packed->size > OWN_BYTES + packed->text_size / OWN_SHARE && text.size <= LEARN_BYTES_MAX &&
	    text.size <= DICTIONARY_BYTES_MAX - dictionary->used) {
		if (!dictionary->text)
			dictionary->text = xmalloc(DICTIONARY_BYTES_MAX);
		memcpy(dictionary->text + dictionary->used, text.data, text.size);
		dictionary->used += text.size;
	}
}

void dictionary_release(struct dictionary *dictionary)
{
	free(dictionary->text);
	*dictionary = (struct dictionary){0};
}
