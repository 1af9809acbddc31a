/*
 * hash_bytes: 16 bytes at a time folded by a 64x64 -> 128 bit multiplication, in the manner of wyhash
 * (Wang Yi, https://github.com/wangyi-fudan/wyhash); short keys take two overlapping loads and one multiplication.
 */
#include "lib/base/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>

#define SECRET_0 0x9e3779b97f4a7c15u
#define SECRET_1 0xc2b2ae3d27d4eb4fu

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

static inline uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t hash_bytes(const void *data, size_t size)
{
	const char *p = data;
	uint64_t seed = SECRET_0 ^ size, a = 0, b = 0;
	size_t left = size;

	for (; left > 16; p += 16, left -= 16)
		seed = fold(load64(p) ^ SECRET_1, load64(p + 8) ^ seed);
	if (left >= 8) {
		a = load64(p);
		b = load64(p + left - 8);
	} else if (left >= 4) {
		a = load32(p);
		b = load32(p + left - 4);
	} else if (left > 0) {
		a = (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[left / 2] << 8 |
		    (unsigned char)p[left - 1];
	}
	return fold(SECRET_1 ^ fold(a ^ SECRET_1, b ^ seed), SECRET_0 ^ size);
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
