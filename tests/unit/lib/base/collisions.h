/*
 * Keys that collide in tables whose hash has no secret: what a sender of rows can choose who has read the source of the
 * hash. A table must take them like any others.
 */
#ifndef STREAMJOB_TEST_COLLISIONS_H
#define STREAMJOB_TEST_COLLISIONS_H

#include "lib/base/hash.h"

#define COLLISION_BYTES 33

/* wyhash's fold with public constants, the attacked function. */
uint64_t unkeyed_hash(const void *data, size_t size);
/*
 * `count` (at most 100,000,000) different texts of COLLISION_BYTES printable ASCII characters, none a quote or a
 * backslash, whose unkeyed_hash is one; they lie one behind another, each with a NUL. The caller frees them (free()).
 */
char *colliding_texts(size_t count);
/* The i-th of 2^32 words whose hash_mix has only zeros in its low 32 bits. */
uint64_t colliding_word(uint32_t i);

#endif
