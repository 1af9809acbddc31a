/*
 * SipHash (Aumasson, Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012), with one round a word and three at
 * the end, as Rust's, Ruby's and CPython's tables have it. A hash that folds by multiplication is faster, but a factor
 * that the data can make zero gives all keys one hash, whatever the seed (docs/decisions/keyed-hash.md).
 */
#include "lib/base/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static struct state keyed; /* the state that a hash begins with; all zero: no key yet */

static struct state begin(struct hash_key key)
{
	return (struct state){key.words[0] ^ 0x736f6d6570736575u, key.words[1] ^ 0x646f72616e646f6du,
	                      key.words[0] ^ 0x6c7967656e657261u, key.words[1] ^ 0x7465646279746573u};
}

void hash_key_set(struct hash_key key)
{
	keyed = begin(key);
}

static inline uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct state *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static inline void add_word(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

static inline uint64_t end(struct state *s)
{
	s->v2 ^= 0xff;
	sip_round(s);
	sip_round(s);
	sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline uint64_t load64(const char *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

static inline uint64_t load32(const char *p)
{
	uint32_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

static inline uint64_t byte_at(const char *p, size_t i)
{
	return (uint64_t)(unsigned char)p[i] << (8 * i);
}

/* The last size % 8 bytes, by loads that overlap what was read before or each other, under the size's low byte. */
static inline uint64_t last_word(const char *p, size_t left, size_t size)
{
	uint64_t word = (uint64_t)size << 56;

	if (!left)
		return word;
	if (size >= 8)
		return word | load64(p + left - 8) >> (64 - 8 * left);
	if (left >= 4)
		return word | load32(p) | load32(p + left - 4) << (8 * (left - 4));
	return word | byte_at(p, 0) | byte_at(p, left / 2) | byte_at(p, left - 1);
}

static inline uint64_t hash_from(struct state s, const char *p, size_t size)
{
	size_t left = size;

	for (; left >= 8; p += 8, left -= 8)
		add_word(&s, load64(p));
	add_word(&s, last_word(p, left, size));
	return end(&s);
}

static inline struct state keyed_state(void)
{
	if (!(keyed.v0 | keyed.v1))
		abort();
	return keyed;
}

uint64_t hash_bytes(const void *data, size_t size)
{
	return hash_from(keyed_state(), data, size);
}

uint64_t hash_word(uint64_t word)
{
	struct state s = keyed_state();

	add_word(&s, word);
	add_word(&s, (uint64_t)sizeof(word) << 56);
	return end(&s);
}

uint64_t hash_stable(const void *data, size_t size)
{
	return hash_from(begin((struct hash_key){{0, 0}}), data, size);
}

void hash_sha256_hex(struct slice bytes, char ret_hex[HASH_SHA256_HEX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int size = 0;

	if (!EVP_Digest(bytes.data, bytes.size, sum, &size, EVP_sha256(), NULL) || size != 32)
		abort();
	for (size_t i = 0; i < 32; i++) {
		ret_hex[2 * i] = digits[sum[i] >> 4];
		ret_hex[2 * i + 1] = digits[sum[i] & 15];
	}
	ret_hex[64] = '\0';
}
