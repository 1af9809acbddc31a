/* Hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/hash.h"

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
	static unsigned low[SLOTS], high[SLOTS], mixed[SLOTS];

	(void)state;
	for (uint64_t key = 0; key < KEYS; key++) {
		char text[24];
		uint64_t hash = hash_bytes(
		        text, (size_t)snprintf(text, sizeof(text), "endpoint-%06llu", (unsigned long long)key));

		low[hash % SLOTS]++;
		high[hash >> 56]++;
		mixed[hash_mix(key) % SLOTS]++;
	}
	for (size_t slot = 0; slot < SLOTS; slot++) {
		/* 256 each, a standard deviation of 16 */
		assert_in_range(low[slot], 256 - 100, 256 + 100);
		assert_in_range(high[slot], 256 - 100, 256 + 100);
		assert_in_range(mixed[slot], 256 - 100, 256 + 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(sha256_test),
	        cmocka_unit_test(bytes_test),
	        cmocka_unit_test(spread_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
