#include "lib/process/hash_key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "lib/base/hash.h"

void hash_key_draw(void)
{
	struct hash_key key;
	ssize_t got;

	do {
		got = getrandom(&key, sizeof(key), 0); /* so few bytes come whole or not at all */
	} while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof(key)) {
		perror("getrandom gives no key for the hash tables");
		abort();
	}
	hash_key_set(key);
}
