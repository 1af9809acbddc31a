#include "tests/unit/lib/base/collisions.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"

#define SECRET_0 0x9e3779b97f4a7c15u
#define SECRET_1 0xc2b2ae3d27d4eb4fu
#define MIX      0xd6e8feb86659fd93u

static uint64_t load64(const char *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of texts longer than 16 bytes, which is what the attack needs. */
uint64_t unkeyed_hash(const void *data, size_t size)
{
	const char *p = data;
	uint64_t seed = SECRET_0 ^ size, last = 0;
	size_t left = size;

	for (; left > 16; p += 16, left -= 16)
		seed = fold(load64(p) ^ SECRET_1, load64(p + 8) ^ seed);
	memcpy(&last, p, left < 8 ? left : 8);
	return fold(SECRET_1 ^ fold(last ^ SECRET_1, seed), SECRET_0 ^ size);
}

static bool is_text(uint64_t word)
{
	for (int shift = 0; shift < 64; shift += 8) {
		unsigned char c = (unsigned char)(word >> shift);

		if (c < ' ' || c > '~' || c == '"' || c == '\\')
			return false;
	}
	return true;
}

/*
 * The seed after the first sixteen bytes is known to whoever chose them. Where it is text itself it is also the last
 * eight bytes of the next block: they cancel out, the product is zero, and the eight bytes before them do not matter.
 */
char *colliding_texts(size_t count)
{
	char first[17], *texts = xmalloc(count * (COLLISION_BYTES + 1));
	uint64_t seed = 0;

	for (unsigned long long i = 0; !is_text(seed); i++) {
		snprintf(first, sizeof(first), "%016llu", i);
		seed = fold(load64(first) ^ SECRET_1, load64(first + 8) ^ SECRET_0 ^ COLLISION_BYTES);
	}
	for (size_t i = 0; i < count; i++) {
		char *text = texts + i * (COLLISION_BYTES + 1);

		snprintf(text, COLLISION_BYTES + 1, "%s%08u", first, (unsigned)i % 100000000);
		memcpy(text + 24, &seed, sizeof(seed));
		memcpy(text + 32, "x", 2);
	}
	return texts;
}

uint64_t colliding_word(uint32_t i)
{
	uint64_t inverse = MIX, x = (uint64_t)i << 32;

	for (int bits = 3; bits < 64; bits *= 2) /* Newton: each step doubles the bits that are right */
		inverse *= 2 - MIX * inverse;
	x ^= x >> 32;
	x *= inverse;
	x ^= x >> 32;
	x *= inverse;
	return x ^ x >> 32;
}
