#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/buffer.h"
#include "lib/base/hash.h"
#include "operator/cache/packed.h"

/* Text that resembles nothing: 16 characters a turn. */
static void append_noise(struct buffer *out, size_t size, uint64_t seed)
{
	while (out->size < size)
		buffer_printf(out, "%016llx", (unsigned long long)hash_mix(seed += 0x9e3779b97f4a7c15u));
}

/* Packs as a store does; returns the packed size. */
static size_t pack(struct dictionary *dictionary, struct slice text, struct packed *ret_packed)
{
	packed_make(dictionary, dictionary->used, text, ret_packed);
	dictionary_learn(dictionary, text, ret_packed);
	return ret_packed->size;
}

static void assert_text(const char *name, const struct dictionary *dictionary, const struct packed *packed,
                        struct slice wanted)
{
	char *text = packed_text(dictionary, packed);

	if (packed->text_size != wanted.size || memcmp(text, wanted.data, wanted.size) != 0 || text[wanted.size])
		fail_msg("%s: another text came back", name);
	free(text);
}

struct text_case {
	const char *name;
	size_t same, noise; /* bytes that every such text begins with, and of its own */
	size_t size_max;    /* of the third that is packed */
	size_t dictionary;  /* how much of the three was learnt */
};

/* Three texts of a kind, packed one after the other: all come back, also when the dictionary has grown since. */
static void texts_test(void **state)
{
	static const struct text_case cases[] = {
	        {"tiny", 1, 0, 8, 0},
	        {"alike", 3000, 48, 100, 3048},
	        {"nothing in common", 0, 3200, 2200, 9600},
	        {"as large as is learnt", 8192, 0, 200, 8192},
	        {"larger than what is learnt", 9008, 0, 5500, 0},
	        {"far larger than the dictionary", 400000, 0, 250000, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dictionary dictionary = {0};
		struct buffer texts[3];
		struct packed packed[3];

		for (size_t t = 0; t < 3; t++) {
			buffer_init(&texts[t]);
			append_noise(&texts[t], cases[i].same, 1);
			texts[t].size = cases[i].same < texts[t].size ? cases[i].same : texts[t].size;
			append_noise(&texts[t], cases[i].same + cases[i].noise, 100 + t);
			pack(&dictionary, buffer_slice(&texts[t]), &packed[t]);
		}
		if (packed[2].size > cases[i].size_max)
			fail_msg("%s: packed in %u bytes, not %zu", cases[i].name, packed[2].size, cases[i].size_max);
		if (dictionary.used != cases[i].dictionary)
			fail_msg("%s: %zu bytes learnt, not %zu", cases[i].name, dictionary.used, cases[i].dictionary);
		for (size_t t = 0; t < 3; t++) {
			assert_text(cases[i].name, &dictionary, &packed[t], buffer_slice(&texts[t]));
			free(packed[t].data);
			buffer_release(&texts[t]);
		}
		dictionary_release(&dictionary);
	}
}

/* What was learnt stays within its bound, whatever comes. */
static void bound_test(void **state)
{
	struct dictionary dictionary = {0};

	(void)state;
	for (uint64_t i = 0; i < 50; i++) {
		struct packed packed;
		struct buffer text;

		buffer_init(&text);
		append_noise(&text, 1600, i << 32);
		pack(&dictionary, buffer_slice(&text), &packed);
		assert_text("noise", &dictionary, &packed, buffer_slice(&text));
		free(packed.data);
		buffer_release(&text);
	}
	assert_int_equal(dictionary.used, DICTIONARY_BYTES_MAX / 1600 * 1600);
	dictionary_release(&dictionary);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(texts_test), cmocka_unit_test(bound_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
