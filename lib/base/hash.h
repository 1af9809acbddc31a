/*
 * Hashes. hash_bytes is for tables in memory only: its values may differ between versions and are never stored.
 */
#ifndef STREAMJOB_HASH_H
#define STREAMJOB_HASH_H

#include <stdint.h>

#include "lib/base/slice.h"

uint64_t hash_bytes(const void *data, size_t size);

/* A full-avalanche mix of one word. */
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
