/*
 * Saved states: little-endian words, read back with their bounds checked. Inside runtime/aggregate only.
 */
#ifndef STREAMJOB_STATE_BYTES_H
#define STREAMJOB_STATE_BYTES_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"

static inline void save_word(struct buffer *out, uint64_t word)
{
	char bytes[8];

	for (size_t i = 0; i < 8; i++)
		bytes[i] = (char)(word >> (8 * i));
	buffer_append(out, bytes, sizeof(bytes));
}

static inline int load_word(struct slice *in, uint64_t *ret_word, struct error *err)
{
	uint64_t word = 0;

	if (in->size < 8)
		return error_set(err, "a saved aggregate ends too early");
	for (size_t i = 0; i < 8; i++)
		word |= (uint64_t)(unsigned char)in->data[i] << (8 * i);
	in->data += 8;
	in->size -= 8;
	*ret_word = word;
	return 0;
}

static inline void save_double(struct buffer *out, double value)
{
	uint64_t word;

	memcpy(&word, &value, sizeof(word));
	save_word(out, word);
}

static inline int load_double(struct slice *in, double *ret_value, struct error *err)
{
	uint64_t word;

	if (load_word(in, &word, err) < 0)
		return -1;
	memcpy(ret_value, &word, sizeof(word));
	return 0;
}

static inline int load_bytes(struct slice *in, size_t size, struct slice *ret_bytes, struct error *err)
{
	if (in->size < size)
		return error_set(err, "a saved aggregate ends too early");
	*ret_bytes = (struct slice){in->data, size};
	in->data += size;
	in->size -= size;
	return 0;
}

/* 0 or 1; anything else is not ours. */
static inline int load_flag(struct slice *in, bool *ret_flag, struct error *err)
{
	uint64_t word;

	if (load_word(in, &word, err) < 0)
		return -1;
	if (word > 1)
		return error_set(err, "a saved aggregate has %llu where 0 or 1 belongs", (unsigned long long)word);
	*ret_flag = word != 0;
	return 0;
}

#endif
