/* Hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/lib/base/collisions.h"

static void sha256_test(void **state)
{
	static const struct {
		const char *text, *hex; /* of FIPS 180-2's examples */
	} cases[] = {
	        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		char hex[HASH_SHA256_HEX];

		hash_sha256_hex(slice_of(cases[c].text), hex);
		if (strcmp(hex, cases[c].hex) != 0)
			fail_msg("\"%s\": %s", cases[c].text, hex);
	}
}

/* Each length: the same bytes give the same hash wherever they lie, every byte and the length itself matter. */
static void bytes_test(void **state)
{
	(void)state;
	for (size_t size = 0; size < 100; size++) {
		char *exact = malloc(size ? size : 1), *moved = malloc(size + 1); /* the sanitizer sees the edges */
		uint64_t hash;

		for (size_t i = 0; i < size; i++)
			moved[i + 1] = exact[i] = (char)(i * 7 + 1);
		hash = hash_bytes(exact, size);
		assert_true(hash == hash_bytes(moved + 1, size));
		for (size_t i = 0; i < size; i++) {
			exact[i] ^= 1;
			if (hash_bytes(exact, size) == hash)
				fail_msg("byte %zu of %zu does not matter", i, size);
			exact[i] ^= 1;
			if (hash_bytes(exact, i) == hash)
				fail_msg("the lengths %zu and %zu have one hash", i, size);
		}
		free(exact);
		free(moved);
	}
}

/* Keys that differ little fall into all of a table's slots about evenly, by the low bits and by the high ones. */
static void spread_test(void **state)
{
	enum { KEYS = 1 << 16, SLOTS = 1 << 8 };
	static unsigned low[SLOTS], high[SLOTS], words[SLOTS];

	(void)state;
	for (uint64_t key = 0; key < KEYS; key++) {
		char text[24];
		uint64_t hash = hash_bytes(
		        text, (size_t)snprintf(text, sizeof(text), "endpoint-%06llu", (unsigned long long)key));

		low[hash % SLOTS]++;
		high[hash >> 56]++;
		words[hash_word(key) % SLOTS]++;
	}
	for (size_t slot = 0; slot < SLOTS; slot++) {
		/* 256 each, a standard deviation of 16 */
		assert_in_range(low[slot], 256 - 100, 256 + 100);
		assert_in_range(high[slot], 256 - 100, 256 + 100);
		assert_in_range(words[slot], 256 - 100, 256 + 100);
	}
}

/* SipHash-1-3 of the bytes 0, 1, 2, … under its authors' key, as their reference gives it; under zero, as CPython's. */
static void vectors_test(void **state)
{
	static const uint64_t expected[] = {0xabac0158050fc4dcu, 0xc9f49bf37d57ca93u, 0x82cb9b024dc7d44du,
	                                    0x8bf80ab8e7ddf7fbu};
	static const struct {
		const char *text;
		int64_t hash; /* PYTHONHASHSEED=0 python3 -c 'print(hash(b"…"))' */
	} stable[] = {
	        {"a", 4644417185603328019},           {"ab", 6148830537548944441},
	        {"abc", -4594863902769663758},        {"abcdefg", 7904145750247929094},
	        {"abcdefgh", 4574395652268504554},    {"abcdefghi", -532774252720507163},
	        {"abcdefghijk", 1450545860578130900},
	};
	char bytes[4] = {0, 1, 2, 3};
	uint64_t word = 0x0807060504030201u;

	(void)state;
	hash_key_set((struct hash_key){{0x0706050403020100u, 0x0f0e0d0c0b0a0908u}});
	for (size_t size = 0; size < 4; size++)
		assert_true(hash_bytes(bytes, size) == expected[size]);
	assert_true(hash_word(word) == hash_bytes(&word, sizeof(word)));
	for (size_t i = 0; i < sizeof(stable) / sizeof(stable[0]); i++)
		if (hash_stable(stable[i].text, strlen(stable[i].text)) != (uint64_t)stable[i].hash)
			fail_msg("\"%s\"", stable[i].text);
}

/* What a sender of rows may choose: the i-th key of a family, at most 64 bytes. */
typedef struct slice family(size_t i, char *memory);

#define KEYS 80000
static char *texts; /* KEYS of them, with one hash where there is no secret */

static struct slice colliding(size_t i, char *memory)
{
	(void)memory;
	return (struct slice){texts + i * (COLLISION_BYTES + 1), COLLISION_BYTES};
}

static struct slice word_at(char *memory, uint64_t word)
{
	memcpy(memory, &word, sizeof(word));
	return (struct slice){memory, sizeof(word)};
}

static struct slice mixed(size_t i, char *memory)
{
	return word_at(memory, colliding_word((uint32_t)i));
}

static struct slice high_bits(size_t i, char *memory)
{
	return word_at(memory, (uint64_t)i << 47);
}

/* Two words that cancel each other in a hash that only adds or xors them. */
static struct slice twins(size_t i, char *memory)
{
	word_at(memory, i);
	word_at(memory + 8, i);
	return (struct slice){memory, 16};
}

/* A word that makes a factor of a fold zero, at each place where a fold may have it. */
static struct slice zero_factors(size_t i, char *memory)
{
	static const uint64_t secrets[] = {0xc2b2ae3d27d4eb4fu,
	                                   0x9e3779b97f4a7c15u,
	                                   0xa0761d6478bd642fu,
	                                   0xe7037ed1a0b428dbu,
	                                   0x8ebc6af09c88c6e3u,
	                                   0x589965cc75374cc3u,
	                                   0,
	                                   UINT64_MAX};

	for (size_t at = 0; at < 40; at += 8)
		word_at(memory + at, secrets[i % 8]);
	word_at(memory + i / 8 % 5 * 8, i);
	return (struct slice){memory, 40};
}

struct spread {
	size_t equal, longest; /* hashes that another key has too; probes of a key, in a table that is 61 % full */
};

static struct spread spread_of(family *keys, unsigned from_bit)
{
	enum { SLOTS = 1 << 17 };
	uint64_t *slots = calloc(SLOTS, sizeof(uint64_t));
	struct spread spread = {0};
	char memory[64];

	for (size_t k = 0; k < KEYS; k++) {
		struct slice key = keys(k, memory);
		uint64_t hash = hash_bytes(key.data, key.size);
		size_t at = hash >> from_bit & (SLOTS - 1), probes = 1;

		for (; slots[at] && slots[at] != hash; probes++)
			at = (at + 1) & (SLOTS - 1);
		spread.equal += slots[at] == hash;
		slots[at] = hash;
		spread.longest = probes > spread.longest ? probes : spread.longest;
	}
	free(slots);
	return spread;
}

/* The attack is one: without a secret all texts and all words meet in one slot. */
static void attack_test(void **state)
{
	uint64_t one = unkeyed_hash(texts, COLLISION_BYTES);

	(void)state;
	for (size_t i = 0; i < KEYS; i++) {
		assert_true(unkeyed_hash(texts + i * (COLLISION_BYTES + 1), COLLISION_BYTES) == one);
		assert_int_equal((uint32_t)hash_mix(colliding_word((uint32_t)i)), 0);
	}
}

/*
 * Under a key that the sender does not know no family has two equal hashes, and none has longer probes than chance
 * gives: in the tables of 200 keys the longest were 99.
 */
#define PROBES_MAX 200

static void keyed_test(void **state)
{
	static const struct {
		const char *name;
		family *keys;
	} families[] = {{"colliding texts", colliding},
	                {"inverted words", mixed},
	                {"high bits", high_bits},
	                {"twins", twins},
	                {"zero factors", zero_factors}};
	uint64_t random = 1;

	(void)state;
	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
		for (int k = 0; k < 6; k++) {
			struct spread low, high;

			hash_key_set((struct hash_key){{hash_next(&random), hash_next(&random)}});
			low = spread_of(families[f].keys, 0);
			high = spread_of(families[f].keys, 47);
			if (low.equal || high.equal || low.longest > PROBES_MAX || high.longest > PROBES_MAX)
				fail_msg("%s, key %d: %zu equal, %zu probes by the low bits and %zu by the high ones",
				         families[f].name, k, low.equal, low.longest, high.longest);
		}
	}
}

/* Texts that were seen to share a slot in one process are spread in another. */
static void other_process_test(void **state)
{
	enum { SLOTS = 1 << 8 };
	size_t found = 0, shared[SLOTS] = {0};

	(void)state;
	for (size_t i = 0; i < KEYS; i++) {
		struct slice key = colliding(i, NULL);

		hash_key_set((struct hash_key){{1, 2}});
		if (hash_bytes(key.data, key.size) % SLOTS)
			continue;
		found++;
		hash_key_set((struct hash_key){{1, 3}});
		shared[hash_bytes(key.data, key.size) % SLOTS]++;
	}
	assert_true(found > KEYS / SLOTS / 2);
	for (size_t slot = 0; slot < SLOTS; slot++)
		assert_in_range(shared[slot], 0, 12);
}

static int make_texts(void **state)
{
	(void)state;
	texts = colliding_texts(KEYS);
	return 0;
}

static int free_texts(void **state)
{
	(void)state;
	free(texts);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(sha256_test),        cmocka_unit_test(bytes_test),  cmocka_unit_test(spread_test),
	        cmocka_unit_test(vectors_test),       cmocka_unit_test(attack_test), cmocka_unit_test(keyed_test),
	        cmocka_unit_test(other_process_test),
	};

	return cmocka_run_group_tests(tests, make_texts, free_texts);
}
