/*
 * Hashes.
 *
 * hash_bytes and hash_word are for tables in memory: keyed by a secret that the process draws when it starts, so that
 * nobody who chooses the data can choose which of it collides. Their values differ from process to process: nothing
 * that leaves the process, and no choice that a replay has to repeat, may depend on them. hash_stable is for those.
 */
#ifndef STREAMJOB_HASH_H
#define STREAMJOB_HASH_H

#include <stdint.h>

#include "lib/base/slice.h"

struct hash_key {
	uint64_t words[2];
};

/* Once, before any thread and any table. lib/process/hash_key.h draws one; tests set one that is always the same. */
void hash_key_set(struct hash_key key);

/* SipHash-1-3 under the process's key; abort() without one. */
uint64_t hash_bytes(const void *data, size_t size);
/* The same of the word's eight bytes, little-endian. */
uint64_t hash_word(uint64_t word);
/* SipHash-1-3 under a key that is zero: the same in every process, on every machine and in every version. */
uint64_t hash_stable(const void *data, size_t size);

/* A full-avalanche mix of one word; anyone can invert it: for no table whose keys are data. */
static inline uint64_t hash_mix(uint64_t x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	x ^= x >> 32;
	return x;
}

/* The next word of a sequence that looks random: for jitter, never for a secret. */
static inline uint64_t hash_next(uint64_t *state)
{
	return *state = hash_mix(*state + 0x9e3779b97f4a7c15u);
}

/*
 * All slots of a table of `capacity` (a power of two), each once, in an order that is not that of the hashes: who goes
 * through one table from slot 0 on and adds to another one fills that one up from one end, and each probe gets long.
 */
static inline size_t hash_scatter(size_t i, size_t capacity)
{
	return (i * 0x9e3779b97f4a7c15u) & (capacity - 1);
}

#define HASH_SHA256_HEX (64 + 1)
/* SHA-256 as lower-case hexadecimal, NUL-terminated (OpenSSL). */
void hash_sha256_hex(struct slice bytes, char ret_hex[HASH_SHA256_HEX]);

#endif
