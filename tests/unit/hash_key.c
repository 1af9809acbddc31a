/* Every unit test and bench has its hash tables keyed, by the same key in each run. Linked into each, not from an
 * archive. */
#include "lib/base/hash.h"

__attribute__((constructor)) static void set_key(void)
{
	hash_key_set((struct hash_key){{0x0706050403020100u, 0x0f0e0d0c0b0a0908u}});
}
