/*
 * The generator's values: inside runtime/file only. Deterministic; one owner.
 */
#ifndef STREAMJOB_GENERATE_H
#define STREAMJOB_GENERATE_H

#include "lib/base/buffer.h"
#include "lib/spec/field/jobspec.h"

struct generator_tree; /* the shape of a record: objects, arrays and columns at their paths */

struct random { /* xoshiro256** (Blackman, Vigna, "Scrambled linear pseudorandom number generators", 2021) */
	uint64_t state[4];
};

void random_seed(struct random *random, uint64_t seed); /* by splitmix64 */

struct generator_tree *generator_tree_new(const struct jobspec *job);
void generator_tree_free(struct generator_tree *tree);
/* Appends record number `row` (from 0) as JSON. */
void generator_tree_render(struct generator_tree *tree, struct random *random, int64_t row, int64_t now_ms,
                           struct buffer *out);

#endif
