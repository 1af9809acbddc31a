#include "operator/cache/shares.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

static int compare(const char *key, const char *namespace)
{
	size_t size = strcspn(key, "/");
	int order = strncmp(key, namespace, size);

	return order ? order : namespace[size] ? -1 : 0;
}

/* Where the key's share stands, or would. */
static size_t position(const struct shares *shares, const char *key)
{
	size_t low = 0, high = shares->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(key, shares->items[middle].namespace) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct share *find(const struct shares *shares, const char *key)
{
	size_t at = position(shares, key);

	return at < shares->count && !compare(key, shares->items[at].namespace) ? &shares->items[at] : NULL;
}

struct share *shares_of(struct shares *shares, const char *key)
{
	struct share *share = find(shares, key);
	size_t at = position(shares, key), size = strcspn(key, "/");

	if (share)
		return share;
	if (shares->count == shares->capacity) {
		shares->capacity = shares->capacity ? shares->capacity * 2 : 16;
		shares->items = xrealloc(shares->items, shares->capacity * sizeof(*shares->items));
	}
	share = &shares->items[at];
	memmove(share + 1, share, (shares->count++ - at) * sizeof(*share));
	*share = (struct share){.namespace = xmalloc(size + 1)};
	memcpy(share->namespace, key, size);
	share->namespace[size] = '\0';
	return share;
}

struct share *shares_largest(const struct shares *shares)
{
	struct share *largest = NULL;

	for (size_t i = 0; i < shares->count; i++)
		if (shares->items[i].bytes > (largest ? largest->bytes : 0))
			largest = &shares->items[i];
	return largest;
}

static bool covers(const char *namespace, const struct share *share)
{
	return !namespace || !strcmp(namespace, share->namespace);
}

void shares_list_begins(struct shares *shares, const char *namespace)
{
	for (size_t i = 0; i < shares->count; i++)
		if (covers(namespace, &shares->items[i]))
			shares->items[i].left_now = 0;
}

/* Those that have nothing and lack nothing go. */
static void forget_empty(struct shares *shares)
{
	size_t kept = 0;

	for (size_t i = 0; i < shares->count; i++) {
		if (shares->items[i].bytes || shares->items[i].left_out)
			shares->items[kept++] = shares->items[i];
		else
			free(shares->items[i].namespace);
	}
	shares->count = kept;
}

void shares_list_ends(struct shares *shares, const char *namespace)
{
	for (size_t i = 0; i < shares->count; i++) {
		struct share *share = &shares->items[i];

		if (!covers(namespace, share))
			continue;
		share->left_out = share->left_now;
		share->said = share->said && share->left_out;
	}
	forget_empty(shares);
}

size_t shares_left_out(const struct shares *shares, const char *namespace)
{
	size_t left_out = 0;

	if (namespace) {
		const struct share *share = find(shares, namespace);

		return share ? share->left_out : 0;
	}
	for (size_t i = 0; i < shares->count; i++)
		left_out += shares->items[i].left_out;
	return left_out;
}

void shares_release(struct shares *shares)
{
	for (size_t i = 0; i < shares->count; i++)
		free(shares->items[i].namespace);
	free(shares->items);
	*shares = (struct shares){0};
}
