#include "operator/cache/table.h"

#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/memory.h"

#define BUCKETS_MIN 64

static uint32_t hash_text(const char *text)
{
	return (uint32_t)hash_bytes(text, strlen(text));
}

/* Appends the text and its NUL to the entry's; returns where it stands. */
static uint32_t add_text(struct entry *entry, size_t *used, const char *text)
{
	size_t at = *used, size = strlen(text) + 1;

	memcpy(entry->bytes + at, text, size);
	*used += size;
	return (uint32_t)at;
}

struct entry *entry_new(const char *key, const char *owner, const char *uid, const char *version,
                        const struct packed *packed)
{
	size_t size = strlen(key) + strlen(owner) + strlen(uid) + strlen(version) + 4, used = 0;
	struct entry *entry = xcalloc(1, sizeof(*entry) + size + packed->size);

	entry->holders = 1;
	entry->key_hash = hash_text(key);
	entry->owner_hash = hash_text(owner);
	add_text(entry, &used, key);
	entry->owner = add_text(entry, &used, owner);
	entry->uid = add_text(entry, &used, uid);
	entry->version = add_text(entry, &used, version);
	entry->packed = *packed;
	entry->packed.data = entry->bytes + used;
	memcpy(entry->packed.data, packed->data, packed->size);
	return entry;
}

struct entry *entry_hold(struct entry *entry)
{
	if (entry)
		atomic_fetch_add(&entry->holders, 1);
	return entry;
}

void entry_release(struct entry *entry)
{
	if (entry && atomic_fetch_sub(&entry->holders, 1) == 1)
		free(entry);
}

size_t entry_bytes(const struct entry *entry)
{
	return sizeof(*entry) + (size_t)(entry->packed.data - entry->bytes) + entry->packed.size;
}

bool entry_is_in(const struct entry *entry, const char *namespace)
{
	size_t size = namespace ? strlen(namespace) : 0;

	return !namespace || (strncmp(entry->bytes, namespace, size) == 0 && entry->bytes[size] == '/');
}

static void make_buckets(struct table *table, size_t buckets)
{
	table->buckets = buckets;
	table->keys = xcalloc(buckets, sizeof(struct entry *));
	table->owners = xcalloc(buckets, sizeof(struct entry *));
}

void table_init(struct table *table)
{
	*table = (struct table){0};
	make_buckets(table, BUCKETS_MIN);
}

void table_release(struct table *table)
{
	for (size_t i = 0; i < table->buckets; i++) {
		while (table->keys[i]) {
			struct entry *entry = table->keys[i];

			table->keys[i] = entry->next_key;
			entry_release(entry);
		}
	}
	free(table->keys);
	free(table->owners);
}

struct entry **table_find(const struct table *table, const char *key)
{
	uint32_t hash = hash_text(key);
	struct entry **place = &table->keys[hash & (table->buckets - 1)];

	while (*place && ((*place)->key_hash != hash || strcmp((*place)->bytes, key) != 0))
		place = &(*place)->next_key;
	return place;
}

struct entry *table_owned(const struct table *table, const char *owner, const struct entry *entry)
{
	uint32_t hash = hash_text(owner);
	struct entry *next = entry ? entry->next_owner : table->owners[hash & (table->buckets - 1)];

	while (next && (next->owner_hash != hash || strcmp(entry_text(next, next->owner), owner) != 0))
		next = next->next_owner;
	return next;
}

static void link_entry(struct table *table, struct entry *entry)
{
	struct entry **key = &table->keys[entry->key_hash & (table->buckets - 1)];
	struct entry **owner = &table->owners[entry->owner_hash & (table->buckets - 1)];

	entry->next_key = *key;
	*key = entry;
	entry->next_owner = *owner;
	*owner = entry;
}

static void grow(struct table *table)
{
	struct entry **old = table->keys;
	size_t old_buckets = table->buckets;

	free(table->owners);
	make_buckets(table, old_buckets * 2);
	for (size_t i = 0; i < old_buckets; i++) {
		while (old[i]) {
			struct entry *entry = old[i];

			old[i] = entry->next_key;
			link_entry(table, entry);
		}
	}
	free(old);
}

void table_add(struct table *table, struct entry *entry)
{
	if (table->count == table->buckets)
		grow(table);
	link_entry(table, entry);
	table->count++;
	table->bytes += entry_bytes(entry);
}

struct entry *table_take(struct table *table, struct entry **place)
{
	struct entry *entry = *place;
	struct entry **owner = &table->owners[entry->owner_hash & (table->buckets - 1)];

	while (*owner != entry)
		owner = &(*owner)->next_owner;
	*owner = entry->next_owner;
	*place = entry->next_key;
	table->count--;
	table->bytes -= entry_bytes(entry);
	return entry;
}
